"""The budget ρ: DSSIM on the aligned face crop, with its gradient.

DSSIM = (1 − SSIM) / 2 with RGB 0..255, an 11 × 11 Gaussian window of σ 1.5, K .01 and .03,
averaged over all window positions inside the picture and over the channels (the convention of
`tf.image.ssim`; Wang et al. 2004). It depends on scale, so a figure here always means the 224-px
face space.
"""

from functools import cache
from typing import Any

import numpy as np

from photocloak.engine.geometry import Array, Separable

C1 = np.float32((0.01 * 255) ** 2)
C2 = np.float32((0.03 * 255) ** 2)


@cache
def averaging(size: int) -> Array:
    """Return the (size − 10, size) matrix of the valid 11-tap Gaussian average."""
    taps = np.exp(-0.5 * ((np.arange(11) - 5) / 1.5) ** 2)
    taps /= taps.sum()
    matrix = np.zeros((size - 10, size))
    for row in range(size - 10):
        matrix[row, row : row + 11] = taps
    return matrix.astype(np.float32)


class Dssim:
    """DSSIM against a fixed reference.

    Args:
        reference: (3, H, W) float32 planes, 0..255, at least 11 pixels each way.

    """

    def __init__(self, reference: Array) -> None:
        self._x = reference
        self._average = Separable(averaging(reference.shape[1]), averaging(reference.shape[2]))
        self._mx = self._average(reference)
        self._vx = self._average(reference * reference) - self._mx * self._mx

    def measure(self, image: Array) -> float:
        """Return the DSSIM of (3, H, W) planes to the reference, 0 (equal) to 1."""
        return self._parts(image)[0]

    def gradient(self, image: Array) -> tuple[float, Array]:
        """Return the DSSIM and its gradient with respect to the image, (3, H, W)."""
        value, a1, a2, b1, b2, my = self._parts(image)
        ssim = a1 * a2 / (b1 * b2)
        by_product = 2 * a1 / (b1 * b2)
        by_square = -ssim / b2
        by_mean = 2 * self._mx * (a2 - a1) / (b1 * b2) - 2 * my * ssim * (1 / b1 - 1 / b2)
        total = (
            self._average.pullback(by_mean)
            + 2 * image * self._average.pullback(by_square)
            + self._x * self._average.pullback(by_product)
        )
        return value, np.asarray(total * (-0.5 / ssim.size), np.float32)

    def sensitivity(self) -> Array:
        """Return what a change costs, pixel by pixel: DSSIM ≈ Σ sensitivity · δ² for fine δ.

        It is large on smooth skin and small in hair, brows and beard: the second derivative of
        DSSIM's structure term at δ = 0, (3, H, W).
        """
        flat = np.asarray(1 / (2 * self._vx + C2), np.float32)
        return np.asarray(self._average.pullback(flat) * (0.5 / self._vx.size), np.float32)

    def _parts(self, image: Array) -> tuple[float, Any, Any, Any, Any, Any]:
        my = self._average(image)
        product, square = self._mx * my, my * my
        vy = self._average(image * image) - square
        cov = self._average(self._x * image) - product
        a1, a2 = 2 * product + C1, 2 * cov + C2
        b1 = self._mx * self._mx + square + C1
        b2 = self._vx + vy + C2
        value = float((1 - np.mean(a1 * a2 / (b1 * b2), dtype=np.float64)) / 2)
        return value, a1, a2, b1, b2, my
