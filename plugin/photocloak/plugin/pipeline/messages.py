"""What passes between the phases of one photo: detect, assign, cloak, publish.

`detect` and `cloak` are a worker's (`worker.py`), assigning and publishing the coordinator's
(`decisions.py`). Everything here can be pickled, so that the two may be different processes. No
pixels pass: of a photo that waits for its turn only what was seen in it is kept.
"""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import BrokenExecutor, CancelledError
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

from photocloak import exporters
from photocloak.core import ExitCode, PhotocloakError, UnreadError
from photocloak.engine.detection.faces import Face
from photocloak.engine.geometry import Array
from photocloak.engine.modes import Fallback
from photocloak.engine.recognition.ensemble import Embeddings
from photocloak.engine.seam import Box, box_as_published
from photocloak.engine.subject import FaceCloak
from photocloak.engine.targets.library import Target
from photocloak.engine.verdict import Verdict, verdict_of
from photocloak.engine.verify import FaceEvidence, whole_box
from photocloak.plugin.people.assignment import Assignment, ObservedFace
from photocloak.plugin.pipeline.job import Job, Outcome, Status

_LOG = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True)
class PhotoTask:
    """A photo to look at.

    Attributes:
        job: what to do with it.
        policy: what may be written.
        file: SHA-256 of the source's bytes; None where there was no file to read.
        signature: of the source, from before it was hashed; see `signature_of`.
        settings: tells how it is to be done, see `manner.settings_of`.

    """

    job: Job
    policy: exporters.Policy
    file: str | None
    signature: str | None = None
    settings: str = ""


@dataclass(frozen=True)
class Detections:
    """What a worker saw in a photo.

    Attributes:
        content: hash of the photo's pixels. Not of the file: an export that differs in a time
            stamp must not get other noise, since cloaks that differ could be averaged away.
        shape: height and width of the picture to publish, in pixels.
        faces: in that picture, largest first; those that can be aligned.
        observed: the faces as the people store sees them.
        out_of_reach: the other faces, which cannot be cloaked.
        seconds: that it took.
        column: of the picture that was the first as it was looked at, see `engine.seam`; 0 but
            for a 360° photo with a face on its edges.
        scale: pixels of the photo as it was decoded over those of the picture.

    """

    content: str
    shape: tuple[int, int]
    faces: tuple[Face, ...]
    observed: tuple[ObservedFace, ...]
    out_of_reach: tuple[Face, ...]
    seconds: float
    column: int = 0
    scale: float = 1.0

    @property
    def count(self) -> int:
        """How many faces there may be."""
        return len(self.faces) + len(self.out_of_reach)

    def published(self, face: Face) -> Box:
        """Return the box of a face in the published picture."""
        return box_as_published(whole_box(face, self.shape), self.column, self.shape[1])

    def found(self, face: Face) -> Box:
        """Return the box of a face in the photo as it was decoded."""
        x, y, w, h = (round(length * self.scale) for length in self.published(face))
        return x, y, w, h


@dataclass(frozen=True)
class FaceOrder:
    """What is to be done with a face that is not left alone.

    Attributes:
        target: for whom it shall be taken; None: no cloak is tried, it is made unrecognisable.
        person: what is known of its person, see `Assignment.reference`.
        mode: what the cloak may cost.
        fallback: how it is made unrecognisable where no cloak is strong enough; None: it is not.

    """

    target: Target | None
    person: Embeddings
    mode: str
    fallback: Fallback | None = None


@dataclass(frozen=True)
class CloakRequest:
    """A photo to cloak.

    Attributes:
        task: the photo.
        detections: what was seen in it, but for what is no face.
        faces: what to do with each face; None leaves it alone.
        means: the centre of each extractor's features, (D,) float32 by name.
        beyond: how the faces out of reach are made unrecognisable.

    """

    task: PhotoTask
    detections: Detections
    faces: tuple[FaceOrder | None, ...]
    means: Mapping[str, Array]
    beyond: tuple[Fallback, ...] = ()

    @property
    def touched(self) -> int:
        """How many faces are not left alone."""
        return sum(one is not None for one in self.faces) + len(self.beyond)


