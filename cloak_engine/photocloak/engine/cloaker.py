"""Step 2 of the method: the cloak δ that moves a face's features towards its target.

Eq. 2 of the paper: minimise Dist(Φ(x_T), Φ(x ⊕ δ)) subject to |δ| < ρ, |δ| in DSSIM. The default
objective adds what is known to transfer: centred features, a penalty on what is left of the
user's own identity, random views, and a price on colour.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from photocloak.engine.budget import Dssim
from photocloak.engine.descent import Adam, BudgetDescent, Descent
from photocloak.engine.ensemble import Embeddings, Ensemble, cosine, direction
from photocloak.engine.extractors import Objective
from photocloak.engine.faces import Face
from photocloak.engine.geometry import Array, Separable
from photocloak.engine.modes import Mode
from photocloak.engine.space import FaceSpace, Image
from photocloak.engine.targets import Target
from photocloak.engine.views import Jitter, degrade, plain, realign

CBCR = np.array([[-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32)
"""Chroma of RGB (ITU-T T.871, JFIF)."""

GRAY = 6.0
"""Grey levels by which a black-and-white photo's channels may differ, after JPEG."""

OnStep = Callable[[int, int], None]


@dataclass(frozen=True)
class Subject:
    """A face to cloak, whom it shall be taken for, and who it is.

    Attributes:
        face: as detected.
        target: the person's target class T.
        own: the clean face's features, raw, by extractor.

    """

    face: Face
    target: Target
    own: Embeddings


@dataclass(frozen=True)
class Cloak:
    """A cloaked photo.

    Attributes:
        pixels: (H, W, 3) uint8, equal to the source outside the faces' squares.
        dssim: what each face's cloak costs, before rounding, on the 224-px crop.

    """

    pixels: Image
    dssim: tuple[float, ...]


