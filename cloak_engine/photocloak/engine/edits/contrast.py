"""Clarity: what is there already made a little stronger or weaker, band by band, smoothly.

    Y'(p) = Y(p) + W(p) · Σ_l m_l(p) · b_l(p)

with b_l the luma between two Gaussian blurs (a Laplacian stack, Burt & Adelson 1983, without
subsampling) and m_l B-spline fields. Where the picture has no detail there is none to strengthen,
so no line can arise that was not there. Only luma changes.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from photocloak.engine.detection.alignment import SIZE
from photocloak.engine.edits.canvas import Canvas
from photocloak.engine.edits.fields import LUMA, luma, spread
from photocloak.engine.edits.tone import Tone, shares_of
from photocloak.engine.geometry import Array, Separable, gaussian

SIGMAS = (1.0, 2.0, 4.0, 8.0)
"""Of the blurs that part the bands, pixels of the face space."""


@dataclass(frozen=True)
class Contrast:
    """The local contrast of one face.

    Attributes:
        window: W, (SIZE, SIZE) float32, 0..1.
        bound: largest |m|, per cent.
        knots: coefficients a side of each m_l.

    """

    window: Array
    bound: float
    knots: int = 31

    name = "contrast"

    @property
    def limit(self) -> float:
        """The bound as a share."""
        return self.bound / 100

    def start(self) -> Array:
        """Return the parameters that change nothing: m, (bands, knots, knots)."""
        return np.zeros((len(SIGMAS), self.knots, self.knots), np.float32)

    def bounded(self, m: Array) -> Array:
        """Return m with nothing beyond the bound."""
        return np.clip(m, -self.limit, self.limit)

    def amount(self, m: Array) -> float:
        """Return by how much a band is changed at most, per cent."""
        return float(np.abs(self._gains(m)).max()) * 100

    def apply(self, m: Array, planes: Array) -> tuple[Array, "ContrastState"]:
        """Return the changed (3, SIZE, SIZE) planes, and what `pullback` needs."""
        gains, bands, tone = self._gains(m), _bands(luma(planes)), Tone.of(planes)
        change = (gains * bands).sum(axis=0)
        return planes + tone.shares * change, ContrastState(gains, bands, tone, change)

    def pullback(self, seen: "ContrastState", gradient: Array) -> Array:
        """Return the gradient with respect to m for that of the result."""
        return spread(self.knots).pullback(seen.bands * (seen.tone.pull(gradient) * self.window))

    def through(self, seen: "ContrastState", gradient: Array) -> Array:
        """Return the gradient with respect to the planes for that of the result."""
        by_luma = _bands_pullback(seen.gains * seen.tone.pull(gradient))
        return seen.tone.through(seen.change, gradient) + LUMA[:, None, None] * by_luma

    def render(self, m: Array, planes: Array, canvas: Canvas) -> None:
        """Change the photo: the finest band at its own resolution, the others as they are here.

        `planes` are the face space's before this edit; what is blurred there is as good as if the
        photo had been blurred, however large the face.
        """
        gains, grey = self._gains(m), luma(planes)
        now = canvas.luma()
        fine = now - canvas.lift(_blurs()[0](grey[None])[0])
        change = canvas.lift(gains[0]) * fine
        change += canvas.lift((gains[1:] * _bands(grey)[1:]).sum(axis=0))
        canvas.pixels += shares_of(canvas.pixels, now) * change[..., None]

    def _gains(self, m: Array) -> Array:
        return spread(self.knots)(m) * self.window


@dataclass(frozen=True)
class ContrastState:
    """What the pullbacks of a contrast need: m and the bands, (bands, H, W), tone and change."""

    gains: Array
    bands: Array
    tone: Tone
    change: Array


@cache
def _blurs() -> tuple[Separable, ...]:
    return tuple(Separable(g, g) for g in (gaussian(SIZE, sigma) for sigma in SIGMAS))


def _bands(grey: Array) -> Array:
    """Return what lies between the blurs of (H, W), finest first: (bands, H, W)."""
    blurred = np.concatenate([grey[None], *(blur(grey[None]) for blur in _blurs())])
    return np.asarray(blurred[:-1] - blurred[1:], np.float32)


def _bands_pullback(gradient: Array) -> Array:
    """Return the (H, W) adjoint of `_bands` for a gradient of (bands, H, W)."""
    total = gradient[0].copy()
    for index, blur in enumerate(_blurs()):
        after = gradient[index + 1] if index + 1 < len(gradient) else 0.0
        total += blur.pullback((after - gradient[index])[None])[0]
    return np.asarray(total, np.float32)
