"""Step 2 of the method: the cloaks that move the features of a photo's faces to their targets."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from photocloak.engine.detection.alignment import FaceSpace, Image
from photocloak.engine.detection.landmarks import FindLandmarks
from photocloak.engine.edits.retouch import Retouch
from photocloak.engine.geometry import Array
from photocloak.engine.memory import reuse_memory
from photocloak.engine.optimisation.methods import Fawkes, Optimisation, Retouching
from photocloak.engine.recognition.ensemble import Ensemble
from photocloak.engine.subject import FaceCloak, Subject

OnStep = Callable[[int, int], None]


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
    """Cloaks the faces of a photo, one after the other, so that overlapping ones see each other.

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
            on_step: called with (steps done, steps in all).

        """
        reuse_memory()
        total = sum(subject.steps for subject in subjects)
        done, wear = 0, []
        for number, subject in enumerate(subjects):
            rng = np.random.default_rng([seed, number])
            search, put_on = self._prepared(image, subject, rng)
            worn = subject.worn
            if worn is None or subject.steps:
                steps = search()
                for _ in range(subject.steps):
                    steps.descend()
                    done += 1
                    if on_step is not None:
                        on_step(done, total)
                worn = steps.found()
            image = put_on(worn)
            wear.append(worn)
        return Cloak(image, tuple(wear))

    def _prepared(
        self, image: Image, subject: Subject, rng: np.random.Generator
    ) -> tuple[Callable[[], Optimisation], Callable[[FaceCloak], Image]]:
        """Return how a face's cloak is searched for, and how the photo comes to wear it."""
        space = FaceSpace.of(subject.face)
        if subject.mode.objective == "fawkes":
            return (
                lambda: Fawkes(self.ensemble, self.means, image, subject, rng),
                lambda worn: space.add(image, worn.parameters["delta"]),
            )
        points = self.landmarks(image, subject.face).points
        retouch = Retouch.of(image, space, points, subject.mode)
        return (
            lambda: Retouching(self.ensemble, self.means, retouch, subject, rng),
            lambda worn: retouch.render(image, worn.parameters),
        )
