"""One photo on its way through the engine: looked at, cloaked, encoded, measured."""

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
class PhotoProcess:
    """One photo on its way through the engine.

    Attributes:
        engine: the models.
        task: which photo, and what may be written.
        photo: what was read.
        base: the pixels to publish, not cloaked yet, (H, W, 3) uint8; cut open at
            `detections.column`.
        detections: what was seen in `base`.

    """

    engine: Engine
    task: PhotoTask
    photo: exporters.Photo
    base: Image
    detections: Detections

    @classmethod
    def detect(cls, engine: Engine, task: PhotoTask) -> "PhotoProcess":
        """Read a photo, find its faces and embed them.

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
        base, column = cut_open(engine.detector, photo, exporters.prepare(photo, task.policy))
        faces = engine.detector(base)
        out_of_reach = [face for face in faces if not alignable(face, base.shape)]
        detections = Detections(
            sha256(photo.pixels.data),
            (base.shape[0], base.shape[1]),
            tuple(faces),
            () if out_of_reach else _sightings(engine, base, faces),
            tuple(out_of_reach),
            time.monotonic() - started,
            column,
        )
        return cls(engine, task, photo, base, detections)

    def cloak(self, order: CloakRequest, on_step: OnStep | None) -> CloakedFile:
        """Cloak, encode and measure the faces that got a target.

        Where one comes out too weak, all of it once more: that one's cloak is gone on with within
        the bounds of the mode's next, the others keep what they wear.
        """
        mode, detections = load_mode(order.task.job.mode), order.detections
        given = zip(detections.faces, order.targets, detections.observed, order.people, strict=True)
        subjects = [
            Subject(face, target, sighting.features, mode, person=person)
            for face, target, sighting, person in given
            if target is not None
        ]
        cloaked = self._cloaked(order, subjects, on_step)
        weak = cloaked.weak(mode)
        if not any(weak) or not mode.then:
            return cloaked
        stronger = load_mode(mode.then)
        again = [
            replace(one, mode=stronger if too_weak else one.mode, worn=cloak)
            for one, too_weak, cloak in zip(subjects, weak, cloaked.worn, strict=True)
        ]
        return self._cloaked(order, again, on_step)

    def _cloaked(
        self, order: CloakRequest, subjects: list[Subject], on_step: OnStep | None
    ) -> CloakedFile:
        ensemble, job = self.engine.ensemble, order.task.job
        todo = sum(one.steps > 0 for one in subjects)
        countdown = deadline.Countdown(job, faces=todo, looking=order.detections.seconds)

        def stepped(done: int, total: int) -> None:
            countdown(done, total)
            if on_step is not None:
                on_step(done, total)

        seed = job.seed
        if seed is None:
            seed = seed_of(order.detections.content, *(one.target.name for one in subjects))
        cloaker = Cloaker(ensemble, order.means, self.engine.landmarks)
        cloak = cloaker(self.base, subjects, seed=seed, on_step=stepped)
        if self.base.nbytes > LARGE:
            release_memory()
        base, pixels = (
            seam.turned(one, -self.detections.column) for one in (self.base, cloak.pixels)
        )
        encoded = exporters.encode(self.photo, base, pixels, self.task.policy)
        worn = cloak.worn
        del cloak, base, pixels  # what was written is decoded next: of a large photo, a copy more
        evidence = self._measure(encoded, subjects)
        accepting = tuple(tuple(one.too_similar(ensemble)) for one in evidence)
        return CloakedFile(encoded, evidence, accepting, worn)

    def _measure(
        self, encoded: exporters.Encoded, subjects: list[Subject]
    ) -> tuple[FaceEvidence, ...]:
        """Decode what will be written, and look at it as a stranger would."""
        written = exporters.written_pixels(encoded, self.base.shape, self.photo.name)
        if not subjects:
            return ()
        found = measure(
            self.base,
            seam.turned(written, self.detections.column),
            [one.face for one in subjects],
            [one.own for one in subjects],
            ensemble=self.engine.ensemble,
            detector=self.engine.detector,
        )
        published = self.detections.published
        return tuple(replace(one, box=published(one.box)) for one in found)


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
