"""What passes between the phases of one photo: detect, assign, cloak, publish.

`detect` and `cloak` are a worker's (`worker.py`), assigning and publishing the coordinator's
(`decisions.py`). Everything here can be pickled, so that the two may be different processes. No
pixels pass: of a photo that waits for its turn only what was seen in it is kept.
"""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import BrokenExecutor, CancelledError
from dataclasses import dataclass
from typing import Literal, TypeVar

from photocloak import exporters
from photocloak.core import ExitCode, PhotocloakError
from photocloak.engine.detection.faces import Face
from photocloak.engine.geometry import Array
from photocloak.engine.recognition.ensemble import Embeddings
from photocloak.engine.seam import Box, box_as_published
from photocloak.engine.subject import FaceCloak
from photocloak.engine.targets.library import Target
from photocloak.engine.verdict import Verdict, verdict_of
from photocloak.engine.verify import FaceEvidence
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
        settings: tells how it is to be done, see `decisions.settings_of`.

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
        faces: in that picture, largest first.
        observed: the faces as the people store sees them; none where one is out of reach.
        out_of_reach: the faces that cannot be aligned, so not be cloaked.
        seconds: that it took.
        column: of the picture that was the first as it was looked at, see `engine.seam`; 0 but
            for a 360° photo with a face on its edges.

    """

    content: str
    shape: tuple[int, int]
    faces: tuple[Face, ...]
    observed: tuple[ObservedFace, ...]
    out_of_reach: tuple[Face, ...]
    seconds: float
    column: int = 0

    def published(self, box: Box) -> Box:
        """Return where a box of the picture as it was looked at lies in the published one."""
        return box_as_published(box, self.column, self.shape[1])


@dataclass(frozen=True)
class CloakRequest:
    """A photo to cloak.

    Attributes:
        task: the photo.
        detections: what was seen in it.
        targets: for whom each face shall be taken; None leaves it alone.
        people: what is known of each face's person, see `Assignment.reference`.
        means: the centre of each extractor's features, (D,) float32 by name.

    """

    task: PhotoTask
    detections: Detections
    targets: tuple[Target | None, ...]
    people: tuple[Embeddings, ...]
    means: Mapping[str, Array]


@dataclass(frozen=True)
class CloakPlan:
    """What the coordinator decided: the worker's order, and who is who, which it keeps."""

    order: CloakRequest
    assigned: tuple[Assignment, ...]


@dataclass(frozen=True)
class CloakedFile:
    """A file that nobody has seen yet, and what was measured on its bytes.

    Attributes:
        encoded: the file.
        evidence: of the cloaked faces, in their order.
        accepting: which extractors still accept each of them.
        worn: what each of them wears.

    """

    encoded: exporters.Encoded
    evidence: tuple[FaceEvidence, ...]
    accepting: tuple[tuple[str, ...], ...]
    worn: tuple[FaceCloak, ...]

    @property
    def modes(self) -> tuple[str, ...]:
        """Whose bounds each face got."""
        return tuple(one.mode.name for one in self.worn)

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """How well each of them is cloaked."""
        pairs = zip(self.accepting, self.evidence, strict=True)
        return tuple(verdict_of(len(names), of=len(one.similarity)) for names, one in pairs)


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
        return failed(job, str(error), error.exit_code)
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