@dataclass(frozen=True)
class Cloaker:
    """Cloaks the faces of a photo, one after the other, so that overlapping ones see each other.

    Attributes:
        ensemble: the surrogates.
        means: μ by extractor, the centre of the features of many people.
        mode: budget and effort.
        jitter: how far the random views stray.

    """

    ensemble: Ensemble
    means: Mapping[str, Array]
    mode: Mode
    jitter: Jitter = field(default_factory=Jitter)

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
            on_step: called with (steps done, steps at most).

        """
        limit = self.mode.steps * self.mode.rounds
        costs = []
        for number, subject in enumerate(subjects):
            space = FaceSpace.of(subject.face)
            rng = np.random.default_rng([seed, number])
            problem = _Problem(self, space.crop(image), space, subject, rng)
            for step in range(limit):
                if step % self.mode.steps == 0:
                    problem.start_round(step)
                if step >= self.mode.steps and not problem.weak():
                    break
                problem.descend()
                if on_step is not None:
                    on_step(number * limit + step + 1, len(subjects) * limit)
            delta, cost = problem.within_budget()
            image = space.add(image, delta)
            costs.append(cost)
        return Cloak(image, tuple(costs))


class _Problem:
    """The optimisation of one face's δ on its grid, kept within the budget."""

    def __init__(
        self,
        cloaker: Cloaker,
        crop: Array,
        space: FaceSpace,
        subject: Subject,
        rng: np.random.Generator,
    ) -> None:
        self._cloaker, self._mode = cloaker, cloaker.mode
        self._crop, self._rng = crop, rng
        refine = space.refine()
        self._refine = Separable(refine, refine)
        self._dssim = Dssim(crop)
        grid = space.grid
        self._window = _fade(grid)
        self._gray = bool(np.quantile(np.ptp(crop, axis=0), 0.99) < GRAY)
        self._objectives = self._aim(subject)
        self._laggards = _Laggards(cloaker.ensemble, subject.own, cloaker.mode.urgency)
        self._delta = rng.normal(0.0, 0.5, (3, grid, grid)).astype(np.float32)
        self._descent: Descent = Adam(self._mode.rate)

    def _worn(self) -> Array:
        """Return δ as the photo wears it: faded out at the border, gray on a gray photo."""
        change = self._delta * self._window
        return np.repeat(change.mean(axis=0, keepdims=True), 3, axis=0) if self._gray else change

    def start_round(self, step: int) -> None:
        """Begin a schedule of steps, gentler after the first."""
        if self._mode.objective == "cloak":
            sensitivity = self._refine.pullback(self._dssim.sensitivity())
            rate = self._mode.rate if step == 0 else self._mode.rate / 2
            self._descent = BudgetDescent(sensitivity, rate=rate, steps=self._mode.steps)

    def weak(self) -> bool:
        """Tell whether an extractor would still accept the face, or nearly."""
        return self._laggards.left()

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
                own=direction(subject.own[name], centre)[None],
                weights=np.asarray([weights], np.float32),
                margin=0.0,
            )
        return objectives

    def descend(self) -> None:
        """Do one step: a view, a run of each extractor, a step of the descent, the projection."""
        change = self._refine(self._worn())
        crop = np.clip(self._crop + change, 0, 255)
        gradient = self._refine.pullback(self._features(crop) + self._penalty(crop))
        gradient = (gradient + self._colour(self._worn())) * self._window
        if self._gray:
            gradient[:] = gradient.mean(axis=0)
        self._delta += self._descent(gradient)
        np.clip(self._delta, -self._mode.linf, self._mode.linf, out=self._delta)
        if self._mode.objective == "cloak":
            self._delta *= self._shrinkage()

    def _features(self, crop: Array) -> Array:
        """Return the gradient of the extractors' losses with respect to the crop."""
        extractors = self._cloaker.ensemble.extractors
        if self._mode.objective == "fawkes":
            looks = {name: plain(extractor.spec) for name, extractor in extractors.items()}
        else:
            view = degrade(self._rng, self._cloaker.jitter)
            looks = {
                name: realign(self._rng, self._cloaker.jitter, extractor.spec).after(view)
                for name, extractor in extractors.items()
            }

        def pull(name: str) -> Array:
            step = extractors[name].step(looks[name](crop)[None], self._objectives[name])
            weight = self._laggards.weigh(name, step.embeddings[0])
            return weight * looks[name].pullback(step.gradient[0])

        # One core each: two recognisers side by side beat one recogniser on two cores.
        pulls = list(self._cloaker.ensemble.pool.map(pull, extractors))
        return np.asarray(np.sum(pulls, axis=0), np.float32)

    def _penalty(self, crop: Array) -> Array | float:
        """Return the gradient of the published code's λ · max(DSSIM − ρ, 0)²."""
        if self._mode.objective != "fawkes":
            return 0.0
        cost, gradient = self._dssim.gradient(crop)
        return gradient * np.float32(2e6 * max(cost - self._mode.rho, 0.0))

    def _colour(self, change: Array) -> Array:
        """Return the gradient of the price on colour: chroma times the mean of |Cb| and |Cr|."""
        price = np.sign(np.tensordot(CBCR, change, 1)) * (self._mode.chroma / change[0].size)
        return np.asarray(np.tensordot(CBCR.T, price, 1), np.float32)

    def _cost(self, factor: float) -> float:
        change = self._refine(self._worn() * np.float32(factor))
        return self._dssim.measure(np.clip(self._crop + change, 0, 255))

    def _shrinkage(self) -> np.float32:
        """Return the factor that takes δ back to ρ, by DSSIM's near-quadratic growth."""
        return np.float32(min(1.0, np.sqrt(self._mode.rho / max(self._cost(1.0), 1e-12))))

    def within_budget(self) -> tuple[Array, float]:
        """Return δ on its grid with DSSIM ≤ ρ, and that DSSIM."""
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
        return self._worn() * np.float32(low), self._cost(low)


class _Laggards:
    """Gives more say to extractors that would still accept the face.

    An extractor's excess is the cosine to the clean face above its
    1 % false-accept threshold, smoothed over the random views; its weight is exp(urgency · excess).
    """

    SMOOTHING = 0.7
    MARGIN = 0.03
    """How far below the threshold the optimiser wants to be: encoding gives some back."""

    def __init__(self, ensemble: Ensemble, own: Embeddings, urgency: float) -> None:
        self._thresholds = {n: e.spec.threshold for n, e in ensemble.extractors.items()}
        self._own, self._urgency = own, urgency
        self._excess = dict.fromkeys(self._thresholds, 0.0)

    def weigh(self, name: str, features: Array) -> np.float32:
        """Return the extractor's weight after a look at its (D,) features."""
        excess = cosine(features, self._own[name]) - self._thresholds[name]
        self._excess[name] += (1 - self.SMOOTHING) * (excess - self._excess[name])
        return np.float32(np.exp(self._urgency * self._excess[name]))

    def left(self) -> bool:
        """Tell whether an extractor would still accept the face, or nearly."""
        return max(self._excess.values()) > -self.MARGIN


def _fade(grid: int) -> Array:
    """Return the window that lets δ fade out at the square's border, (grid, grid)."""
    edge = np.clip(np.minimum(np.arange(grid), np.arange(grid)[::-1]) / (0.1 * grid), 0, 1)
    ramp = 0.5 - 0.5 * np.cos(np.pi * edge)
    return np.outer(ramp, ramp).astype(np.float32)
