"""The two functions of a photo that need the models: what is seen in it, and its cloak."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from photocloak import exporters
from photocloak.core import InputError
from photocloak.engine import seam
from photocloak.engine.cloaker import Cloaker, OnStep
from photocloak.engine.detection.alignment import Image
from photocloak.engine.detection.detector import Detector
from photocloak.engine.detection.faces import Face, alignable
from photocloak.engine.detection.landmarks import FindLandmarks
from photocloak.engine.modes import load_mode
from photocloak.engine.recognition.attributes import Attributes
from photocloak.engine.recognition.ensemble import Embeddings, Ensemble
from photocloak.engine.runtime import release_memory
from photocloak.engine.subject import Subject
from photocloak.engine.targets.library import TargetLibrary
from photocloak.engine.verify import FaceEvidence, measure
from photocloak.plugin.people.assignment import ObservedFace
from photocloak.plugin.pipeline import deadline
from photocloak.plugin.pipeline.messages import CloakedFile, CloakRequest, Detections, PhotoTask

FindAttributes = Callable[[Image, Face, Embeddings], Attributes | None]

LARGE = 30_000_000
"""Bytes of a photo from which the models give back memory before it is encoded."""


@dataclass(frozen=True)
class Engine:
    """The parts of the engine that a pipeline needs.

    Attributes:
        detector: finds the faces.
        landmarks: finds their parts.
        ensemble: the extractors.
        library: the targets to choose from.
        find_attributes: tells how a face looks, for a matched target; None where matching is off.

    """

    detector: Detector
    landmarks: FindLandmarks
    ensemble: Ensemble
    library: TargetLibrary
    find_attributes: FindAttributes


@dataclass(frozen=True)
class Opened:
    """A photo that was read.

    Attributes:
        photo: the file.
        base: the pixels to publish, not cloaked yet, (H, W, 3) uint8.
        seconds: that reading took.

    """

    photo: exporters.Photo
    base: Image
    seconds: float


def open_photo(task: PhotoTask) -> Opened:
    """Read a photo.

    Raises:
        InputError: it cannot be read, or is no longer the file that the task means.

    """
    started = time.monotonic()
    source = task.job.source
    photo = exporters.read(source)
    if sha256(photo.data) != task.file:
        raise InputError(f"{source}: changed while it was read; try again when it is complete.")
    if task.job.metadata_from is not None:
        photo = exporters.graft(photo, task.job.metadata_from)
    return Opened(photo, exporters.prepare(photo, task.policy), time.monotonic() - started)


def detect(engine: Engine, opened: Opened) -> Detections:
    """Find the faces of a photo and embed them."""
    started = time.monotonic()
    base, column = cut_open(engine.detector, opened.photo, opened.base)
    faces = engine.detector(base)
    out_of_reach = [face for face in faces if not alignable(face, base.shape)]
    return Detections(
        sha256(opened.photo.pixels.data),
        (base.shape[0], base.shape[1]),
        tuple(faces),
        () if out_of_reach else _sightings(engine, base, faces),
        tuple(out_of_reach),
        opened.seconds + time.monotonic() - started,
        column,
    )


def cloak(engine: Engine, order: CloakRequest, opened: Opened, on_step: OnStep) -> CloakedFile:
    """Cloak, encode and measure the faces that got a target.

    Where one would be held back, all of it once more: that one's cloak is gone on with within
    the bounds of the mode's next, the others keep what they wear.

    Args:
        engine: the models.
        order: what to do.
        opened: the photo.
        on_step: called with (optimiser steps done, steps in all), a second try included.

    """
    job, detections = order.task.job, order.detections
    mode = load_mode(job.mode)
    given = zip(detections.faces, order.targets, detections.observed, order.people, strict=True)
    subjects = [
        Subject(face, target, sighting.features, mode, person=person)
        for face, target, sighting, person in given
        if target is not None
    ]
    countdown = deadline.Countdown(job, faces=len(subjects), looking=detections.seconds)
    attempt = _Attempt(engine, order, opened)
    stronger = load_mode(mode.then) if mode.then else None
    first = sum(one.steps for one in subjects)
    second = 0 if stronger is None else len(subjects) * (stronger.steps // 2)

    def stepped(done: int, total: int) -> None:
        countdown(done, total)
        on_step(done, total + second)

    cloaked = attempt(subjects, stepped)
    weak = [one.holds_back(accept_weak=job.accept_weak) for one in cloaked.verdicts]
    if stronger is None or not any(weak):
        return cloaked
    again = [
        replace(one, mode=stronger if too_weak else one.mode, worn=worn)
        for one, too_weak, worn in zip(subjects, weak, cloaked.worn, strict=True)
    ]
    countdown = deadline.Countdown(job, faces=sum(weak), looking=detections.seconds)

    def stepped_again(done: int, total: int) -> None:
        countdown(done, total)
        on_step(first + done, first + total)

    return attempt(again, stepped_again)


@dataclass(frozen=True)
class _Attempt:
    """Cloaks a photo, and measures what would be written."""

    engine: Engine
    order: CloakRequest
    opened: Opened

    def __call__(self, subjects: list[Subject], on_step: OnStep) -> CloakedFile:
        ensemble, job = self.engine.ensemble, self.order.task.job
        column = self.order.detections.column
        base = seam.turned(self.opened.base, column)
        seed = job.seed
        if seed is None:
            seed = seed_of(self.order.detections.content, *(one.target.name for one in subjects))
        cloaker = Cloaker(ensemble, self.order.means, self.engine.landmarks)
        cloak = cloaker(base, subjects, seed=seed, on_step=on_step)
        if base.nbytes > LARGE:
            release_memory()
        pixels = seam.turned(cloak.pixels, -column)
        task, worn = self.order.task, cloak.worn
        encoded = exporters.encode(self.opened.photo, self.opened.base, pixels, task.policy)
        del cloak, pixels  # what was written is decoded next: of a large photo, a copy more
        evidence = self._measure(base, encoded, subjects)
        accepting = tuple(tuple(one.too_similar(ensemble)) for one in evidence)
        return CloakedFile(encoded, evidence, accepting, worn)

    def _measure(
        self, base: Image, encoded: exporters.Encoded, subjects: list[Subject]
    ) -> tuple[FaceEvidence, ...]:
        """Decode what will be written, and look at it as a stranger would."""
        detections = self.order.detections
        written = exporters.written_pixels(encoded, base.shape, self.opened.photo.name)
        if not subjects:
            return ()
        found = measure(
            base,
            seam.turned(written, detections.column),
            [one.face for one in subjects],
            [one.own for one in subjects],
            ensemble=self.engine.ensemble,
            detector=self.engine.detector,
        )
        return tuple(replace(one, box=detections.published(one.box)) for one in found)


def cut_open(detector: Detector, photo: exporters.Photo, base: Image) -> tuple[Image, int]:
    """Return a picture with no face on its edges, and its column that is the first then.

    Raises:
        InputError: faces may be cut in this 360° photo, or it has them in every column.

    """
    column = seam.cut(base, detector) if exporters.wraps(photo) else 0
    if column is None:
        raise InputError(
            f"{photo.name}: this 360° photo has faces all around, so that it cannot be cut open "
            "between them; export the view that you want as an ordinary photo."
        )
    return seam.turned(base, column), column


def _sightings(engine: Engine, base: Image, faces: list[Face]) -> tuple[ObservedFace, ...]:
    features = engine.ensemble.embed(base, faces)
    return tuple(
        ObservedFace(
            own,
            certain=face.score >= engine.detector.high,
            attributes=engine.find_attributes(base, face, own),
        )
        for face, own in zip(faces, features, strict=True)
    )


def seed_of(*parts: str) -> int:
    """Return 63 bits that depend on nothing but the parts."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def sha256(data: bytes | memoryview) -> str:
    """Return the SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
