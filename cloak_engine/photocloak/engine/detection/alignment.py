"""The face space: an aligned square around a face, in which the cloak lives.

A photo has 2 to 100 megapixels, a recogniser sees about 112 × 112. The cloak δ is optimised in
the aligned square (ArcFace template, 224 px) and only δ is warped back, so that a step costs the
same for every photo and pixels outside the faces stay what they were.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from photocloak.engine.detection.faces import Face
from photocloak.engine.geometry import Array, Separable, bilinear, invert, resampling, similarity

SIZE = 224
"""Edge of the face space in pixels (the paper's crop, and the scale DSSIM is defined at)."""

ARCFACE = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
)
"""The 112-px ArcFace template: eyes, nose, mouth corners, left to right in the image."""

Image = NDArray[np.uint8]

_FINER = 4  # how much finer δ's grid is made before it is laid on the photo


def aligned(image: Image, matrix: NDArray[np.float64], size: int) -> Array:
    """Return the (size, size, 3) float32 chip whose pixel (x, y) is the photo at `matrix`.

    A photo much finer than the chip is box-reduced first, so that a chip is not made of aliases.
    """
    part, matrix = _reduced(image, matrix, size)
    return bilinear(part, matrix, size)


def chip(image: Image, face: Face, template: NDArray[np.floating], size: int) -> Array:
    """Return the (size, size, 3) float32 crop that puts the face's landmarks on `template`."""
    return aligned(image, invert(similarity(face.landmarks, template)), size)


