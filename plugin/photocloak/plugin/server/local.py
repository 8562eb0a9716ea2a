"""A page on a port of its own of the loopback interface, as long as somebody looks."""

import secrets
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from photocloak.plugin.server.access import ByLink
from photocloak.plugin.server.guard import Guard
from photocloak.plugin.server.peers import of_same_user
from photocloak.plugin.server.serving import Serving

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HOUR = 3600.0
"""Seconds without a request after which nobody is taken to look any more."""

REQUEST = 64 << 10
"""Bytes of the largest request: a form with a few fields."""

THREADS = 12
"""Requests at once; a browser asks for six pictures at a time, and how things are besides."""


class LocalServer:
    """Answers at `link` as soon as it is made; see `run`."""

    def __init__(
        self,
        app: "WSGIApplication",
        *,
        patience: float = HOUR,
        busy: Callable[[], bool] = lambda: False,
    ) -> None:
        """Open a free port.

        Args:
            app: answers the requests that `Guard` lets through.
            patience: seconds without a request after which `run` returns.
            busy: tells whether there is something that must not be broken off.

        """
        self._patience, self._busy = patience, busy
        self._last = time.monotonic()
        self._ended = threading.Event()
        token = secrets.token_urlsafe(32)
        listening = socket.create_server(("127.0.0.1", 0))
        self.port = listening.getsockname()[1]
        self.link = f"http://127.0.0.1:{self.port}/{token}/"
        guard = Guard(
            app,
            access=ByLink(token),
            hosts=loopback_hosts(self.port),
            allow=of_same_user,
            seen=self._seen,
        )
        self._serving = Serving(guard, listening, threads=THREADS, most_bytes=REQUEST)

    def run(self) -> None:
        """Return when nobody has looked for long, or `end` was called; Ctrl-C is raised here."""
        while not self._ended.wait(min(self._patience / 4, 60)):
            if self._busy():
                self._seen()
            if time.monotonic() - self._last > self._patience:
                return

    def end(self) -> None:
        """Have `run` return."""
        self._ended.set()

    def close(self) -> None:
        """Close the port; requests that are being answered are given a moment."""
        self._serving.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def _seen(self) -> None:
        self._last = time.monotonic()


def loopback_hosts(port: int) -> tuple[str, str]:
    """Return what a `Host` header may be for a port of the loopback interface."""
    return f"127.0.0.1:{port}", f"localhost:{port}"
