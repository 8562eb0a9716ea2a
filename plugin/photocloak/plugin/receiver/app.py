"""The addresses of the receiver. Who may ask for them is decided before (`server.guard`)."""

import json
import logging
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from photocloak.core import PhotocloakError, manifest_root
from photocloak.plugin.receiver.answers import file_answer, held_back, job_of
from photocloak.plugin.receiver.asking import asked_for
from photocloak.plugin.receiver.desk import Desk
from photocloak.plugin.receiver.problems import MEDIA_TYPE, ProblemError, of_request
from photocloak.plugin.receiver.store import FullError, GoneError
from photocloak.plugin.watch.journal import JournalEntry

_LOG = logging.getLogger(__name__)

SOON = 5
"""Seconds after which it is worth asking again."""

OF_AN_OUTCOME = ("outcome", "face", "box", "verdict")
"""What `manifests/json.schema.json` calls it."""

AGAIN = "Send the same request again: it is the same job, and goes on where it is."


def make_app(desk: Desk) -> Flask:
    """Return the application."""
    app = Flask(__name__)
    app.config["MAX_FORM_PARTS"] = 20
    app.register_error_handler(Exception, _explained)

    @app.post("/cloak")
    def cloak() -> Response:
        if not desk.places.acquire(blocking=False):
            raise ProblemError(
                503,
                f"{desk.limits.at_once} requests wait for their photos already.",
                "Send it again later, or use /jobs.",
                retry_after=SOON,
            )
        try:
            job = _take(desk)
            entry = desk.wait(job)
        finally:
            desk.places.release()
        if entry is None or not entry.over:
            what = "The photo is not done yet."
            raise ProblemError(503, what, AGAIN, retry_after=SOON, job=job)
        return _file(desk, job, entry)

    @app.post("/jobs")
    def take() -> Response:
        job = _take(desk)
        answer = _json(_told(desk, job, _entry(desk, job)), 202)
        answer.headers["Location"] = f"/jobs/{job}"
        return answer

    @app.get("/jobs/<job>")
    def tell(job: str) -> Response:
        return _json(_told(desk, job, _entry(desk, job)))

    @app.get("/jobs/<job>/file")
    def file(job: str) -> Response:
        entry = _entry(desk, job)
        if not entry.over:
            what, remedy = "The photo is not done yet.", "Ask again later."
            raise ProblemError(409, what, remedy, retry_after=SOON, job=job)
        return _file(desk, job, entry)

    @app.delete("/jobs/<job>")
    def forget(job: str) -> Response:
        _entry(desk, job)
        if not desk.store.forget(job):
            what, remedy = "The photo is being cloaked.", "Delete it when it is done."
            raise ProblemError(409, what, remedy, retry_after=SOON, job=job)
        desk.told(job)
        return Response(status=204)

    @app.get("/openapi.json")
    def described() -> Response:
        return _json(description())

    return app


def description() -> dict[str, Any]:
    """Return the OpenAPI description: `manifests/openapi.json`, with the outcome as in `--json`."""
    told: dict[str, Any] = json.loads((manifest_root() / "openapi.json").read_text("utf-8"))
    schemas = (manifest_root() / "json.schema.json").read_text("utf-8")
    known = json.loads(schemas.replace("#/$defs/", "#/components/schemas/"))["$defs"]
    # Where they lie on this machine is not told.
    known["outcome"]["required"].remove("directory")
    del known["outcome"]["properties"]["directory"]
    told["components"]["schemas"] |= {name: known[name] for name in OF_AN_OUTCOME}
    return told


def _take(desk: Desk) -> str:
    photo, wish = asked_for(request, desk)
    try:
        job = desk.store.take(photo, wish)
    except FullError:
        what = f"{desk.limits.waiting} photos wait already."
        raise ProblemError(503, what, "Send it again later.", retry_after=30) from None
    desk.ring()
    return job


def _entry(desk: Desk, job: str) -> JournalEntry:
    entry = desk.store.entry(job)
    if entry is None:
        raise ProblemError(
            404,
            "There is no such job.",
            "Jobs are kept for an hour after they are done; send the photo again.",
        )
    return entry


def _told(desk: Desk, job: str, entry: JournalEntry) -> dict[str, Any]:
    return job_of(job, entry, desk.trouble(), neutral=desk.neutral(entry))


def _file(desk: Desk, job: str, entry: JournalEntry) -> Response:
    """Answer with the file of a job that is over, or say why there is none."""
    neutral = desk.neutral(entry)
    if entry.output is None:
        raise held_back(job, entry, neutral=neutral)
    try:
        data = desk.store.file(entry)
    except GoneError:
        what = "The file that was made has gone, or was changed since."
        raise ProblemError(410, what, "Send the photo again.", job=job) from None
    return file_answer(job, entry, data, neutral=neutral)


def _json(told: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(told) + "\n", status, mimetype="application/json")


def _explained(error: Exception) -> Response:
    """Say what is wrong as a problem; what nobody thought of too."""
    if isinstance(error, HTTPException):
        error = of_request(error.code or 500, error.description or error.name)
    elif isinstance(error, PhotocloakError):
        what = "Send it again when that is mended."
        error = ProblemError(503, str(error), what, retry_after=30)
    elif not isinstance(error, ProblemError):
        _LOG.error("a request failed", exc_info=error)
        what = f"unexpected {type(error).__name__}"
        error = ProblemError(500, what, "This is a mistake in photocloak; its log shows where.")
    return Response(error.body(), error.status, error.headers, content_type=MEDIA_TYPE)
