"""Photos that are looked at together, and what is known of each on its way."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from photocloak.plugin.pipeline.job import Job, Outcome
from photocloak.plugin.pipeline.messages import Detections, Event, PhotoTask, Tell


def nobody(event: Event) -> None:
    """Hears nothing."""


@dataclass(eq=False)
class PhotoInHand:
    """A job on its way."""

    job: Job
    tell: Tell
    future: Future[Outcome] = field(default_factory=Future)
    task: PhotoTask | None = None
    detections: Detections | Outcome | None = None
    spent: float = 0.0  # seconds of work
    since: float = 0.0  # when it was taken up, for as long as it is in hand


@dataclass(eq=False)
class Batch:
    """Photos that are looked at together.

    Attributes:
        new: those that were not accepted yet.
        accept: makes a task of a photo, or says what comes of it; None: there is nothing to see.
        done: called, once it is known who is in them, with those that have no outcome.
        tell: hears of what there is to say.
        accepted: those to work on.
        contents: of these, by which a copy is known.
        to_look: of these, those to look at; copies are looked at when it is clear that they must.
        looking: those that are being looked at.

    """

    new: deque[PhotoInHand]
    accept: Callable[[Job], PhotoTask | Outcome | None]
    done: Callable[[list[PhotoInHand]], None]
    tell: Tell
    accepted: list[PhotoInHand] = field(default_factory=list)
    contents: set[tuple[str, str] | None] = field(default_factory=set)
    to_look: deque[PhotoInHand] = field(default_factory=deque)
    looking: set[PhotoInHand] = field(default_factory=set)


def name_of(photo: PhotoInHand) -> tuple[Path, str]:
    """Return where the result goes, but for a suffix that is not known yet."""
    return photo.job.folder, photo.job.source.stem


def content_of(photo: PhotoInHand) -> tuple[str, str] | None:
    """Return what a copy has in common with a photo; None: there was no file to read."""
    task = photo.task
    return None if task is None or task.file is None else (task.file, task.settings)


def key_of(photo: PhotoInHand) -> tuple[Path, str | None]:
    """Return what tells a photo that was looked at when it is submitted."""
    return photo.job.source, None if photo.task is None else photo.task.file
