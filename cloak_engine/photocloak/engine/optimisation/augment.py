"""Random views: what may happen to a photo between us and a stranger's recogniser.

A cloak has to hold after resizing, recompression and another detector's alignment, so each step
of the optimisation looks at one random view (expectation over transformation, Athalye et al.
2018). All views here are separable linear maps, so a view and an extractor's own resampling are
multiplied into one pair of matrices before they touch a pixel.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from photocloak.engine.detection.alignment import ARCFACE, SIZE
from photocloak.engine.extractors import ExtractorSpec
from photocloak.engine.geometry import Separable, gaussian, resampling

SHIFT = 0.012
"""Standard deviation of another detector's offset, as a fraction of the chip."""
SCALE = 0.02
"""Standard deviation of the log of its scale."""
BLUR = 1.2
"""Largest Gaussian σ, face-space pixels."""
SHRINK = 0.4
"""Smallest factor of a down-up resize."""


@dataclass(frozen=True)
class View:
    """What happens to the pixels.

    Attributes:
        sigma: of a Gaussian blur, face-space pixels; 0: none.
        size: edge to which the face space is resized, and back; SIZE: it is not.

    """

    sigma: float = 0.0
    size: int = SIZE

    def map(self) -> Separable:
        """Return the map of the face space to itself."""
        if self.sigma:
            matrix = gaussian(SIZE, self.sigma)
            return Separable(matrix, matrix)
        if self.size == SIZE:
            return _unchanged()
        ratio = (SIZE - 1) / (self.size - 1)
        down = resampling(self.size, SIZE, ratio, 0.0)
        matrix = resampling(SIZE, self.size, 1 / ratio, 0.0) @ down
        return Separable(matrix, matrix)


@dataclass(frozen=True)
class Cut:
    """How an extractor's chip lies in the face space.

    Attributes:
        size: the chip's edge, pixels.
        starts: where its first row and its first column are sampled, face-space pixels.
        steps: how far apart its rows and its columns are, face-space pixels.
        support: 1 samples without aliases, 0 is plain bilinear; see `resampling`.
        flip: the chip is mirrored, left to right.

    """

    size: int
    starts: tuple[float, float]
    steps: tuple[float, float]
    support: float = 1.0
    flip: bool = False

    def map(self) -> Separable:
        """Return the map of the face space to the chip; it takes longer than to draw one."""
        rows, columns = (
            resampling(self.size, SIZE, step, start, support=self.support)
            for start, step in zip(self.starts, self.steps, strict=True)
        )
        return Separable(rows, columns[::-1].copy() if self.flip else columns)

    def lines(self) -> list[tuple[float, float, float]]:
        """Return the same in numbers: start, step and the kernel's half-width, rows and columns."""
        found = [
            (start, step, max(1.0, self.support * step))
            for start, step in zip(self.starts, self.steps, strict=True)
        ]
        if self.flip:
            start, step, width = found[1]
            found[1] = (start + step * (self.size - 1), -step, width)
        return found


@cache
def _unchanged() -> Separable:
    """Return the view that changes nothing."""
    eye = np.eye(SIZE, dtype=np.float32)
    return Separable(eye, eye)


def plain(spec: ExtractorSpec) -> Cut:
    """Return an extractor's own aligned chip."""
    return _cut(spec, np.zeros(2), np.ones(2), support=1.0, flip=False)


def degrade(rng: np.random.Generator) -> View:
    """Draw what happens to the pixels: nothing, a blur, or a down-up resize."""
    kind = rng.integers(3)
    if kind == 0:
        return View()
    if kind == 1:
        return View(sigma=rng.uniform(0.3, BLUR))
    return View(size=round(SIZE * rng.uniform(SHRINK, 0.9)))


def realign(rng: np.random.Generator, spec: ExtractorSpec) -> Cut:
    """Draw an extractor's chip as another detector and resampler would have cut it."""
    shift = rng.normal(0.0, SHIFT, 2) * spec.size
    scale = np.exp(rng.normal(0.0, SCALE) + rng.normal(0.0, SCALE / 2, 2))
    support, flip = rng.choice([0.0, 1.0]), bool(rng.integers(2))
    return _cut(spec, shift, scale, support=support, flip=flip)


def _cut(
    spec: ExtractorSpec,
    shift: np.ndarray,
    scale: np.ndarray,
    *,
    support: float,
    flip: bool,
) -> Cut:
    """Return the face-space sampling of a chip, scaled about its middle and shifted (x, y)."""
    template = np.asarray(spec.template, np.float64)
    canonical = ARCFACE * (SIZE / 112)
    spread = (template - template.mean(axis=0)).ravel()
    reach = (canonical - canonical.mean(axis=0)).ravel()
    ratio = float(reach @ spread) / float(spread @ spread)  # face-space pixels a chip pixel
    origin = canonical.mean(axis=0) - ratio * template.mean(axis=0)
    middle = (spec.size - 1) / 2
    steps = ratio * scale
    starts = origin + ratio * (middle + shift) - steps * middle
    # Rows follow y, columns follow x.
    return Cut(
        spec.size,
        (float(starts[1]), float(starts[0])),
        (float(steps[1]), float(steps[0])),
        support,
        flip,
    )
