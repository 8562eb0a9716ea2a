"""Liquify: the face's parts moved a little, smoothly.

    y(p) = x(p + W(p) · u(p))

with u two B-spline fields, in pixels of the face space. A retoucher's bound is a share of the
distance between the eyes, which is `EYES` pixels there.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photocloak.engine.detection.alignment import ARCFACE, SIZE
from photocloak.engine.edits.canvas import Canvas
from photocloak.engine.edits.fields import spread
from photocloak.engine.geometry import Array

EYES = float(np.linalg.norm(ARCFACE[1] - ARCFACE[0])) * SIZE / 112
"""Distance between the eyes in the face space, pixels."""

_CELL = 4.0  # face-space pixels a side of the quads that a photo is warped by
_STILL = 0.02  # photo pixels of displacement that nobody sees


@dataclass(frozen=True)
class WarpEdit:
    """The warp of one face.

    Attributes:
        window: W, (SIZE, SIZE) float32, 0..1.
        knots: coefficients a side of each component of u.
        bound: largest length of u, per cent of the distance between the eyes.

    """

    window: Array
    bound: float
    knots: int = 17

    name = "warp"

    @property
    def limit(self) -> float:
        """The bound in pixels of the face space."""
        return self.bound / 100 * EYES

    def start(self) -> Array:
        """Return the parameters that change nothing: u, (2, knots, knots), x before y."""
        return np.zeros((2, self.knots, self.knots), np.float32)

    def bounded(self, u: Array) -> Array:
        """Return u with no vector longer than the bound."""
        length = np.sqrt((u * u).sum(axis=0))
        return np.asarray(u * (self.limit / np.maximum(length, self.limit)), np.float32)

    def amount(self, u: Array) -> float:
        """Return how far the face is moved at most, per cent of the distance between the eyes."""
        moved = self._displacement(u)
        return float(np.sqrt((moved * moved).sum(axis=0)).max()) / EYES * 100

    def apply(self, u: Array, planes: Array) -> tuple[Array, "Samples"]:
        """Return the warped (3, SIZE, SIZE) planes, and what `pullback` needs."""
        samples = Samples.of(planes, self._displacement(u))
        return samples.values, samples

    def pullback(self, seen: "Samples", gradient: Array) -> Array:
        """Return the gradient with respect to u for that of the result."""
        slope = np.stack([(gradient * s).sum(axis=0) for s in seen.slopes]) * self.window
        return spread(self.knots).pullback(slope)

    def through(self, seen: "Samples", gradient: Array) -> Array:
        """Return the gradient with respect to the planes for that of the result."""
        return seen.pullback(gradient)

    def render(self, u: Array, _planes: Array, canvas: Canvas) -> None:
        """Move the photo's own pixels, sampled once by cubic convolution."""
        moved = self._displacement(u)
        to_photo = canvas.scale  # (2, 2): face-space vectors to vectors of the photo
        step = max(4, round(_CELL * float(np.hypot(*to_photo[:, 0]))))
        canvas.move(np.einsum("ij,jhw->ihw", to_photo, moved).astype(np.float32), step, _STILL)

    def _displacement(self, u: Array) -> Array:
        return spread(self.knots)(u) * self.window


@dataclass(frozen=True)
class Samples:
    """Bilinear samples of planes beside their pixels, and how they change with the place.

    Attributes:
        values: (3, H, W).
        slopes: d values / dx and d values / dy, (3, H, W) each.
        first: flat index of the upper left of the four pixels that each is made of, (H, W).
        part: how far beyond it, x and y, (H, W) each, 0..1.

    """

    values: Array
    slopes: tuple[Array, Array]
    first: NDArray[np.intp]
    part: tuple[Array, Array]

    @classmethod
    def of(cls, planes: Array, moved: Array) -> "Samples":
        """Sample (3, H, W) planes at p + `moved`, (2, H, W) pixels; their edges go on beyond."""
        height, width = planes.shape[1:]
        x = np.clip(np.arange(width, dtype=np.float32) + moved[0], 0, width - 1.001)
        y = np.clip(np.arange(height, dtype=np.float32)[:, None] + moved[1], 0, height - 1.001)
        x0, y0 = x.astype(np.intp), y.astype(np.intp)
        fx, fy = (x - x0).astype(np.float32), (y - y0).astype(np.float32)
        flat, first = planes.reshape(len(planes), -1), y0 * width + x0
        a, right, lower, d = (
            np.take(flat, first + step, axis=1, mode="clip") for step in (0, 1, width, width + 1)
        )
        right -= a  # from here on differences, in place: the planes are what takes time
        d -= lower
        lower -= a
        d -= right
        down = np.multiply(fx, d)
        down += lower
        d *= fy
        d += right
        right *= fx
        right += a
        right += fy * down
        return cls(right, (d, down), first, (fx, fy))

    def pullback(self, gradient: Array) -> Array:
        """Return the (3, H, W) adjoint of a gradient, with respect to the sampled planes."""
        (fx, fy), size = self.part, self.first.size
        width = gradient.shape[-1]
        out = np.zeros((len(gradient), size), np.float64)
        for weight, step in (
            ((1 - fx) * (1 - fy), 0),
            (fx * (1 - fy), 1),
            ((1 - fx) * fy, width),
            (fx * fy, width + 1),
        ):
            index = (self.first + step).ravel()
            for channel, part in enumerate(gradient * weight):
                out[channel] += np.bincount(index, part.ravel(), minlength=size)
        return out.reshape(gradient.shape).astype(np.float32)
