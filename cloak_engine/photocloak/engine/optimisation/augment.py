"""Random views: what may happen to a photo between us and a stranger's recogniser.

A cloak has to hold after resizing, recompression and another detector's alignment, so each step
of the optimisation looks at one random view (expectation over transformation, Athalye et al.
2018). All views here are separable linear maps, so a view and an extractor's own resampling are
multiplied into one pair of matrices before they touch a pixel.
"""

from collections.abc import Callable
from functools import cache, partial

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


Chip = Callable[[], Separable]
"""Makes the map from the face space to an extractor's chip, which is longer work than to draw it.

So that may be done in another thread than the one that draws.
"""


@cache
def unchanged() -> Separable:
    """Return the view that changes nothing."""
    eye = np.eye(SIZE, dtype=np.float32)
    return Separable(eye, eye)


def plain(spec: ExtractorSpec) -> Chip:
    """Return an extractor's own aligned chip."""
    return partial(_chip, spec, np.zeros(2), np.ones(2), support=1.0, flip=False)


def degrade(rng: np.random.Generator) -> Separable:
    """Draw what happens to the pixels: nothing, a blur, or a down-up resize."""
    kind = rng.integers(3)
    if kind == 0:
        return unchanged()
    if kind == 1:
        matrix = gaussian(SIZE, rng.uniform(0.3, BLUR))
        return Separable(matrix, matrix)
    small = round(SIZE * rng.uniform(SHRINK, 0.9))
    ratio = (SIZE - 1) / (small - 1)
    matrix = resampling(SIZE, small, 1 / ratio, 0.0) @ resampling(small, SIZE, ratio, 0.0)
    return Separable(matrix, matrix)


def realign(rng: np.random.Generator, spec: ExtractorSpec) -> Chip:
    """Draw an extractor's chip as another detector and resampler would have cut it."""
    shift = rng.normal(0.0, SHIFT, 2) * spec.size
    scale = np.exp(rng.normal(0.0, SCALE) + rng.normal(0.0, SCALE / 2, 2))
    support, flip = rng.choice([0.0, 1.0]), bool(rng.integers(2))
    return partial(_chip, spec, shift, scale, support=support, flip=flip)


def _chip(
    spec: ExtractorSpec,
    shift: np.ndarray,
    scale: np.ndarray,
    *,
    support: float,
    flip: bool,
) -> Separable:
    """Return the face-space sampling of a chip, scaled about its middle and shifted."""
    template = np.asarray(spec.template, np.float64)
    canonical = ARCFACE * (SIZE / 112)
    spread = (template - template.mean(axis=0)).ravel()
    reach = (canonical - canonical.mean(axis=0)).ravel()
    ratio = float(reach @ spread) / float(spread @ spread)  # face-space pixels a chip pixel
    origin = canonical.mean(axis=0) - ratio * template.mean(axis=0)
    middle = (spec.size - 1) / 2
    matrices = []
    for axis in (1, 0):  # rows follow y, columns follow x
        step = ratio * scale[axis]
        offset = origin[axis] + ratio * (middle + shift[axis]) - step * middle
        matrices.append(resampling(spec.size, SIZE, step, offset, support=support))
    rows, columns = matrices
    return Separable(rows, columns[::-1].copy() if flip else columns)
