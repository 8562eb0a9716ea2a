"""A WSGI application on a port of its own of the loopback interface, as long as somebody looks."""

import logging
import secrets
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from photocloak.plugin.server.guard import Guard
from photocloak.plugin.server.peers import of_same_user

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
        from waitress.server import create_server

        logging.getLogger("waitress").setLevel(logging.ERROR)  # else it tells of every short queue
        self._patience, self._busy = patience, busy
        self._last = time.monotonic()
        self._ended = threading.Event()
        token = secrets.token_urlsafe(32)
        listening = socket.create_server(("127.0.0.1", 0))
        self.port = listening.getsockname()[1]
        self.link = f"http://127.0.0.1:{self.port}/{token}/"
        hosts = (f"127.0.0.1:{self.port}", f"localhost:{self.port}")
        guard = Guard(app, token=token, hosts=hosts, allow=of_same_user, seen=self._seen)
        self._server: Any = create_server(  # which of its classes it is depends on the sockets
            guard,
            sockets=[listening],
            threads=THREADS,
            ident=None,
            max_request_body_size=REQUEST,
        )
        self._thread = threading.Thread(target=self._server.run, name="server", daemon=True)
        self._thread.start()

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
        self._server.task_dispatcher.shutdown(cancel_pending=True, timeout=2)
        for channel in list(self._server.active_channels.values()):
            channel.will_close = True
        # In its own thread: closed from here, the port would be gone while that waits for it.
        self._server.trigger.pull_trigger(self._server.close)
        self._thread.join(2)

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
