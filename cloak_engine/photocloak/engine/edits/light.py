"""Dodge and burn: the light on the face made a little stronger or weaker, smoothly.

    I' = exp(W · g) · I    in linear light, with g a B-spline field

for all channels alike, as a lamp does, so that hue and saturation stay: when luma alone changed,
blind judges saw a grey haze where it fell and chalk where it rose. W fades near white, so that
nothing is clipped to a flat patch.
"""

from dataclasses import dataclass

import numpy as np

from photocloak.engine.edits.canvas import Canvas
from photocloak.engine.edits.fields import spread
from photocloak.engine.edits.tone import TOE
from photocloak.engine.geometry import Array

GAMMA = np.float32(2.4)


@dataclass(frozen=True)
class Light:
    """The light on one face.

    Attributes:
        window: W, (SIZE, SIZE) float32, 0..1.
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
        factor = self._factor(g)
        relit = (planes + TOE) * factor
        return relit - TOE, (factor, relit)

    def pullback(self, seen: tuple[Array, Array], gradient: Array) -> Array:
        """Return the gradient with respect to g for that of the result."""
        slope = (gradient * seen[1]).sum(axis=0) * self.window / GAMMA
        return spread(self.knots).pullback(slope[None])

    def through(self, seen: tuple[Array, Array], gradient: Array) -> Array:
        """Return the gradient with respect to the planes for that of the result."""
        return gradient * seen[0]

    def render(self, g: Array, _planes: Array, canvas: Canvas) -> None:
        """Change the photo."""
        factor = canvas.lift(self._factor(g) - 1)[..., None]
        canvas.pixels += factor * (canvas.pixels + TOE)

    def _factor(self, g: Array) -> Array:
        return np.asarray(np.exp(spread(self.knots)(g)[0] * self.window / GAMMA), np.float32)
