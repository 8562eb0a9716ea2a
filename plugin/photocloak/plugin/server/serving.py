"""waitress in a thread of its own, on a socket that is open already."""

import logging
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Worded = Callable[[int, str], tuple[str, bytes]]
"""Returns content type and body of an answer to what is no request: (status code, why)."""


class Serving:
    """Answers requests from when it is made until `close`."""

    def __init__(
        self,
        app: "WSGIApplication",
        listening: socket.socket,
        *,
        threads: int,
        most_bytes: int,
        connections: int = 100,
        worded: Worded | None = None,
    ) -> None:
        """Begin to answer.

        Args:
            app: answers.
            listening: a bound socket, of the loopback interface or of the file system.
            threads: requests that are answered at once.
            most_bytes: of a request's body; a larger one is answered with 413, and not read.
            connections: that may be open at once; more wait.
            worded: how it is said what is wrong with what is no request; None: in plain text.

        """
        from waitress.server import create_server

        logging.getLogger("waitress").setLevel(logging.ERROR)  # else it tells of every short queue
        self._server: Any = create_server(  # which of its classes it is depends on the socket
            app,
            sockets=[listening],
            threads=threads,
            ident=None,
            max_request_body_size=most_bytes,
            connection_limit=connections,
        )
        if worded is not None:
            self._server.channel_class = _channel(worded)
        self._thread = threading.Thread(target=self._server.run, name="server", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Close the port; requests that are being answered are given a moment."""
        self._server.task_dispatcher.shutdown(cancel_pending=True, timeout=2)
        for channel in list(self._server.active_channels.values()):
            channel.will_close = True
        # In its own thread: closed from here, the port would be gone while that waits for it.
        self._server.trigger.pull_trigger(self._server.close)
        self._thread.join(2)


def _channel(worded: Worded) -> Any:
    """Return waitress's connection, but for the words in which it says what is no request."""
    from waitress.channel import HTTPChannel
    from waitress.task import ErrorTask

    class Error(ErrorTask):  # type: ignore[misc]  # it has no types
        def execute(self) -> None:
            error = self.request.error
            kind, body = worded(error.code, str(error.body))
            self.status = f"{error.code} {error.reason}"
            self.response_headers.append(("Content-Type", kind))
            self.set_close_on_finish()
            self.content_length = len(body)
            self.write(body)

    class Channel(HTTPChannel):  # type: ignore[misc]  # it has no types
        error_task_class = Error

    return Channel
