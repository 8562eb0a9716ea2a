"""Where the receiver listens: a port of the loopback interface, or a Unix socket."""

import os
import socket
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from photocloak.core import ConfigError
from photocloak.plugin.server import loopback_hosts


class Place(Protocol):
    """Where one listens; `str` says it to people.

    Attributes:
        hosts: what a `Host` header may be.

    """

    @property
    def hosts(self) -> tuple[str, ...]:
        """What a `Host` header may be."""

    def listen(self) -> socket.socket:
        """Return a bound socket; ConfigError: that is not possible."""

    def leave(self) -> None:
        """Leave nothing behind."""


@dataclass(frozen=True)
class Port:
    """A port of the loopback interface: no other machine reaches it."""

    number: int

    def __str__(self) -> str:
        return f"http://127.0.0.1:{self.number}"

    @property
    def hosts(self) -> tuple[str, ...]:
        """Return both names of the loopback interface."""
        return loopback_hosts(self.number)

    def listen(self) -> socket.socket:
        """Return the socket."""
        try:
            return socket.create_server(("127.0.0.1", self.number))
        except OSError as error:
            raise ConfigError(
                f"port {self.number} cannot be listened on ({error.strerror}); choose another "
                "with --port."
            ) from error

    def leave(self) -> None:
        """Nothing: the kernel closes it."""


@dataclass(frozen=True)
class SocketFile:
    """A socket in the file system, for its owner and group: the folder says which group."""

    path: Path

    def __str__(self) -> str:
        return f"the socket {self.path}"

    @property
    def hosts(self) -> tuple[str, ...]:
        """Return what curl and proxies send to a socket."""
        return ("localhost",)

    def listen(self) -> socket.socket:
        """Return the socket; one that a dead server left is replaced, any other file stays."""
        listening = socket.socket(socket.AF_UNIX)
        try:
            self._make_room()
            mask = os.umask(0o117)
            try:
                listening.bind(str(self.path))
            finally:
                os.umask(mask)
        except OSError as error:
            listening.close()
            raise ConfigError(
                f"{self.path}: cannot be listened on ({error.strerror or error}); choose another "
                "place with --socket."
            ) from error
        return listening

    def leave(self) -> None:
        """Remove the socket."""
        with suppress(OSError):
            self.path.unlink()

    def _make_room(self) -> None:
        if not os.path.lexists(self.path):
            return
        if not stat.S_ISSOCK(self.path.lstat().st_mode):
            raise FileExistsError(17, "a file is there that is no socket")
        with socket.socket(socket.AF_UNIX) as asking, suppress(ConnectionRefusedError):
            asking.connect(str(self.path))
            raise FileExistsError(98, "another program listens there")
        self.path.unlink()
