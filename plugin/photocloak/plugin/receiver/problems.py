"""What is wrong, for programs and people: RFC 9457 problem details, with a remedy each."""

import json
from http import HTTPStatus
from typing import Any

from photocloak.plugin.pipeline.job import Status
from photocloak.plugin.server import Refusal

MEDIA_TYPE = "application/problem+json"

REMEDIES = {
    Status.NO_FACE: "Leave the photo out. Where photos without a face may be published as they "
    'are, set no_face = "copy" in the settings.toml of this server.',
    Status.NOBODY_NAMED: "Say whom it shows with `person`, or leave the photo out.",
    Status.UNCERTAIN: "Crop or cover that spot and send the photo again, or set "
    'fallback = "blur" in the settings.toml of this server.',
    Status.TOO_WEAK: "Send it again with mode=strong, or send another photo.",
    Status.FAILED: "Correct what the reason says, and send the photo again.",
}
"""What can be done about a photo that is held back."""

NEVER = "Never publish the original in its stead."

OF_REQUESTS = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Send a smaller file, or start the server with a larger "
    "--max-size.",
    HTTPStatus.NOT_FOUND: "See /openapi.json for what there is; a job is kept for an hour.",
    HTTPStatus.METHOD_NOT_ALLOWED: "See /openapi.json for what there is.",
}
"""What can be done about a request that is answered by nobody."""


class ProblemError(Exception):
    """Why a request is not answered as it was wished."""

    def __init__(
        self, status: int, detail: str, remedy: str, *, retry_after: int | None = None, **more: Any
    ) -> None:
        """Say what is wrong.

        Args:
            status: of the answer.
            detail: what is wrong, in a sentence.
            remedy: what to do about it.
            retry_after: seconds after which the same request may be answered; None: it never is.
            more: what else is told.

        """
        super().__init__(detail)
        self.status, self.detail, self.remedy, self.more = status, detail, remedy, more
        self.headers = {} if retry_after is None else {"Retry-After": str(retry_after)}

    def body(self) -> bytes:
        """Return it as JSON."""
        said = {
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "remedy": self.remedy,
        }
        return json.dumps(said | self.more).encode() + b"\n"


def of_request(status: int, detail: str) -> ProblemError:
    """Return what is said of a request that no address of ours takes."""
    remedy = OF_REQUESTS.get(HTTPStatus(status), "See /openapi.json for how to ask.")
    return ProblemError(status, detail, remedy)


def refused(refusal: Refusal) -> tuple[str, bytes]:
    """Say why somebody may not ask; see `Guard`."""
    remedy = "Ask as docs/howto/receive.md shows; a proxy has to send the server's own address."
    code = int(refusal.status.split()[0])
    return MEDIA_TYPE, ProblemError(code, refusal.reason, remedy).body()


def malformed(status: int, why: str) -> tuple[str, bytes]:
    """Say what is wrong with what is no request; see `Serving`."""
    phrase = HTTPStatus(status).phrase
    return MEDIA_TYPE, of_request(status, f"{phrase}: {why}.").body()
