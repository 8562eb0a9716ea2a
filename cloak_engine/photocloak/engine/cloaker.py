"""Step 2 of the method: the cloaks that move the features of a photo's faces to their targets."""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from threading import Lock

import numpy as np

from photocloak.core.stages import stage
from photocloak.engine.detection.alignment import FaceSpace, Image
from photocloak.engine.detection.landmarks import FindLandmarks
from photocloak.engine.edits.retouch import Retouch
from photocloak.engine.geometry import Array
from photocloak.engine.memory import reuse_memory
from photocloak.engine.optimisation.methods import Fawkes, Optimisation, Retouching
from photocloak.engine.recognition.ensemble import Ensemble
from photocloak.engine.subject import FaceCloak, Subject

OnStep = Callable[[int, int], None]

_GROUP = 8
"""Faces of a group at most: what is prepared for each, some megabytes, is kept until it is worn."""

_AROUND = 0.25
"""Of a face's square, beyond it on either side: so far the photo counts for its cloak."""


@dataclass(frozen=True)
class Cloak:
    """A cloaked photo.

    Attributes:
        pixels: (H, W, 3) uint8, equal to the source outside the faces' ovals.
        worn: by each of the faces.

    """

    pixels: Image
    worn: tuple[FaceCloak, ...]


@dataclass(frozen=True)
class Cloaker:
    """Cloaks the faces of a photo; of those that overlap, the later ones see the earlier ones.

    Faces apart from each other are cloaked side by side, which comes to the same.

    Attributes:
        ensemble: the surrogates.
        means: μ by extractor, the centre of the features of many people.
        landmarks: finds the parts of a face.

    """

    ensemble: Ensemble
    means: Mapping[str, Array]
    landmarks: FindLandmarks

    def __call__(
        self,
        image: Image,
        subjects: Sequence[Subject],
        *,
        seed: int,
        on_step: OnStep | None = None,
    ) -> Cloak:
        """Return the cloaked photo.

        Args:
            image: (H, W, 3) uint8 sRGB, upright.
            subjects: the faces; none leaves the photo as it is.
            seed: the same image, subjects and seed give the same pixels.
            on_step: called with (steps done, steps in all), in any thread, by one at a time.

        """
        reuse_memory()
        stepped = _counted(sum(subject.steps for subject in subjects), on_step)
        worn: dict[int, FaceCloak] = {}
        with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
            for apart in _apart(subjects):
                wears = partial(self._wears, image, subjects, seed, stepped)
                found = list(threads.map(wears, apart))
                for number, (one, put_on) in zip(apart, found, strict=True):
                    with stage("render"):
                        image = put_on(image)
                    worn[number] = one
        return Cloak(image, tuple(worn[number] for number in range(len(subjects))))

    def _wears(
        self,
        image: Image,
        subjects: Sequence[Subject],
        seed: int,
        stepped: Callable[[], None],
        number: int,
    ) -> tuple[FaceCloak, Callable[[Image], Image]]:
        """Return the cloak of one of the faces, and how a photo comes to wear it."""
        subject = subjects[number]
        search, put_on = self._prepared(image, subject, np.random.default_rng([seed, number]))
        worn = subject.worn
        if worn is None or subject.steps:
            steps = search()
            for _ in range(subject.steps):
                steps.descend()
                stepped()
            worn = steps.found()
        return worn, partial(put_on, worn)

    def _prepared(
        self, image: Image, subject: Subject, rng: np.random.Generator
    ) -> tuple[Callable[[], Optimisation], Callable[[FaceCloak, Image], Image]]:
        """Return how a face's cloak is searched for, and how the photo comes to wear it."""
        space = FaceSpace.of(subject.face)
        if subject.mode.objective == "fawkes":
            return (
                lambda: Fawkes(self.ensemble, self.means, image, subject, rng),
                lambda worn, photo: space.add(photo, worn.parameters["delta"]),
            )
        points = self.landmarks(image, subject.face).points
        retouch = Retouch.of(image, space, points, subject.mode)
        return (
            lambda: Retouching(self.ensemble, self.means, retouch, subject, rng),
            lambda worn, photo: retouch.render(photo, worn.parameters),
        )


def _counted(total: int, on_step: OnStep | None) -> Callable[[], None]:
    """Return what is to be called after each step, in any thread."""
    lock, done = Lock(), 0

    def stepped() -> None:
        nonlocal done
        with lock:
            done += 1
            if on_step is not None:
                on_step(done, total)

    return stepped


def _apart(subjects: Sequence[Subject]) -> list[list[int]]:
    """Return the faces in groups of which each is cloaked at once, one group after the other.

    A face is in the first group with room behind those of faces before it that it overlaps.
    """
    groups: list[list[int]] = []
    areas = [FaceSpace.of(one.face).box(_AROUND) for one in subjects]
    for number, area in enumerate(areas):
        last = max(
            (i for i, group in enumerate(groups) if any(_meet(area, areas[j]) for j in group)),
            default=-1,
        )
        room = (i for i in range(last + 1, len(groups)) if len(groups[i]) < _GROUP)
        at = next(room, len(groups))
        if at == len(groups):
            groups.append([])
        groups[at].append(number)
    return groups


def _meet(one: tuple[Array, Array], other: tuple[Array, Array]) -> bool:
    """Tell whether two boxes, low and high corner each, overlap."""
    return bool((one[0] < other[1]).all() and (other[0] < one[1]).all())