@dataclass(frozen=True)
class CloakPlan:
    """What the coordinator decided: the worker's order, and who is who, which it keeps.

    `left` are faces that cannot be aligned, and are left alone; `asked` tells whether any face is
    because the user said so of this very face. `none` is what the user said is no face.
    """

    order: CloakRequest
    assigned: tuple[Assignment, ...]
    left: tuple[Face, ...] = ()
    asked: bool = False
    none: tuple[Face, ...] = ()


@dataclass(frozen=True)
class Obscured:
    """A face that was made unrecognisable.

    Attributes:
        how: in which way.
        evidence: what was measured on the bytes.
        accepting: which extractors know it all the same.

    """

    how: Fallback
    evidence: FaceEvidence
    accepting: tuple[str, ...]


@dataclass(frozen=True)
class CloakedFile:
    """A file that nobody has seen yet, and what was measured on its bytes.

    Attributes:
        encoded: the file.
        cloaked: which faces were cloaked: indices of the detections' faces.
        evidence: of these faces.
        accepting: which extractors still accept each of them.
        worn: what each of them wears.
        obscured: the faces that were made unrecognisable, by index; those out of reach come after
            the others.

    """

    encoded: exporters.Encoded
    cloaked: tuple[int, ...]
    evidence: tuple[FaceEvidence, ...]
    accepting: tuple[tuple[str, ...], ...]
    worn: tuple[FaceCloak, ...]
    obscured: Mapping[int, Obscured] = field(default_factory=dict)

    @property
    def modes(self) -> tuple[str, ...]:
        """Whose bounds each cloaked face got."""
        return tuple(one.mode.name for one in self.worn)

    @property
    def known(self) -> bool:
        """Whether an extractor knows a face that was made unrecognisable."""
        return any(one.accepting for one in self.obscured.values())

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """How well each cloaked face is cloaked."""
        pairs = zip(self.accepting, self.evidence, strict=True)
        return tuple(verdict_of(len(names), of=len(one.similarity)) for names, one in pairs)

    def held_back(self, job: Job) -> list[bool]:
        """Tell of each cloaked face whether it would hold the photo back."""
        return [one.holds_back(accept_weak=job.accept_weak) for one in self.verdicts]


@dataclass(frozen=True)
class Event:
    """Something that happens on the way of a photo, for who shows how far things are.

    Attributes:
        what: a photo was looked at, the cloak of one is begun, or a step of that was
            done; or there is something to say about the run.
        job: the photo; None: it is about all of them.
        done: optimiser steps; with "looked", faces.
        total: steps in all.
        text: what there is to say.

    """

    what: Literal["looked", "begun", "step", "remark"]
    job: Job | None = None
    done: int = 0
    total: int = 0
    text: str = ""


Tell = Callable[[Event], None]
"""Hears of what happens, in any thread."""


def settled(job: Job, phase: Callable[[], T]) -> T | Outcome:
    """Run a phase; what goes wrong in it is the photo's outcome. Only interrupts pass."""
    try:
        return phase()
    except PhotocloakError as error:
        _LOG.debug("%s failed", job.source, exc_info=True)
        outcome = failed(job, str(error), error.exit_code)
        return replace(outcome, unread=isinstance(error, UnreadError))
    except MemoryError:
        return failed(job, f"{job.source}: there is not enough memory for this photo.")
    except (BrokenExecutor, CancelledError) as error:
        what = str(error) or "was given up"
        return failed(job, f"{job.source}: the worker process that had this photo {what}.")
    except Exception as error:
        _LOG.debug("%s failed", job.source, exc_info=True)
        what = " ".join(str(error).split()) or "no message"
        return failed(job, f"{job.source}: unexpected {type(error).__name__}: {what}")


def failed(job: Job, reason: str, code: ExitCode = ExitCode.UNEXPECTED) -> Outcome:
    """Return the outcome of a photo that failed, its reason in one line."""
    return Outcome(job.source, None, Status.FAILED, " ".join(reason.split()), code=code)
