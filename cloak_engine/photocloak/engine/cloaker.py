"""Step 2 of the method: the cloak δ that moves a face's features towards its target.

Eq. 2 of the paper: minimise Dist(Φ(x_T), Φ(x ⊕ δ)) subject to |δ| < ρ, |δ| in DSSIM. The default
objective adds what is known to transfer: centred features, a penalty on what is left of the
user's own identity, random views, and a bound on colour.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from photocloak.engine.budget import Dssim
from photocloak.engine.descent import Adam, BudgetDescent, Descent
from photocloak.engine.ensemble import Embeddings, Ensemble, direction
from photocloak.engine.extractors import Extractor, Objective
from photocloak.engine.faces import Face
from photocloak.engine.geometry import Array, Separable
from photocloak.engine.modes import Mode
from photocloak.engine.space import FaceSpace, Image
from photocloak.engine.targets import Target
from photocloak.engine.views import degrade, plain, realign, unchanged

YCBCR = np.array(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32
)
"""Luma and chroma of RGB (ITU-T T.871, JFIF)."""
RGB = np.linalg.inv(YCBCR).astype(np.float32)

GRAY = 6.0
"""Grey levels by which a black-and-white photo's channels may differ, after JPEG."""

PAST = 0.15
"""Cosine by which features shall be on the far side of "nothing in common with the person"."""

TURNS = 2
"""Steps until every extractor has had its say; with three, one left out fails less often."""

OnStep = Callable[[int, int], None]


@dataclass(frozen=True)
class Worn:
    """What one face wears.

    Attributes:
        delta: δ on the face space's grid, (3, g, g) float32, grey levels.
        dssim: what it costs, before rounding, on the 224-px crop.

    """

    delta: Array = field(repr=False)
    dssim: float


@dataclass(frozen=True)
class Subject:
    """A face to cloak, whom it shall be taken for, and who it is.

    Attributes:
        face: as detected.
        target: the person's target class T.
        own: the clean face's features, raw, by extractor.
        mode: budget and effort.
        worn: the cloak that it has already; None: one is to be found.
        person: the mean of such features over photos of the person; `own` stands in for an
            extractor that it lacks.

    """

    face: Face
    target: Target
    own: Embeddings
    mode: Mode
    worn: Worn | None = None
    person: Embeddings = field(default_factory=dict)

    def identity(self, extractor: str, centre: Array) -> Array:
        """Return what must not be left of the person: a unit vector (D,), seen from the centre.

        Half of the way between this photo and the person. A recogniser that learns from cloaked
        photos is asked about others, so what they share counts; and one that is shown the clean
        photo itself shall not find it.
        """
        own = direction(self.own[extractor], centre)
        if extractor not in self.person:
            return own
        both = own + direction(self.person[extractor], centre)
        return direction(both, np.zeros_like(both))


@dataclass(frozen=True)
class Cloak:
    """A cloaked photo.

    Attributes:
        pixels: (H, W, 3) uint8, equal to the source outside the faces' squares.
        worn: by each of the faces.

    """

    pixels: Image
    worn: tuple[Worn, ...]


@dataclass(frozen=True)
class Cloaker:
    """Cloaks the faces of a photo, one after the other, so that overlapping ones see each other.

    Attributes:
        ensemble: the surrogates.
        means: μ by extractor, the centre of the features of many people.

    """

    ensemble: Ensemble
    means: Mapping[str, Array]

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
        total = sum(subject.mode.steps for subject in subjects if subject.worn is None)
        done, wear = 0, []
        for number, subject in enumerate(subjects):
            space, worn = FaceSpace.of(subject.face), subject.worn
            if worn is None:
                rng = np.random.default_rng([seed, number])
                problem = _Problem(self, image, space, subject, rng)
                for _ in range(subject.mode.steps):
                    problem.descend()
                    done += 1
                    if on_step is not None:
                        on_step(done, total)
                worn = problem.within_budget()
            image = space.add(image, worn.delta)
            wear.append(worn)
        return Cloak(image, tuple(wear))


