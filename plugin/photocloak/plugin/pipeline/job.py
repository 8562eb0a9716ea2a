"""What the pipeline is asked to do with one photo, and what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from photocloak.core import ExitCode
from photocloak.engine.modes import Fallback
from photocloak.engine.seam import Box
from photocloak.engine.verdict import Verdict, verdict_of
from photocloak.plugin.people.assignment import UserHint
from photocloak.plugin.settings import Faces, NoFace


class Status(StrEnum):
    """How it ended for one photo."""

    CLOAKED = "cloaked"
    ALREADY_CLOAKED = "already_cloaked"
    DONE_BEFORE = "done_before"
    NO_FACE = "no_face"
    NOBODY_NAMED = "nobody_named"
    LEFT_ALONE = "left_alone"
    UNCERTAIN = "uncertain"
    TOO_WEAK = "too_weak"
    FAILED = "failed"
    WOULD_CLOAK = "would_cloak"
    WOULD_COPY = "would_copy"


HELD = {
    Status.NO_FACE: "no face found",
    Status.NOBODY_NAMED: "nobody named in it",
    Status.UNCERTAIN: "a face cannot be cloaked",
    Status.TOO_WEAK: "the cloak is too weak",
}
"""Why a photo without an output is held back, in short."""

AS_IT_IS = frozenset({Status.NO_FACE, Status.NOBODY_NAMED, Status.LEFT_ALONE})
"""A photo with an output was written without a cloak."""


@dataclass(frozen=True)
class Job:
    """One photo to cloak.

    Attributes:
        source: the photo; never changed.
        folder: where the result goes; made if need be.
        mode: a row of `manifests/modes.toml`.
        preset: the metadata policy.
        no_face: hold back a photo without a face to cloak, or write it as it is.
        seed: of the cloak's noise; None derives it from the photo and the targets.
        hint: what the user said about whom the photo shows.
        faces: whose to cloak: everyone's, or only those of people with a name.
        deadline: `time.monotonic()`, on the worker's machine, after which nothing is published;
            None: there is time.
        metadata_from: the file whose XMP and IPTC (and whose sidecar's) the photo gets; None: it
            has its own.
        redo: make what was done before once more, in its place.
        accept_weak: let a weak cloak pass, instead of trying harder and holding back what stays
            weak.
        neutral: call the output so that its name gives nothing away.
        name: what the output is called, and nothing else; None: as its photo.
        fallback: how a face is made unrecognisable that cannot be cloaked well enough; None: the
            photo is held back.
        not_a_face: what is not a face for certain is none.
        only: whose faces to cloak, names or labels; none: `faces` says it.
        spared: whose faces to leave as they are, names or labels.

    """

    source: Path
    folder: Path
    mode: str
    preset: str
    no_face: NoFace = "hold"
    seed: int | None = None
    hint: UserHint = field(default_factory=UserHint)
    faces: Faces = "everyone"
    deadline: float | None = None
    metadata_from: Path | None = None
    redo: bool = False
    accept_weak: bool = False
    neutral: bool = False
    name: str | None = None
    fallback: Fallback | None = None
    not_a_face: bool = False
    only: tuple[str, ...] = ()
    spared: tuple[str, ...] = ()


_NOT_HOW = {"source", "folder", "hint", "deadline", "redo"}


def how_of(job: Job) -> dict[str, Any]:
    """Return how a photo is to be done, for `done_like`: what JSON can hold, defaults left out."""
    how = {
        one.name: getattr(job, one.name)
        for one in fields(job)
        if one.name not in _NOT_HOW and getattr(job, one.name) != one.default
    }
    if job.metadata_from is not None:
        how["metadata_from"] = str(job.metadata_from)
    if job.hint.name is not None:
        how["person"] = job.hint.name
    return how


def done_like(source: Path, folder: Path, how: Mapping[str, Any]) -> Job:
    """Return the job that does a photo once more as it was done; a target stays its person's."""
    known = {one.name for one in fields(Job)} - _NOT_HOW
    given: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in how.items()
        if key in known
    }
    if given.get("metadata_from") is not None:
        given["metadata_from"] = Path(given["metadata_from"])
    return Job(source, folder, **given, hint=UserHint(how.get("person")))


_EDITS = (
    ("warp", "moved by {:.1f} % of the distance between the eyes"),
    ("contrast", "contrast ±{:.0f} %"),
    ("light", "light ±{:.2f} stops"),
    ("delta", "δ {:.4f}"),
)
"""Each edit's amount, in the unit of `FaceCloak.amounts`."""


def edits_in_words(edits: Mapping[str, float]) -> str:
    """Say how much each edit changed a face at most; empty where none is known."""
    return ", ".join(words.format(edits[name]) for name, words in _EDITS if name in edits)