def _reduced(
    image: Image, matrix: NDArray[np.float64], size: int
) -> tuple[NDArray[np.generic], NDArray[np.float64]]:
    """Cut the part of the photo that the chip needs and box-average it by a whole factor."""
    corners = matrix @ np.array([[0, size, 0, size], [0, 0, size, size], [1, 1, 1, 1]], np.float64)
    factor = max(1, int(np.hypot(matrix[0, 0], matrix[1, 0])))
    low = np.maximum(np.floor(corners.min(axis=1)).astype(int) - 2 * factor, 0)
    high = np.ceil(corners.max(axis=1)).astype(int) + 2 * factor + 1
    part: NDArray[np.generic] = image[low[1] : max(high[1], 0), low[0] : max(high[0], 0)]
    matrix = matrix.copy()
    matrix[:, 2] -= low
    if factor > 1:
        rows, columns = part.shape[0] // factor * factor, part.shape[1] // factor * factor
        part = (
            part[:rows, :columns]
            .reshape(rows // factor, factor, columns // factor, factor, 3)
            .mean(axis=(1, 3), dtype=np.float32)
        )
        matrix = (matrix - [[0, 0, (factor - 1) / 2]] * 2) / factor
    if part.size == 0:
        part = np.zeros((1, 1, 3), np.uint8)
        matrix[:, 2] = -1e6
    return part, matrix


@dataclass(frozen=True)
class FaceSpace:
    """The aligned square of one face.

    Attributes:
        matrix: (2, 3) float64, face-space pixels to photo pixels.
        native: edge of the square in photo pixels.
        grid: edge of the grid δ lives on: the photo's own resolution where that is below SIZE,
            because detail finer than the photo's pixels would be lost on the way back.

    """

    matrix: NDArray[np.float64]
    native: float
    grid: int

    @classmethod
    def of(cls, face: Face) -> "FaceSpace":
        """Return the face space of a detected face."""
        matrix = invert(similarity(face.landmarks, ARCFACE * (SIZE / 112)))
        native = SIZE * float(np.hypot(matrix[0, 0], matrix[1, 0]))
        return cls(matrix, native, int(np.clip(round(native), 16, SIZE)))

    def box(self, around: float) -> tuple[Array, Array]:
        """Return the low and the high corner, (2,) each, of what the square covers in the photo.

        Args:
            around: how far beyond the square, in shares of its edge.

        """
        low, high = -around * SIZE, (1 + around) * SIZE
        corners = self.matrix @ np.array([[low, high] * 2, [low, low, high, high], [1.0] * 4])
        low_corner, high_corner = corners.min(axis=1), corners.max(axis=1)
        return low_corner.astype(np.float32), high_corner.astype(np.float32)

    def crop(self, image: Image) -> Array:
        """Return the (3, SIZE, SIZE) float32 planes of the photo, 0..255."""
        return np.ascontiguousarray(aligned(image, self.matrix, SIZE).transpose(2, 0, 1))

    def refine(self) -> Array:
        """Return the (SIZE, grid) matrix that interpolates δ's grid to the face space."""
        return resampling(SIZE, self.grid, (self.grid - 1) / (SIZE - 1), 0.0)

    def inside(self, shape: tuple[int, ...]) -> Array:
        """Return 1 where a point of δ's grid lies in the photo, else 0, (grid, grid) float32.

        Args:
            shape: of the photo, (H, W, ...).

        """
        step = np.arange(self.grid) * (SIZE - 1) / (self.grid - 1)
        x, y = np.meshgrid(step, step)
        columns, rows = self.matrix @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
        within = (columns >= 0) & (columns < shape[1]) & (rows >= 0) & (rows < shape[0])
        return np.asarray(within.reshape(self.grid, self.grid), np.float32)

    def add(self, image: Image, delta: Array) -> Image:
        """Return a copy of the photo with δ added, rounded and clipped to 0..255.

        Args:
            image: (H, W, 3) uint8.
            delta: (3, grid, grid) float32 in grey levels.

        """
        step = (SIZE - 1) / (self.grid - 1)
        to_photo = self.matrix @ np.array([[step, 0, 0], [0, step, 0], [0, 0, 1]], np.float64)
        corners = to_photo @ np.array(
            [[0, self.grid - 1, 0, self.grid - 1], [0, 0, self.grid - 1, self.grid - 1], [1] * 4]
        )
        low = np.maximum(np.floor(corners.min(axis=1)).astype(int), 0)
        high = np.minimum(np.ceil(corners.max(axis=1)).astype(int) + 1, image.shape[1::-1])
        if (high <= low).any():
            return image.copy()
        to_grid = invert(to_photo)
        to_grid[:, 2] += to_grid[:, :2] @ low
        out = image.copy()
        window = out[low[1] : high[1], low[0] : high[0]]
        for channel, change in enumerate(sampled(delta, to_grid, window.shape[:2])):
            window[..., channel] = np.clip(np.rint(window[..., channel] + change), 0, 255)
        return out


def sampled(planes: Array, matrix: NDArray[np.float64], shape: tuple[int, int]) -> Iterator[Array]:
    """Yield each (h, w) plane: (C, g, g) `planes` at `matrix` @ [x, y, 1], zero outside.

    A large face stretches δ's grid several times over, and the kinks of bilinear sampling would
    show. So Catmull-Rom splines make the grid `_FINER` times as fine first; between those points
    bilinear sampling is within a hundredth of the spline.
    """
    spline = _catmull_rom(planes.shape[-1])
    fine = Separable(spline, spline)(planes)
    # Pillow's coordinates are continuous: the first pixel's middle is .5, 1.5 before the grid's.
    middle = matrix @ [-0.5, -0.5, 1] + 1.5
    coefficients = tuple(_FINER * np.column_stack([matrix[:, :2], middle]).ravel())
    for plane in fine:
        yield np.asarray(
            Pillow.fromarray(plane).transform(
                shape[::-1], Pillow.Transform.AFFINE, coefficients, Pillow.Resampling.BILINEAR
            )
        )


def _catmull_rom(grid: int) -> Array:
    """Return the ((grid + 2) · _FINER, grid) matrix of splines, from 1.5 before the first point."""
    at = (np.arange((grid + 2) * _FINER) + 0.5) / _FINER - 1.5
    before = np.floor(at).astype(int)
    t = at - before
    weights = (
        ((2 - t) * t - 1) * t / 2,
        ((3 * t - 5) * t * t + 2) / 2,
        (((4 - 3 * t) * t + 1) * t) / 2,
        ((t - 1) * t * t) / 2,
    )
    matrix = np.zeros((len(at), grid), np.float32)
    for offset, weight in enumerate(weights, -1):
        neighbour = before + offset
        within = (neighbour >= 0) & (neighbour < grid)
        matrix[within, neighbour[within]] = weight[within]
    return matrix
