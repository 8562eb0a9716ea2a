"""Dodge and burn: the light on the face made a little stronger or weaker, smoothly.

    Y' = exp(W · r · g) · Y    in linear light, with g a B-spline field

of the luma alone: hue stays, and the colour differences do, too. r lets it fade near white and
black, so that nothing is clipped to a flat patch.
"""

from dataclasses import dataclass

import numpy as np

from photocloak.engine.edits.canvas import Canvas
from photocloak.engine.edits.fields import LUMA, luma, spread
from photocloak.engine.geometry import Array

TOE = np.float32(255 * 0.055)
"""sRGB is 1.055 l^(1/2.4) − .055 (IEC 61966-2-1): multiplied light is scaled from here."""
GAMMA = np.float32(2.4)


@dataclass(frozen=True)
class Light:
    """The light on one face.

    Attributes:
        window: W · r, (SIZE, SIZE) float32, 0..1.
        bound: largest |g| in stops, doublings of the light.
        knots: coefficients a side of g.

    """

    window: Array
    bound: float
    knots: int = 17

    name = "light"

    @property
    def limit(self) -> float:
        """The bound on g."""
        return self.bound * float(np.log(2.0))

    def start(self) -> Array:
        """Return the parameters that change nothing: g, (1, knots, knots)."""
        return np.zeros((1, self.knots, self.knots), np.float32)

    def bounded(self, g: Array) -> Array:
        """Return g with nothing beyond the bound."""
        return np.clip(g, -self.limit, self.limit)

    def amount(self, g: Array) -> float:
        """Return by how much the light changes at most, stops."""
        return float(np.abs(spread(self.knots)(g) * self.window).max() / np.log(2.0))

    def apply(self, g: Array, planes: Array) -> tuple[Array, tuple[Array, Array]]:
        """Return the relit (3, SIZE, SIZE) planes, and what `pullback` needs."""
        factor, grey = self._factor(g), luma(planes) + TOE
        return planes + (factor - 1) * grey, (factor, grey)

    def pullback(self, seen: tuple[Array, Array], gradient: Array) -> Array:
        """Return the gradient with respect to g for that of the result."""
        factor, grey = seen
        slope = gradient.sum(axis=0) * grey * factor * self.window / GAMMA
        return spread(self.knots).pullback(slope[None])

    def through(self, seen: tuple[Array, Array], gradient: Array) -> Array:
        """Return the gradient with respect to the planes for that of the result."""
        by_luma = gradient.sum(axis=0) * (seen[0] - 1)
        return np.asarray(gradient + LUMA[:, None, None] * by_luma, np.float32)

    def render(self, g: Array, _planes: Array, canvas: Canvas) -> None:
        """Change the photo."""
        change = canvas.lift(self._factor(g) - 1) * (canvas.luma() + TOE)
        canvas.pixels += change[..., None]

    def _factor(self, g: Array) -> Array:
        return np.asarray(np.exp(spread(self.knots)(g)[0] * self.window / GAMMA), np.float32)
