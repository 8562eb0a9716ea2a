"""Who may ask a local server: whoever has the link, from a page of that very server.

A port of the loopback interface is open to every program of the machine, and to every web site that
its browser shows. So each request, for a picture as well, has to hold the token of the link as the
first part of its path; has to be sent to an address of this server, or else a site's name that was
made to lead here (DNS rebinding) would read it; and what changes something has to come from a page
of this server, or else another site's form would be obeyed.
"""

import hmac
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing from elsewhere, nothing inline, in nobody's frame."""

HEADERS = (
    ("Content-Security-Policy", POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    # Not "no-referrer": a form's Origin would be "null" then. Other origins get none either way.
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)
"""Of every answer; faces that are not cloaked must not come to lie in a browser's cache."""

READING = frozenset({"GET", "HEAD"})
"""Methods that change nothing."""

Allow = Callable[["WSGIEnvironment"], bool]
"""Tells whether whoever sent a request may."""


class Guard:
    """A WSGI application before another one, that lets only its own pages' requests through."""

    def __init__(
        self,
        app: "WSGIApplication",
        *,
        token: str,
        hosts: Iterable[str],
        allow: Allow = lambda _: True,
        seen: Callable[[], None] = lambda: None,
    ) -> None:
        """Stand before `app`.

        Args:
            app: sees the path without the token, which is in `SCRIPT_NAME`.
            token: the secret in the link.
            hosts: what a `Host` header may be, port and all.
            allow: what else must hold.
            seen: called for every request that is let through.

        """
        self._app, self._token = app, token.encode("ascii")
        self._hosts, self._allow, self._seen = frozenset(hosts), allow, seen

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer, or hand the request on."""

        start = _with_headers(start_response)
        refused = self._refused(environ)
        if refused is not None:
            body = refused.encode("utf-8") + b"\n"
            length = str(len(body))
            start(
                "403 Forbidden",
                [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", length)],
            )
            return [body]
        self._seen()
        return self._app(environ, start)

    def _refused(self, environ: "WSGIEnvironment") -> str | None:
        """Say why a request is not answered, or take the token out of its path."""
        if environ.get("HTTP_HOST") not in self._hosts:
            return "This server answers to its own address alone."
        first, slash, rest = environ.get("PATH_INFO", "").removeprefix("/").partition("/")
        if not slash or not hmac.compare_digest(first.encode("utf-8", "replace"), self._token):
            return "Open this page by the link that photocloak printed."
        if not self._own_origin(environ):
            return "Only a page of this server may ask for that."
        if not self._allow(environ):
            return "This page belongs to another user of this machine."
        environ["SCRIPT_NAME"] = f"/{first}"
        environ["PATH_INFO"] = f"/{rest}"
        return None

    def _own_origin(self, environ: "WSGIEnvironment") -> bool:
        """Tell whether one of our pages sends a request; one that only reads need not say so."""
        origin = environ.get("HTTP_ORIGIN")
        if origin is None:
            return environ["REQUEST_METHOD"] in READING
        parts = urlsplit(origin)
        same = parts.netloc == environ["HTTP_HOST"] and origin == f"http://{parts.netloc}"
        return bool(same)


def _with_headers(start_response: "StartResponse") -> "StartResponse":
    """Return what begins an answer with `HEADERS` instead of its own of these names."""
    ours = {name.lower() for name, _ in HEADERS}

    def start(
        status: str, headers: list[tuple[str, str]], exc_info: "OptExcInfo | None" = None, /
    ) -> Callable[[bytes], object]:
        kept = [one for one in headers if one[0].lower() not in ours]
        return start_response(status, [*kept, *HEADERS], exc_info)

    return start
