"""Who may ask a local server: whoever has its secret, at its own address.

A port of the loopback interface is open to every program of the machine, and to every web site that
its browser shows. So each request, for a picture as well, has to show the secret (see `access`),
and has to be sent to an address of this server, or else a site's name that was made to lead here
(DNS rebinding) would read it.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from photocloak.plugin.server.access import Access, Refusal

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

Allow = Callable[["WSGIEnvironment"], bool]
"""Tells whether whoever sent a request may."""

Worded = Callable[[Refusal], tuple[str, bytes]]
"""Returns the content type and the body that say why a request is refused."""


def in_plain_text(refusal: Refusal) -> tuple[str, bytes]:
    """Say it to a person in a browser."""
    return "text/plain; charset=utf-8", refusal.reason.encode("utf-8") + b"\n"


class Guard:
    """A WSGI application before another one, that lets only those through who may ask."""

    def __init__(
        self,
        app: "WSGIApplication",
        *,
        access: Access,
        hosts: Iterable[str],
        allow: Allow = lambda _: True,
        seen: Callable[[], None] = lambda: None,
        worded: Worded = in_plain_text,
    ) -> None:
        """Stand before `app`.

        Args:
            app: sees what is let through.
            access: tells who has the secret.
            hosts: what a `Host` header may be, port and all.
            allow: what else must hold.
            seen: called for every request that is let through.
            worded: how it is said that a request is refused.

        """
        self._app, self._access, self._hosts = app, access, frozenset(hosts)
        self._allow, self._seen, self._worded = allow, seen, worded

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer, or hand the request on."""
        start = _with_headers(start_response)
        refused = self._refused(environ)
        if refused is not None:
            kind, body = self._worded(refused)
            said = [("Content-Type", kind), ("Content-Length", str(len(body)))]
            start(refused.status, [*said, *refused.headers])
            return [body]
        self._seen()
        return self._app(environ, start)

    def _refused(self, environ: "WSGIEnvironment") -> Refusal | None:
        """Say why a request is not answered; see `Access.refused`."""
        if environ.get("HTTP_HOST") not in self._hosts:
            return Refusal("403 Forbidden", "This server answers to its own address alone.")
        refused = self._access.refused(environ)
        if refused is None and not self._allow(environ):
            return Refusal("403 Forbidden", "This page belongs to another user of this machine.")
        return refused


def _with_headers(start_response: "StartResponse") -> "StartResponse":
    """Return what begins an answer with `HEADERS` instead of its own of these names."""
    ours = {name.lower() for name, _ in HEADERS}

    def start(
        status: str, headers: list[tuple[str, str]], exc_info: "OptExcInfo | None" = None, /
    ) -> Callable[[bytes], object]:
        kept = [one for one in headers if one[0].lower() not in ours]
        return start_response(status, [*kept, *HEADERS], exc_info)

    return start