class _Problem:
    """The optimisation of one face's δ on its grid, kept within the budget."""

    def __init__(
        self,
        cloaker: Cloaker,
        image: Image,
        space: FaceSpace,
        subject: Subject,
        rng: np.random.Generator,
    ) -> None:
        self._cloaker, self._mode = cloaker, subject.mode
        self._crop, self._rng = space.crop(image), rng
        refine = space.refine()
        self._refine = Separable(refine, refine)
        self._dssim = Dssim(self._crop)
        grid = space.grid
        # Nothing beyond the photo's edge: it would cost budget and be seen by nobody.
        self._window = _fade(grid) * space.inside(image.shape)
        self._gray = bool(np.quantile(np.ptp(self._crop, axis=0), 0.99) < GRAY)
        self._objectives = self._aim(subject)
        self._delta = rng.normal(0.0, 0.5, (3, grid, grid)).astype(np.float32)
        self._change = self._refine(self._worn())  # δ as seen in the face space
        self._descent = self._plan()
        self._steps = 0

    def _worn(self) -> Array:
        """Return δ as the photo wears it: faded out at the border, gray on a gray photo."""
        change = self._delta * self._window
        return np.repeat(change.mean(axis=0, keepdims=True), 3, axis=0) if self._gray else change

    def _plan(self) -> Descent:
        """Return the descent that the mode's objective is followed with."""
        if self._mode.objective == "fawkes":
            return Adam(self._mode.rate)
        sensitivity = self._refine.pullback(self._dssim.sensitivity())
        return BudgetDescent(sensitivity, rate=self._mode.rate, steps=self._mode.steps)

    def _aim(self, subject: Subject) -> dict[str, Objective]:
        """Build each extractor's objective for this face."""
        fawkes = self._mode.objective == "fawkes"
        objectives = {}
        for name in self._cloaker.ensemble.extractors:
            centre = self._cloaker.means[name]
            members = subject.target.members[name]
            drawn = members[self._rng.integers(len(members))]
            spread = float(np.linalg.norm(members - centre, axis=1).mean())
            weights = (1.0 / spread, 0.0, 0.0) if fawkes else (0.0, 1.0, self._mode.own)
            objectives[name] = Objective(
                centre=centre,
                target=drawn[None],
                toward=direction(subject.target.centroid[name], centre)[None],
                own=subject.identity(name, centre)[None],
                weights=np.asarray([weights], np.float32),
                margin=-PAST,
            )
        return objectives

    def descend(self) -> None:
        """Do one step: a view, a run of each extractor, a step of the descent, the projection."""
        crop = np.clip(self._crop + self._change, 0, 255)
        gradient = self._refine.pullback(self._features(crop) + self._penalty(crop))
        gradient *= self._window
        if self._gray:
            gradient[:] = gradient.mean(axis=0)
        self._delta += self._descent(gradient)
        np.clip(self._delta, -self._mode.linf, self._mode.linf, out=self._delta)
        if self._mode.objective == "cloak":
            self._delta = _pale(self._delta, self._mode.chroma)
        self._change = self._refine(self._worn())
        if self._mode.objective == "cloak":
            factor = self._shrinkage()
            self._delta *= factor
            self._change *= factor

    def _features(self, crop: Array) -> Array:
        """Return the gradient of the extractors' losses with respect to the crop."""
        extractors = self._turn()
        if self._mode.objective == "fawkes":
            view = unchanged()
            chips = {name: plain(extractor.spec) for name, extractor in extractors.items()}
        else:
            view = degrade(self._rng)
            chips = {name: realign(self._rng, e.spec) for name, e in extractors.items()}

        def pull(name: str) -> Array:
            look = chips[name]().after(view)
            step = extractors[name].step(look(crop)[None], self._objectives[name])
            return look.pullback(step.gradient[0])

        # One core each: two recognisers side by side beat one recogniser on two cores.
        pulls = list(self._cloaker.ensemble.pool.map(pull, extractors))
        return np.asarray(np.sum(pulls, axis=0), np.float32)

    def _turn(self) -> dict[str, Extractor]:
        """Return who has a say in this step: each extractor in every `TURNS`-th, by turns.

        Momentum carries the others' say over, so more steps come for the same time; the paper's
        objective has all in each.
        """
        everyone = self._cloaker.ensemble.extractors
        turns = min(TURNS, len(everyone))
        if self._mode.objective == "fawkes" or turns == 1:
            return dict(everyone)
        self._steps += 1
        return {name: everyone[name] for name in sorted(everyone)[self._steps % turns :: turns]}

    def _penalty(self, crop: Array) -> Array | float:
        """Return the gradient of the published code's λ · max(DSSIM − ρ, 0)²."""
        if self._mode.objective != "fawkes":
            return 0.0
        cost, gradient = self._dssim.gradient(crop)
        return gradient * np.float32(2e6 * max(cost - self._mode.rho, 0.0))

    def _cost(self, factor: float) -> float:
        """Return the DSSIM of so much of δ."""
        change = self._change * np.float32(factor)
        return self._dssim.measure(np.clip(self._crop + change, 0, 255))

    def _shrinkage(self) -> np.float32:
        """Return the factor that takes δ back to ρ, by DSSIM's near-quadratic growth."""
        return np.float32(min(1.0, np.sqrt(self._mode.rho / max(self._cost(1.0), 1e-12))))

    def within_budget(self) -> Worn:
        """Return δ with DSSIM ≤ ρ."""
        low, high = 0.0, 1.0
        if self._cost(1.0) > self._mode.rho:
            for _ in range(12):
                middle = (low + high) / 2
                if self._cost(middle) <= self._mode.rho:
                    low = middle
                else:
                    high = middle
        else:
            low = 1.0
        return Worn(self._worn() * np.float32(low), self._cost(low))


def _pale(delta: Array, chroma: float) -> Array:
    """Return δ, (3, g, g), with |Cb| and |Cr| of at most `chroma` and the same luma.

    A bound, not a price: a price on the mean leaves little colour, all of it in one place, where it
    is seen as a stain.
    """
    planes = np.tensordot(YCBCR, delta, 1)
    np.clip(planes[1:], -chroma, chroma, out=planes[1:])
    return np.asarray(np.tensordot(RGB, planes, 1), np.float32)


def _fade(grid: int) -> Array:
    """Return the window that lets δ fade out at the square's border, (grid, grid)."""
    edge = np.clip(np.minimum(np.arange(grid), np.arange(grid)[::-1]) / (0.1 * grid), 0, 1)
    ramp = 0.5 - 0.5 * np.cos(np.pi * edge)
    return np.outer(ramp, ramp).astype(np.float32)
