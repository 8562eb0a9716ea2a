"""What happened to each photo: from the JSON lines of a run, or from the watcher's journal."""

import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from photocloak.core import InputError
from photocloak.engine.modes import Fallback
from photocloak.engine.seam import Box
from photocloak.engine.verdict import Verdict
from photocloak.plugin.pipeline.job import AS_IT_IS, Status
from photocloak.plugin.watch.journal import JournalEntry

FALLBACKS: dict[str, Fallback] = {how: how for how in get_args(Fallback)}


@dataclass(frozen=True)
class FaceRecord:
    """One face; see `job.FaceOutcome`. `dssim` is None where it was left as it is."""

    box: Box
    person: str | None
    dssim: float | None
    similarity: Mapping[str, float]
    edits: Mapping[str, float] = field(default_factory=dict)
    verdict: Verdict | None = None
    fallback: Fallback | None = None
    found: Box | None = None
    left: bool = False


@dataclass(frozen=True)
class PhotoRecord:
    """One photo that is done.

    Attributes:
        source: the photo.
        source_sha256: of the photo as it was read.
        output: what was made of it, or None.
        output_sha256: of what was made of it.
        status: how it ended.
        reason: why not, or what there is to know.
        faces: largest first.
        mode: it was done with; None: not told.
        preset: likewise.
        seconds: it took; None: not told.

    """

    source: Path
    source_sha256: str | None
    output: Path | None
    output_sha256: str | None
    status: Status
    reason: str | None
    faces: tuple[FaceRecord, ...]
    mode: str | None = None
    preset: str | None = None
    seconds: float | None = None

    @property
    def passed_over(self) -> bool:
        """Whether it was an output of ours that lay in a watched folder."""
        return self.output is None and self.status is Status.ALREADY_CLOAKED

    @property
    def held_back(self) -> bool:
        """Whether nothing was written though nothing failed."""
        done = self.status is Status.FAILED or self.passed_over
        return self.output is None and not done

    @property
    def uncloaked(self) -> bool:
        """Whether it was published without a cloak, as was wished."""
        return self.output is not None and self.status in AS_IT_IS


def read_run(lines: Iterable[bytes], name: str) -> list[PhotoRecord]:
    """Read what `photocloak cloak --json` printed.

    Raises:
        InputError: a line is something else, or there is none; it names `name` and the line.

    """
    rows = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            rows.append(_row(json.loads(line)))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise InputError(
                f"{name}: line {number} is not an outcome of `photocloak cloak --json`; name a "
                "file with nothing but what it printed."
            ) from error
    if not rows:
        raise InputError(f"{name}: there are no outcomes of `photocloak cloak --json` in it.")
    return rows


def of_journal(entries: Iterable[JournalEntry]) -> tuple[list[PhotoRecord], int]:
    """Return the photos in the journal that are done, and how many are not done yet."""
    rows, waiting = [], 0
    for entry in entries:
        if entry.status is None:
            waiting += 1
            continue
        rows.append(
            PhotoRecord(
                entry.source,
                entry.sha256,
                entry.output,
                entry.made_sha256,
                entry.status,
                entry.reason,
                tuple(_face(face) for face in entry.faces),
                entry.mode,
                entry.preset,
            )
        )
    return rows, waiting


def _row(value: Any) -> PhotoRecord:
    if not isinstance(value, dict):
        raise TypeError("not an object")
    below = Path() if value.get("directory") is None else _path(value["directory"])
    reason = _words(value["reason"])
    return PhotoRecord(
        source=below / _path(value["source"]),
        source_sha256=_words(value["source_sha256"]),
        output=None if value["output"] is None else below / _path(value["output"]),
        output_sha256=_words(value["output_sha256"]),
        status=Status(value["status"]),
        # Said of a path that was relative, and is not any more.
        reason=None if reason is None else reason.removeprefix(f"{value['source']}: "),
        faces=tuple(_face(face) for face in value["faces"]),
        seconds=_number(value["seconds"]),
    )


def _face(value: Mapping[str, Any]) -> FaceRecord:
    return FaceRecord(
        _box(value["box"]),
        _words(value["person"]),
        None if value["dssim"] is None else _number(value["dssim"]),
        _numbers(value["similarity"]),
        _numbers(value.get("edits", {})),
        None if value.get("verdict") is None else Verdict(value["verdict"]),
        None if value.get("fallback") is None else FALLBACKS[value["fallback"]],
        None if value.get("found") is None else _box(value["found"]),
        value.get("left") is True,
    )


def _box(value: Any) -> Box:
    x, y, w, h = (int(_number(one)) for one in value)
    return x, y, w, h


def _numbers(value: Any) -> dict[str, float]:
    return {str(name): _number(number) for name, number in dict(value).items()}


def _path(value: Any) -> Path:
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError(f"{value!r} is not a path")
    os.fsencode(value)
    return Path(value)


def _words(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"{value!r} is not a number")
    return float(value)
