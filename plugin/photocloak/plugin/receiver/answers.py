"""What is told of a job: its outcome as `cloak --json` has it, under the names its sender knows.

Where photo and output lie on this machine is nobody's business.
"""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

from flask import Response, send_file

from photocloak.plugin.pipeline.job import Status
from photocloak.plugin.progress import clean
from photocloak.plugin.receiver.problems import NEVER, REMEDIES, ProblemError
from photocloak.plugin.receiver.store import Wish
from photocloak.plugin.storage.output_names import BEGIN
from photocloak.plugin.watch.journal import JournalEntry

MEDIA_TYPES = {
    ".avif": "image/avif",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".webp": "image/webp",
}

OUTCOME = "Photocloak-Outcome"
"""The header with the outcome, but for its faces, for which a header may be too small."""

HELD = frozenset(REMEDIES) - {Status.FAILED}


def outcome_of(entry: JournalEntry, *, neutral: bool) -> dict[str, Any] | None:
    """Return what came of a job, as in `--json`; None: nothing yet."""
    outcome = entry.outcome()
    if outcome is None:
        return None
    told = outcome.as_json()
    told["source"] = Wish.of(entry.asked).name
    told["output"] = None if entry.output is None else file_name(entry, neutral=neutral)
    told["reason"] = _reason(entry)
    return told


def job_of(job: str, entry: JournalEntry, trouble: str | None, *, neutral: bool) -> dict[str, Any]:
    """Return how far a job is, and what came of it."""
    wish = Wish.of(entry.asked)
    waits_for = None
    if not entry.over:
        waits_for = _reason(entry) or (None if trouble is None else clean(trouble))
    return {
        "job": job,
        "state": entry.state.value,
        "name": wish.name,
        "mode": wish.mode,
        "preset": wish.preset,
        "person": wish.person,
        "waits_for": waits_for,
        "outcome": outcome_of(entry, neutral=neutral),
    }


def file_name(entry: JournalEntry, *, neutral: bool) -> str:
    """Return what the file that was made is called, for its sender.

    With `neutral` so that it gives nothing away: by the hash of what everybody sees anyway.
    """
    suffix = "" if entry.output is None else entry.output.suffix
    if neutral:
        return f"{BEGIN}{str(entry.made_sha256)[:20]}{suffix}"
    return Path(Wish.of(entry.asked).name).stem + suffix


def file_answer(job: str, entry: JournalEntry, data: bytes, *, neutral: bool) -> Response:
    """Answer with the file that was made, which the caller has checked."""
    outcome = outcome_of(entry, neutral=neutral) or {}
    name = file_name(entry, neutral=neutral)
    kind = MEDIA_TYPES.get(Path(name).suffix.lower(), "application/octet-stream")
    answer = send_file(io.BytesIO(data), kind, as_attachment=True, download_name=name)
    answer.headers[OUTCOME] = json.dumps({k: v for k, v in outcome.items() if k != "faces"})
    answer.headers["Content-Location"] = f"/jobs/{job}"
    answer.set_etag(hashlib.sha256(data).hexdigest())
    return answer


def held_back(job: str, entry: JournalEntry, *, neutral: bool) -> ProblemError:
    """Say why there is no file."""
    status = entry.status or Status.FAILED
    remedy = f"{REMEDIES.get(status, REMEDIES[Status.FAILED])} {NEVER}"
    detail = _reason(entry) or f"the photo ended as {status}"
    outcome = outcome_of(entry, neutral=neutral)
    return ProblemError(422, detail, remedy, job=job, outcome=outcome)


def _reason(entry: JournalEntry) -> str | None:
    """Return the reason without paths of this machine, and without options of a command line."""
    if entry.reason is None:
        return None
    name = Wish.of(entry.asked).name
    text = clean(entry.reason.replace(str(entry.source), name))
    return text.partition(";")[0] if entry.status in HELD else text
