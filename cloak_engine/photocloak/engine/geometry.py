"""Linear maps between pixel grids; what a step runs has a `pullback`, too, its exact adjoint.

Pixel coordinates have their origin in the centre of the first pixel, x to the right, y down.
"""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

_BLOCK = 32  # rows of a banded matrix that are multiplied at a time


def similarity(source: NDArray[np.floating], target: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the least-squares similarity transform that takes `source` to `target`.

    Args:
        source: (K, 2) points.
        target: (K, 2) points.

    Returns:
        (2, 3) float64 matrix A with A @ [x, y, 1] close to the target (Umeyama 1991, no mirroring).

    """
    p, q = np.asarray(source, np.float64), np.asarray(target, np.float64)
    p0, q0 = p.mean(axis=0), q.mean(axis=0)
    u, s, vt = np.linalg.svd((q - q0).T @ (p - p0))
    sign = np.array([1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * sign) @ vt
    scale = float(s @ sign) / max(float(((p - p0) ** 2).sum()), 1e-12)
    linear = scale * rotation
    return np.column_stack([linear, q0 - linear @ p0])


def invert(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the inverse of a (2, 3) affine matrix."""
    return np.linalg.inv(np.vstack([matrix, [0.0, 0.0, 1.0]]))[:2]


def bilinear(image: NDArray[np.generic], matrix: NDArray[np.float64], size: int) -> Array:
    """Sample an image between its pixels; outside it counts as zero.

    Args:
        image: (H, W, C), numbers that float32 holds.
        matrix: (2, 3), where the output's pixel (x, y) is in the image: `matrix` @ [x, y, 1].
        size: edge of the output.

    Returns:
        (size, size, C) float32.

    """
    height, width, channels = image.shape
    framed = np.zeros((height + 4, width + 4, channels), image.dtype)
    framed[2:-2, 2:-2] = image  # what lies farther outside is sampled in the frame
    at = np.arange(size)
    x = (matrix[0, 0] * at + matrix[0, 2] + 2) + (matrix[0, 1] * at)[:, None]
    y = (matrix[1, 0] * at + matrix[1, 2] + 2) + (matrix[1, 1] * at)[:, None]
    x, y = np.clip(x, 0, width + 2), np.clip(y, 0, height + 2)
    left, top = x.astype(np.intp), y.astype(np.intp)
    across, down = ((x - left).astype(np.float32), (y - top).astype(np.float32))
    first, pixels = top * (width + 4) + left, framed.reshape(-1, channels)
    above, upper, below, lower = (
        pixels.take(first + step, axis=0).astype(np.float32)
        for step in (0, 1, width + 4, width + 5)
    )
    above += (upper - above) * across[..., None]
    below += (lower - below) * across[..., None]
    return np.asarray(above + (below - above) * down[..., None], np.float32)


@dataclass(frozen=True)
class Separable:
    """The map X -> R X Cᵀ on every channel of a (3, H, W) array.

    Resampling without rotation, blur and flips are of this kind, and compose by multiplying the
    matrices, so that a view costs two small matrix products whatever it is made of. Most of such
    matrices is zero, beside a band, and is left out of the products.

    Attributes:
        rows: R, (h, H) float32.
        columns: C, (w, W) float32.

    """

    rows: Array
    columns: Array

    def __call__(self, planes: Array) -> Array:
        """Return (3, h, w)."""
        if self._changes_nothing:
            return planes
        down = np.empty((len(planes), len(self.rows), planes.shape[2]), np.float32)
        for here, there in self._row_bands:
            np.matmul(self.rows[here, there], planes[:, there], out=down[:, here])
        out = np.empty((*down.shape[:2], len(self.columns)), np.float32)
        for here, there in self._column_bands:
            np.matmul(down[..., there], self.columns[here, there].T, out=out[..., here])
        return out

    def pullback(self, gradient: Array) -> Array:
        """Return the (3, H, W) adjoint of a (3, h, w) gradient."""
        return gradient if self._changes_nothing else self._transposed(gradient)

    def after(self, other: "Separable") -> "Separable":
        """Return the composition self ∘ other."""
        if other._changes_nothing:
            return self
        return Separable(self.rows @ other.rows, self.columns @ other.columns)

    @cached_property
    def _row_bands(self) -> list[tuple[slice, slice]]:
        return _bands(self.rows)

    @cached_property
    def _column_bands(self) -> list[tuple[slice, slice]]:
        return self._row_bands if self.columns is self.rows else _bands(self.columns)

    @cached_property
    def _transposed(self) -> "Separable":
        rows = self.rows.T
        return Separable(rows, rows if self.columns is self.rows else self.columns.T)

    @cached_property
    def _changes_nothing(self) -> bool:
        """Whether this is the identity, as it is for a face as fine as the face space."""
        return _is_identity(self.rows) and _is_identity(self.columns)


def _is_identity(matrix: Array) -> bool:
    size = len(matrix)
    return matrix.shape == (size, size) and bool((matrix == np.eye(size, dtype=matrix.dtype)).all())


def _bands(matrix: Array) -> list[tuple[slice, slice]]:
    """Cut the rows into blocks; return each with the columns that are not all zero in it."""
    bands = []
    for start in range(0, len(matrix), _BLOCK):
        here = slice(start, min(start + _BLOCK, len(matrix)))
        used = np.flatnonzero(matrix[here].any(axis=0))
        bands.append((here, slice(int(used[0]), int(used[-1]) + 1) if len(used) else slice(0, 0)))
    return bands


def resampling(out: int, size: int, scale: float, offset: float, *, support: float = 1.0) -> Array:
    """Return the (out, size) matrix that samples position `scale * i + offset` for each row i.

    The kernel is a triangle of half-width `max(1, support * scale)` input pixels: `support` 1 is
    antialiased, 0 plain bilinear. Positions outside repeat the edge. Rows sum to 1.
    """
    centre = np.clip(scale * np.arange(out) + offset, 0, size - 1)
    width = max(1.0, support * scale)
    matrix = np.maximum(0.0, 1.0 - np.abs(centre[:, None] - np.arange(size)[None, :]) / width)
    return np.asarray(matrix / matrix.sum(axis=1, keepdims=True), np.float32)


def gaussian(size: int, sigma: float) -> Array:
    """Return the (size, size) matrix of a Gaussian blur of `sigma` pixels; rows sum to 1.

    Beyond 5 σ it is zero; of the whole, that were 6e-7.
    """
    if sigma <= 0:
        return np.eye(size, dtype=np.float32)
    offset = np.arange(size)
    falloff = np.where(offset <= 5 * sigma, np.exp(-0.5 * (offset / sigma) ** 2), 0.0)
    matrix = falloff[_distances(size)]
    return np.asarray(matrix / matrix.sum(axis=1, keepdims=True), np.float32)


@cache
def _distances(size: int) -> NDArray[np.int64]:
    """Return |i − j|, (size, size)."""
    return np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