@dataclass(frozen=True)
class FaceOutcome:
    """One face, as measured on the written file.

    Attributes:
        box: x, y, w, h in pixels of the written file, seen upright.
        person: name or label of whose face it is; None: too uncertain for a profile, or nobody
            who is known.
        dssim: what the cloak changed, on the 224-px aligned crop; None: it was left alone.
        similarity: cosine to the clean face, by extractor; empty where it was left alone.
        mode: whose bounds it got; None: it was left alone.
        edits: how much each edit changes at most, see `FaceCloak.amounts`; empty where it was left
            alone.
        cloaked: False: it was left alone, and nothing was measured, or made unrecognisable.
        accepting: the extractors that still accept it; None: it was left alone, or an earlier
            version did not write them down.
        fallback: how it was made unrecognisable instead of cloaked; None: it was not.
        found: the box in pixels of the photo as it was decoded, by which corrections are kept;
            None: it was made before there were any.
        left: it was left alone because that was asked: of this face, or of whose it is.
        person_id: whose it is, whatever they are called by now; None like `person`.

    """

    box: Box
    person: str | None
    dssim: float | None
    similarity: Mapping[str, float]
    mode: str | None
    edits: Mapping[str, float] = field(default_factory=dict)
    cloaked: bool = True
    accepting: tuple[str, ...] | None = None
    fallback: Fallback | None = None
    found: Box | None = None
    left: bool = False
    person_id: int | None = None

    @property
    def verdict(self) -> Verdict | None:
        """How well it is cloaked or hidden; None: it was left alone, or that is not known."""
        if self.accepting is None:
            return None
        return verdict_of(len(self.accepting), of=len(self.similarity))

    def called(self, labels: Mapping[int, str]) -> "FaceOutcome":
        """Return the face with the name that its person has by now, by id."""
        now = None if self.person_id is None else labels.get(self.person_id)
        return self if now is None else replace(self, person=now)

    def as_json(self) -> dict[str, Any]:
        """Return the face as it stands in `--json`."""
        return {
            "box": list(self.box),
            "person": self.person,
            "cloaked": self.cloaked and self.verdict is not Verdict.NONE,
            "verdict": self.verdict,
            "accepting": None if self.accepting is None else list(self.accepting),
            "mode": self.mode,
            "edits": {name: round(value, 4) for name, value in self.edits.items()},
            "dssim": None if self.dssim is None else round(self.dssim, 5),
            "similarity": {name: round(value, 4) for name, value in self.similarity.items()},
            "fallback": self.fallback,
            "found": None if self.found is None else list(self.found),
            "left": self.left,
            "person_id": self.person_id,
        }

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "FaceOutcome":
        """Read what `as_json` wrote of a photo that was written.

        Earlier versions knew the first fields only.
        """
        accepting = row.get("accepting")
        return cls(
            box_from(row["box"]),
            row["person"],
            row["dssim"],
            row["similarity"],
            row.get("mode"),
            row.get("edits", {}),
            cloaked=row["cloaked"],
            accepting=None if accepting is None else tuple(accepting),
            fallback=row.get("fallback"),
            found=box_from(row["found"]) if row.get("found") else None,
            left=row.get("left", False),
            person_id=row.get("person_id"),
        )


def box_from(values: Sequence[int]) -> Box:
    """Read a box that `as_json` wrote."""
    x, y, w, h = values
    return x, y, w, h


@dataclass(frozen=True)
class Outcome:
    """What came of a job.

    Attributes:
        source: the photo.
        output: what lies at the destination now; None: nothing.
        status: how it ended.
        reason: why not, or what there is to know; one line.
        faces: largest first; empty where nothing was measured.
        code: exit status if this were the only photo.
        seconds: from start to end.
        source_sha256: of the photo as it was read; None: it could not be.
        output_sha256: of what lies at the destination.
        discloses: what the metadata of that file tells, as kinds of `exporters.Finding`.
        content: SHA-256 of the photo's decoded pixels, by which corrections are kept; None: nobody
            looked at it.
        not_faces: what the user said is no face, as boxes like those of `faces`.
        unread: it failed for the file system, or who writes the photo: see `UnreadError`.

    """

    source: Path
    output: Path | None
    status: Status
    reason: str | None = None
    faces: tuple[FaceOutcome, ...] = ()
    code: ExitCode = ExitCode.OK
    seconds: float = 0.0
    source_sha256: str | None = None
    output_sha256: str | None = None
    discloses: tuple[str, ...] = ()
    content: str | None = None
    not_faces: tuple[Box, ...] = ()
    unread: bool = False

    @property
    def verdict(self) -> Verdict | None:
        """That on its worst face; None: no face was cloaked, or none is known."""
        found = [face.verdict for face in self.faces if face.verdict is not None]
        return max(found, key=list(Verdict).index, default=None)

    def as_json(self) -> dict[str, Any]:
        """Return the outcome as it stands in `--json`."""
        return {
            "source": str(self.source),
            "source_sha256": self.source_sha256,
            "output": None if self.output is None else str(self.output),
            "output_sha256": self.output_sha256,
            "status": self.status.value,
            "reason": self.reason,
            "seconds": round(self.seconds, 3),
            "verdict": self.verdict,
            "discloses": list(self.discloses),
            "faces": [face.as_json() for face in self.faces],
            "content": self.content,
            "not_faces": [list(box) for box in self.not_faces],
        }


def exit_code(codes: Sequence[ExitCode]) -> ExitCode:
    """Return the status of a run: a single photo's own, 9 where some of several have a problem."""
    if len(codes) == 1:
        return codes[0]
    return ExitCode.SOME_FAILED if any(codes) else ExitCode.OK
