"""The two ways to show a server's secret: in its link, as a browser does, or in a header.

Both say why a request is not answered, or return None and let it pass.
"""

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

READING = frozenset({"GET", "HEAD"})
"""Methods that change nothing."""


@dataclass(frozen=True)
class Refusal:
    """Why a request is not answered.

    Attributes:
        status: of the answer, code and words.
        reason: for people, one sentence that says what to do.
        headers: that the answer has besides.

    """

    status: str
    reason: str
    headers: tuple[tuple[str, str], ...] = ()


class Access(Protocol):
    """Tells who has the secret."""

    def refused(self, environ: "WSGIEnvironment") -> Refusal | None:
        """Say why a request is not answered; None: it may pass."""


class ByLink:
    """The secret is the first part of the path; what changes something comes from our own page."""

    def __init__(self, token: str) -> None:
        self._token = token.encode("ascii")

    def refused(self, environ: "WSGIEnvironment") -> Refusal | None:
        """Say why a request is not answered, or move the token from its path to SCRIPT_NAME."""
        first, slash, rest = environ.get("PATH_INFO", "").removeprefix("/").partition("/")
        if not slash or not hmac.compare_digest(first.encode("utf-8", "replace"), self._token):
            return Refusal("403 Forbidden", "Open this page by the link that photocloak printed.")
        if not self._own_origin(environ):
            return Refusal("403 Forbidden", "Only a page of this server may ask for that.")
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


class ByHeader:
    """The secret is in `Authorization: Bearer`, which no browser sends by itself; pages never may.

    So a web site that its reader's browser shows can neither ask nor be used to ask.
    """

    def __init__(self, token: str, where: str) -> None:
        """`where` tells people where they find the token."""
        self._token, self._where = token.encode("ascii"), where

    def refused(self, environ: "WSGIEnvironment") -> Refusal | None:
        """Say why a request is not answered."""
        if "HTTP_ORIGIN" in environ:
            return Refusal("403 Forbidden", "Web pages may not ask this server; programs may.")
        kind, _, given = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        known = hmac.compare_digest(given.strip().encode("utf-8", "replace"), self._token)
        if kind.lower() == "bearer" and known:
            return None
        return Refusal(
            "401 Unauthorized",
            f"Send the header `Authorization: Bearer TOKEN`; the token is in {self._where}.",
            (("WWW-Authenticate", 'Bearer realm="photocloak"'),),
        )
