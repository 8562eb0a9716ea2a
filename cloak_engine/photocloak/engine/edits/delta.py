"""δ, the cloak of the paper: what is added point by point; here to luma alone, where it hides.

    Y'(p) = Y(p) + W(p) · δ(p)

W is a window times the texture of the skin: on smooth skin each point of δ would be seen.
"""

from dataclasses import dataclass

import numpy as np

from photocloak.engine.budget import Dssim
from photocloak.engine.edits.canvas import Canvas
from photocloak.engine.edits.tone import Tone, shares_of
from photocloak.engine.geometry import Array, Separable


@dataclass(frozen=True)
class Delta:
    """The δ of one face.

    Attributes:
        window: W, (g, g) float32, 0..1, on δ's grid.
        refine: from δ's grid to the face space, see `FaceSpace.refine`.
        bound: ρ, largest DSSIM against the picture without δ.
        linf: largest change of one point, grey levels.

    """

    window: Array
    refine: Separable
    bound: float
    linf: float

    name = "delta"

    def start(self, rng: np.random.Generator) -> Array:
        """Return a little noise, (1, g, g): where the own identity is lost has no slope at 0."""
        return rng.normal(0.0, 0.5, (1, *self.window.shape)).astype(np.float32)

    def bounded(self, delta: Array) -> Array:
        """Return δ with no point beyond its bound; for ρ see `within`."""
        return np.clip(delta, -self.linf, self.linf)

    def apply(self, delta: Array, planes: Array) -> tuple[Array, tuple[Tone, Array]]:
        """Return the changed (3, SIZE, SIZE) planes, and what the pullbacks need."""
        tone, change = Tone.of(planes), self._change(delta)[0]
        return planes + tone.shares * change, (tone, change)

    def pullback(self, seen: tuple[Tone, Array], gradient: Array) -> Array:
        """Return the gradient with respect to δ for that of the result."""
        return self.refine.pullback(seen[0].pull(gradient)[None]) * self.window

    def through(self, seen: tuple[Tone, Array], gradient: Array) -> Array:
        """Return the gradient with respect to the planes for that of the result."""
        tone, change = seen
        return tone.through(change, gradient)

    def render(self, delta: Array, _planes: Array, canvas: Canvas) -> None:
        """Change the photo."""
        change = canvas.lift(delta[0] * self.window)
        canvas.pixels += shares_of(canvas.pixels, canvas.luma()) * change[..., None]

    def shrunk(self, delta: Array, reference: Dssim, planes: Array) -> Array:
        """Return δ taken back to about ρ, by DSSIM's near-quadratic growth.

        `reference` is of the luma before δ, `planes` that luma, (1, SIZE, SIZE).
        """
        cost = reference.measure(np.clip(planes + self._change(delta), 0, 255))
        return delta * np.float32(min(1.0, np.sqrt(self.bound / max(cost, 1e-12))))

    def within(self, delta: Array, planes: Array) -> tuple[Array, float]:
        """Return the most of δ whose DSSIM is at most ρ, and that DSSIM."""
        planes = np.clip(planes, 0, 255)
        reference = Dssim(planes)
        change = Tone.of(planes).shares * self._change(delta)

        def cost(factor: float) -> float:
            return reference.measure(np.clip(planes + np.float32(factor) * change, 0, 255))

        low, high = 0.0, 1.0
        if cost(1.0) <= self.bound:
            low = 1.0
        else:
            for _ in range(10):
                middle = (low + high) / 2
                low, high = (middle, high) if cost(middle) <= self.bound else (low, middle)
        return delta * np.float32(low), cost(low)

    def _change(self, delta: Array) -> Array:
        """Return what is added to the luma, (1, SIZE, SIZE)."""
        return self.refine(delta * self.window)
