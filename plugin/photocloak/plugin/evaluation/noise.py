"""Whether grain stays grain: the noise in flat skin after a change, in that before it."""

import numpy as np
from numpy.typing import NDArray

from photocloak.engine.detection.alignment import Image
from photocloak.engine.detection.faces import Face
from photocloak.engine.geometry import Array
from photocloak.plugin.evaluation.colour import YCBCR

PATCH = 8
"""Edge in pixels of the patches that are looked at."""

OVAL = 0.35, 0.4
"""Half-axes of where there is skin, in widths and heights of the face's box."""

FLATTEST = 0.25
"""Share of the patches that count, those with the least structure; at least `FEWEST`."""

FEWEST = 4

ROUNDING = 1 / 12
"""Variance of rounding to whole grey levels: below it nothing is kept or lost."""


def noise_kept(before: Image, after: Image, face: Face) -> float:
    """Return the noise in the face's flattest patches after a change, over that before it.

    Below 1 the change has blurred or smoothed, above it has added. The noise is the deviation of
    the luma after a filter to which planes and edges along the axes are nothing (Immerkær, "Fast
    noise variance estimation", 1996). Which patches are flat is told of `before` by their coarse
    structure, not by that filter, so that the choice does not favour a patch for its noise.

    Args:
        before: (H, W, 3) uint8.
        after: the same shape.
        face: in `before`.

    """
    left, top, columns, rows = _grid(face, before.shape)
    part = np.s_[top : top + PATCH * rows, left : left + PATCH * columns]
    first, second = (photo[part].astype(np.float32) @ YCBCR[0] for photo in (before, after))
    flat = _flattest(first, _outside(face, left, top, columns, rows))
    was, now = (float(_patches(_filtered(luma) ** 2)[flat].mean()) for luma in (first, second))
    return float(np.sqrt((now + ROUNDING) / (was + ROUNDING)))


def _grid(face: Face, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return where the patches in the face's box begin, and how many there are to each side."""
    x, y, w, h = face.box
    places = []
    for start, length, limit in ((x, w, shape[1]), (y, h, shape[0])):
        first = min(max(round(start), 0), max(limit - 2 * PATCH, 0))
        last = max(min(round(start + length), limit), first + 2 * PATCH)
        places.append((first, (last - first) // PATCH))
    (left, columns), (top, rows) = places
    return left, top, columns, rows


def _outside(face: Face, left: int, top: int, columns: int, rows: int) -> Array:
    """Return how far each patch's middle is from the face's, (rows, columns), 1 on the oval."""
    x, y, w, h = face.box
    across = left + PATCH * (np.arange(columns) + 0.5) - (x + w / 2)
    down = top + PATCH * (np.arange(rows) + 0.5) - (y + h / 2)
    return np.asarray(
        np.hypot(across / (OVAL[0] * w), down[:, None] / (OVAL[1] * h)), dtype=np.float32
    )


def _flattest(luma: Array, outside: Array) -> NDArray[np.bool_]:
    """Return which patches count, (rows, columns)."""
    halves = luma.reshape(luma.shape[0] // 2, 2, luma.shape[1] // 2, 2).mean(axis=(1, 3))
    size = PATCH // 2
    coarse = halves.reshape(halves.shape[0] // size, size, halves.shape[1] // size, size)
    structure = coarse.std(axis=(1, 3))
    oval = outside <= max(1.0, float(np.sort(outside, axis=None)[FEWEST - 1]))
    count = max(FEWEST, round(FLATTEST * int(oval.sum())))
    limit = np.sort(structure[oval])[count - 1]
    return np.asarray(oval & (structure <= limit))


def _filtered(luma: Array) -> Array:
    """Return second differences along both axes, scaled so that noise keeps its variance."""
    for axis in (0, 1):
        sides = [(1, 1) if side == axis else (0, 0) for side in (0, 1)]
        wide = np.pad(luma, sides, mode="edge")
        one, two, three = (np.take(wide, range(i, i + luma.shape[axis]), axis) for i in range(3))
        luma = np.asarray((one - 2 * two + three) / np.sqrt(6), np.float32)
    return luma


def _patches(values: Array) -> Array:
    """Return the mean of each patch, (rows, columns)."""
    rows, columns = (length // PATCH for length in values.shape)
    return np.asarray(values.reshape(rows, PATCH, columns, PATCH).mean(axis=(1, 3)))
