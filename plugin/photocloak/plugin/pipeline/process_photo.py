"""The cloak of a photo, with the models; what is seen in it before is told by `looking`."""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from photocloak import exporters
from photocloak.core import UnreadError
from photocloak.core.stages import stage
from photocloak.engine import seam
from photocloak.engine.cloaker import Cloaker, OnStep
from photocloak.engine.detection.alignment import Image
from photocloak.engine.detection.detector import Detector
from photocloak.engine.detection.faces import Face
from photocloak.engine.detection.landmarks import FindLandmarks
from photocloak.engine.device.card import Card
from photocloak.engine.modes import Fallback, load_mode
from photocloak.engine.obscure import TRIES
from photocloak.engine.recognition.attributes import Attributes
from photocloak.engine.recognition.ensemble import Embeddings, Ensemble
from photocloak.engine.runtime import release_memory
from photocloak.engine.subject import Subject
from photocloak.engine.targets.library import TargetLibrary
from photocloak.engine.verify import FaceEvidence, measure
from photocloak.plugin.pipeline import deadline
from photocloak.plugin.pipeline.hiding import clean_features, cover, fallbacks, standing, ways
from photocloak.plugin.pipeline.messages import (
    CloakedFile,
    CloakRequest,
    Obscured,
    PhotoTask,
)

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
        card: takes the steps of a photo's faces together; None without a card.

    """

    detector: Detector
    landmarks: FindLandmarks
    ensemble: Ensemble
    library: TargetLibrary
    find_attributes: FindAttributes
    card: Card | None = None


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


@stage("read")
def open_photo(task: PhotoTask) -> Opened:
    """Read a photo.

    Raises:
        InputError: it cannot be read; UnreadError: it is no longer the file that the task means.

    """
    started = time.monotonic()
    source = task.job.source
    photo = exporters.read(source)
    if sha256(photo.data) != task.file:
        raise UnreadError(f"{source}: changed while it was read; try again when it is complete.")
    if task.job.metadata_from is not None:
        photo = exporters.graft(photo, task.job.metadata_from)
    return Opened(photo, exporters.prepare(photo, task.policy), time.monotonic() - started)


def cloak(engine: Engine, order: CloakRequest, opened: Opened, on_step: OnStep) -> CloakedFile:
    """Cloak, encode and measure the faces that got a target, and make others unrecognisable.

    Where one would be held back, all of it once more: that one's cloak is gone on with within
    the bounds of the mode's next, the others keep what they wear. What would be held back even
    then is made unrecognisable, if that is wished; the more so while a recogniser knows it.

    Args:
        engine: the models.
        order: what to do.
        opened: the photo.
        on_step: called with (optimiser steps done, steps in all), a second try included.

    """
    job, detections = order.task.job, order.detections
    subjects, hidden = _subjects(order), ways(order)
    modes = [one.mode for one in subjects.values()]
    countdown = deadline.Countdown(job, faces=len(subjects), looking=detections.seconds)
    attempt = _Attempt(engine, order, opened)
    stronger = [load_mode(mode.then) if mode.then else mode for mode in modes]
    harder = [now != then for now, then in zip(modes, stronger, strict=True)]
    first = sum(one.steps for one in subjects.values())
    second = sum(mode.steps // 2 for mode, more in zip(stronger, harder, strict=True) if more)

    def stepped(done: int, total: int) -> None:
        countdown(done, total)
        on_step(done, total + second)

    cloaked = attempt(subjects, hidden, stepped)
    weak = [now and more for now, more in zip(cloaked.held_back(job), harder, strict=True)]
    if any(weak):
        for index, worn, then, too_weak in zip(
            cloaked.cloaked, cloaked.worn, stronger, weak, strict=True
        ):
            one = subjects[index]
            subjects[index] = replace(one, mode=then if too_weak else one.mode, worn=worn)
        countdown = deadline.Countdown(job, faces=sum(weak), looking=detections.seconds)

        def stepped_again(done: int, total: int) -> None:
            countdown(done, total)
            on_step(first + done, first + total)

        cloaked = attempt(subjects, hidden, stepped_again)
    held = zip(cloaked.cloaked, cloaked.held_back(job), strict=True)
    still = [index for index, one in held if one]
    given_up = {index: how for index, how in fallbacks(order).items() if index in still}
    if not given_up and not cloaked.known:
        return cloaked
    rest = {
        index: replace(subjects[index], worn=worn)
        for index, worn in zip(cloaked.cloaked, cloaked.worn, strict=True)
        if index not in given_up
    }
    for tried in range(0 if given_up else 1, TRIES):
        cloaked = attempt(rest, hidden | given_up, lambda *_: None, tried=tried)
        if not cloaked.known:
            break
    return cloaked


def _subjects(order: CloakRequest) -> dict[int, Subject]:
    """Return the faces to cloak by index."""
    given = zip(order.detections.faces, order.faces, order.detections.observed, strict=True)
    return {
        index: Subject(face, one.target, seen.features, load_mode(one.mode), person=one.person)
        for index, (face, one, seen) in enumerate(given)
        if one is not None and one.target is not None
    }


@dataclass(frozen=True)
class _Attempt:
    """Cloaks a photo, and measures what would be written."""

    engine: Engine
    order: CloakRequest
    opened: Opened

    def __call__(
        self,
        subjects: Mapping[int, Subject],
        hidden: Mapping[int, Fallback],
        on_step: OnStep,
        *,
        tried: int = 0,
    ) -> CloakedFile:
        ensemble, job, task = self.engine.ensemble, self.order.task.job, self.order.task
        detections = self.order.detections
        base, worn_by = seam.turned(self.opened.base, detections.column), [*subjects.values()]
        seed = job.seed
        if seed is None:
            seed = seed_of(detections.content, *(one.target.name for one in worn_by))
        engine = self.engine
        cloaker = Cloaker(ensemble, self.order.means, engine.landmarks, engine.card)
        covered = cover(base, detections, hidden, self.engine.landmarks, tried=tried)
        with stage("cloak"):
            cloak = cloaker(covered, worn_by, seed=seed, on_step=on_step)
        if base.nbytes > LARGE:
            release_memory()
        pixels, worn = seam.turned(cloak.pixels, -detections.column), cloak.worn
        with stage("encode"):
            encoded = exporters.encode(self.opened.photo, self.opened.base, pixels, task.policy)
        del cloak, covered, pixels  # what was written is decoded next: of a large photo, a copy
        cloaked = [detections.faces[index] for index in subjects]
        clean = [one.own for one in worn_by]
        concealed = [standing(detections, index) for index in hidden]
        clean += clean_features(ensemble, base, detections, hidden)
        evidence = self._measure(base, encoded, cloaked + concealed, clean)
        accepting = tuple(tuple(one.too_similar(ensemble)) for one in evidence)
        count = len(worn_by)
        return CloakedFile(
            encoded,
            tuple(subjects),
            evidence[:count],
            accepting[:count],
            worn,
            {
                index: Obscured(how, one, names)
                for (index, how), one, names in zip(
                    hidden.items(), evidence[count:], accepting[count:], strict=True
                )
            },
        )

    def _measure(
        self,
        base: Image,
        encoded: exporters.Encoded,
        faces: Sequence[Face],
        clean: Sequence[Embeddings],
    ) -> tuple[FaceEvidence, ...]:
        """Decode what will be written, and look at it as a stranger would."""
        detections = self.order.detections
        with stage("decode"):
            written = exporters.written_pixels(encoded, base.shape, self.opened.photo.name)
        if not faces:
            return ()
        with stage("verify"):
            found = measure(
                base,
                seam.turned(written, detections.column),
                faces,
                clean,
                ensemble=self.engine.ensemble,
                detector=self.engine.detector,
            )
        return tuple(
            replace(one, box=detections.published(face))
            for one, face in zip(found, faces, strict=True)
        )


def seed_of(*parts: str) -> int:
    """Return 63 bits that depend on nothing but the parts."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def sha256(data: bytes | memoryview) -> str:
    """Return the SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
