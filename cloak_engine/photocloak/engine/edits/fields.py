"""Smooth fields over the face space: few numbers on a coarse grid, from which all pixels follow."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from photocloak.engine.detection.alignment import SIZE
from photocloak.engine.geometry import Array, Separable


@cache
def spread(knots: int, size: int = SIZE) -> Separable:
    """Return the map from (C, knots, knots) coefficients to the field, (C, size, size).

    Uniform cubic B-splines (de Boor 1978): twice differentiable, and a weighted mean of the
    coefficients everywhere, so that a bound on these is a bound on the field.

    Args:
        knots: coefficients a side, at least 4; they lie (SIZE − 1) / (knots − 3) pixels apart.
        size: points a side at which the field is wanted, the first and the last on the border.

    """
    matrix = weights(np.linspace(0.0, SIZE - 1.0, size), knots).astype(np.float32)
    return Separable(matrix, matrix)


def weights(at: NDArray[np.floating], knots: int) -> NDArray[np.float64]:
    """Return the (P, knots) weights of the coefficients at face-space coordinates `at`, (P,)."""
    position = np.clip(at, 0, SIZE - 1) * (knots - 3) / (SIZE - 1)
    first = np.minimum(position.astype(int), knots - 4)
    t = position - first
    rows = np.arange(len(position))
    matrix = np.zeros((len(position), knots))
    matrix[rows, first] = (1 - t) ** 3 / 6
    matrix[rows, first + 1] = (3 * t**3 - 6 * t**2 + 4) / 6
    matrix[rows, first + 2] = (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6
    matrix[rows, first + 3] = t**3 / 6
    return matrix


def luma(planes: Array) -> Array:
    """Return the luma (H, W) of RGB planes (3, H, W) (ITU-T T.871)."""
    return np.asarray(np.tensordot(LUMA, planes, 1), np.float32)


LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of R, G and B."""
