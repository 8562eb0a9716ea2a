"""Step 2 of the method: the cloaks that move the features of a photo's faces to their targets."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from threading import Lock

import numpy as np

from photocloak.core.cores import cores
from photocloak.core.stages import stage
from photocloak.engine.detection.alignment import FaceSpace, Image
from photocloak.engine.detection.landmarks import FindLandmarks
from photocloak.engine.device.card import GROUP as CARD_GROUP
from photocloak.engine.device.card import Card
from photocloak.engine.edits.retouch import Retouch
from photocloak.engine.geometry import Array
from photocloak.engine.memory import reuse_memory
from photocloak.engine.optimisation.methods import Fawkes, Optimisation, Retouching
from photocloak.engine.recognition.ensemble import Ensemble
from photocloak.engine.subject import FaceCloak, Subject

OnStep = Callable[[int, int], None]

_GROUP = 8
"""Faces of a group at most: what is prepared for each, some megabytes, is kept until it is worn.

With a card it is the card's `GROUP`.
"""

_AROUND = 0.25
"""Of a face's square, beyond it on either side: so far the photo counts for its cloak."""


_Worn = tuple[FaceCloak, Callable[[Image], Image]]
"""What a face wears, and how a photo comes to wear it."""


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
        card: takes the steps of many faces at once; None: each face takes its own, on the CPU.

    """

    ensemble: Ensemble
    means: Mapping[str, Array]
    landmarks: FindLandmarks
    card: Card | None = None

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
        group = _GROUP if self.card is None else CARD_GROUP
        with ThreadPoolExecutor(len(cores())) as threads:
            for apart in _apart(subjects, group):
                prepare = partial(self._prepared, image, subjects, seed)
                found = self._found(threads, prepare, apart, stepped)
                for number, (one, put_on) in zip(apart, found, strict=True):
                    with stage("render"):
                        image = put_on(image)
                    worn[number] = one
        return Cloak(image, tuple(worn[number] for number in range(len(subjects))))

    def _found(
        self,
        threads: ThreadPoolExecutor,
        prepare: Callable[[int], "_Prepared"],
        apart: Sequence[int],
        stepped: Callable[[], None],
    ) -> list[_Worn]:
        """Return what each of the faces of a group wears."""
        if self.card is None:
            return list(threads.map(lambda number: prepare(number).found(stepped), apart))
        ready = list(threads.map(prepare, apart))
        searches = (one.search for one in ready)
        self.card.descend([one for one in searches if isinstance(one, Retouching)], stepped)
        return list(threads.map(lambda one: one.found(stepped), ready))

    def _prepared(
        self, image: Image, subjects: Sequence[Subject], seed: int, number: int
    ) -> "_Prepared":
        """Prepare the search for one face's cloak, and how the photo comes to wear it."""
        subject, rng = subjects[number], np.random.default_rng([seed, number])
        space = FaceSpace.of(subject.face)
        search: Optimisation | None = None
        searches = subject.worn is None or subject.steps > 0
        if subject.mode.objective == "fawkes":
            if searches:
                search = Fawkes(self.ensemble, self.means, image, subject, rng)
            return _Prepared(
                subject, search, lambda worn, photo: space.add(photo, worn.parameters["delta"])
            )
        points = self.landmarks(image, subject.face).points
        retouch = Retouch.of(image, space, points, subject.mode)
        if searches:
            search = Retouching(self.ensemble, self.means, retouch, subject, rng)
        return _Prepared(
            subject, search, lambda worn, photo: retouch.render(photo, worn.parameters)
        )


@dataclass(frozen=True)
class _Prepared:
    """A face that is about to be cloaked.

    Attributes:
        subject: the face.
        search: for its cloak, None where it has the right one already.
        put_on: gives a photo that wears a cloak.

    """

    subject: Subject
    search: Optimisation | None
    put_on: Callable[[FaceCloak, Image], Image]

    def found(self, stepped: Callable[[], None]) -> _Worn:
        """Do the steps that are left; return the cloak, and how a photo comes to wear it."""
        worn = self.subject.worn
        if self.search is not None:
            while self.search.left:
                self.search.descend()
                stepped()
            worn = self.search.found()
        assert worn is not None
        return worn, partial(self.put_on, worn)


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


def _apart(subjects: Sequence[Subject], most: int) -> list[list[int]]:
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
        room = (i for i in range(last + 1, len(groups)) if len(groups[i]) < most)
        at = next(room, len(groups))
        if at == len(groups):
            groups.append([])
        groups[at].append(number)
    return groups


def _meet(one: tuple[Array, Array], other: tuple[Array, Array]) -> bool:
    """Tell whether two boxes, low and high corner each, overlap."""
    return bool((one[0] < other[1]).all() and (other[0] < one[1]).all())
