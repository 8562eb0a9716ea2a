"""Step 2 of the method, for one face: descend along the surrogates' gradient within the bounds."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from photocloak.engine.budget import Dssim
from photocloak.engine.detection.alignment import FaceSpace, Image
from photocloak.engine.edits.retouch import Parameters, Retouch
from photocloak.engine.geometry import Array, Separable
from photocloak.engine.optimisation.optimizers import Adam, BudgetDescent, Descent, FieldDescent
from photocloak.engine.optimisation.surrogates import Surrogates
from photocloak.engine.recognition.ensemble import Ensemble
from photocloak.engine.subject import FaceCloak, Subject


class Optimisation(Protocol):
    """The search for one face's cloak.

    Attributes:
        left: steps that are to be done.

    """

    left: int

    def descend(self) -> None:
        """Do one step: a view, a run of the extractors, a step of each descent, the bounds."""
        ...

    def found(self) -> FaceCloak:
        """Return the cloak as it is now, within its bounds."""
        ...


class Retouching:
    """One loss drives all edits together, each with its own momentum and within its own bound.

    Attributes:
        retouch: what may be done to the face.
        surrogates: what the recognisers say of it.
        parameters: as they are now, within their bounds.
        budget: δ's descent.

    """

    def __init__(
        self,
        ensemble: Ensemble,
        means: Mapping[str, Array],
        retouch: Retouch,
        subject: Subject,
        rng: np.random.Generator,
    ) -> None:
        mode = self._mode = subject.mode
        self.surrogates = Surrogates(ensemble, means, subject, rng)
        self.retouch = retouch
        worn = subject.worn
        self.left = subject.steps
        self.parameters: Parameters = retouch.start(rng) if worn is None else worn.parameters
        self._beneath = retouch.beneath(self.parameters)
        sensitivity = Dssim(retouch.planes).sensitivity().mean(axis=0, keepdims=True)
        steps = max(subject.steps, 1)
        self.budget = BudgetDescent(
            retouch.delta.refine.pullback(sensitivity), rate=mode.rate, steps=steps
        )
        self._descents: dict[str, Descent] = {
            "warp": FieldDescent(retouch.warp.limit, steps=steps),
            "contrast": FieldDescent(retouch.contrast.limit, steps=steps),
            "light": FieldDescent(retouch.light.limit, steps=steps),
            "delta": self.budget,
        }

    def descend(self) -> None:
        """Do one step."""
        planes, seen = self.retouch.apply(self.parameters, self._beneath)
        gradient = self.surrogates.gradient(np.clip(planes, 0, 255))
        gradients = self.retouch.pullback(seen, gradient)
        moved = {
            name: self.parameters[name] + descent(gradients[name])
            for name, descent in self._descents.items()
        }
        self.parameters, self._beneath = self.retouch.bounded(moved)
        self.left -= 1

    def arrive(self, parameters: Parameters) -> None:
        """Take what somebody else's steps came to, all that were left."""
        self.parameters, self.left = parameters, 0

    def found(self) -> FaceCloak:
        """Return the cloak, δ within ρ exactly."""
        parameters, amounts = self.retouch.within(self.parameters)
        return FaceCloak(parameters, amounts, self._mode)


class Fawkes:
    """The paper's method: δ alone, by Adam on eq. 2, with the published code's penalty on DSSIM."""

    def __init__(
        self,
        ensemble: Ensemble,
        means: Mapping[str, Array],
        image: Image,
        subject: Subject,
        rng: np.random.Generator,
    ) -> None:
        mode = self._mode = subject.mode
        self.left = subject.steps
        space = FaceSpace.of(subject.face)
        self._crop, refine = space.crop(image), space.refine()
        self._refine = Separable(refine, refine)
        self._dssim = Dssim(self._crop)
        # Nothing beyond the photo's edge: it would cost budget and be seen by nobody.
        self._window = _fade(space.grid) * space.inside(image.shape)
        self._gray = bool(np.quantile(np.ptp(self._crop, axis=0), 0.99) < GRAY)
        self._surrogates = Surrogates(ensemble, means, subject, rng)
        self._delta = rng.normal(0.0, 0.5, (3, space.grid, space.grid)).astype(np.float32)
        self._change = self._refine(self._worn())  # δ as seen in the face space
        self._descent = Adam(mode.rate)

    def descend(self) -> None:
        """Do one step."""
        crop = np.clip(self._crop + self._change, 0, 255)
        gradient = self._refine.pullback(self._surrogates.gradient(crop) + self._penalty(crop))
        gradient *= self._window
        if self._gray:
            gradient[:] = gradient.mean(axis=0)
        self._delta += self._descent(gradient)
        np.clip(self._delta, -self._mode.linf, self._mode.linf, out=self._delta)
        self._change = self._refine(self._worn())
        self.left -= 1

    def found(self) -> FaceCloak:
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
        delta = self._worn() * np.float32(low)
        return FaceCloak({"delta": delta}, {"delta": self._cost(low)}, self._mode)

    def _worn(self) -> Array:
        """Return δ as the photo wears it: faded out at the border, gray on a gray photo."""
        change = self._delta * self._window
        return np.repeat(change.mean(axis=0, keepdims=True), 3, axis=0) if self._gray else change

    def _penalty(self, crop: Array) -> Array:
        """Return the gradient of the published code's λ · max(DSSIM − ρ, 0)²."""
        cost, gradient = self._dssim.gradient(crop)
        return gradient * np.float32(2e6 * max(cost - self._mode.rho, 0.0))

    def _cost(self, factor: float) -> float:
        """Return the DSSIM of so much of δ."""
        change = self._change * np.float32(factor)
        return self._dssim.measure(np.clip(self._crop + change, 0, 255))


GRAY = 6.0
"""Grey levels by which a black-and-white photo's channels may differ, after JPEG."""


def _fade(grid: int) -> Array:
    """Return the window that lets δ fade out at the square's border, (grid, grid)."""
    edge = np.clip(np.minimum(np.arange(grid), np.arange(grid)[::-1]) / (0.1 * grid), 0, 1)
    ramp = 0.5 - 0.5 * np.cos(np.pi * edge)
    return np.outer(ramp, ramp).astype(np.float32)
