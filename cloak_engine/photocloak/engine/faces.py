"""What a detected face is, and when its landmarks can carry an alignment."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Landmarks = NDArray[np.float32]

# Where the landmarks of a frontal face lie in units of the aligned square, centred: the ArcFace
# 112-px template, which every recogniser here is aligned by up to a constant.
_FRONTAL = (
    np.array(
        [
            [38.2946, 51.6963],
            [73.5318, 51.5014],
            [56.0252, 71.7366],
            [41.5493, 92.3655],
            [70.7299, 92.2041],
        ]
    )
    / 112
)

SMALLEST = 16.0
"""Pixels across the aligned face below which there is too little to align or to recognise."""

CROOKEDEST = 0.20
"""Largest landmark residual of an alignable face, as a share of the aligned face's side."""


@dataclass(frozen=True, eq=False)
class Face:
    """A face found in an upright photo.

    `box` is (x, y, width, height) in pixels of the photo and may reach beyond its edges.
    `landmarks` is (5, 2) float32, (x, y) pixels: eye, eye, nose, mouth corner, mouth corner; of
    each pair the one on the image's left comes first when the head is upright (the person's own
    right). The order follows the head, so a face lying on its side still aligns upright.
    Coordinates are continuous: the photo's top left corner is (0, 0), its first pixel's middle
    (0.5, 0.5). `score` is the detector's, 0 to 1.
    """

    box: tuple[float, float, float, float]
    landmarks: Landmarks
    score: float

    @property
    def size(self) -> float:
        """The shorter side of the box in pixels, the measure people mean by "a 40-px face"."""
        return min(self.box[2], self.box[3])


def alignable(face: Face, shape: tuple[int, ...]) -> bool:
    """Tell whether the landmarks of `face`, in a photo of `shape` (H, W, …), can be aligned.

    Not alignable are faces of less than `SMALLEST` pixels, faces of which most lies outside the
    photo, and landmarks which no upright, unmirrored face could cast (a "face" in foliage).
    """
    points = face.landmarks.astype(np.float64)
    if points.shape != (5, 2) or not np.isfinite(points).all():
        return False
    height, width = shape[:2]
    inside = (points >= 0).all(axis=1) & (points[:, 0] <= width) & (points[:, 1] <= height)
    if inside.sum() < 3:
        return False
    side, residual = _fit(points)
    return side >= SMALLEST and residual <= CROOKEDEST


def _fit(points: NDArray[np.float64]) -> tuple[float, float]:
    """Fit the frontal template to `points` by a similarity (least squares, never mirrored).

    Returns the aligned square's side in pixels and the root-mean-square landmark error as a
    share of that side. As complex numbers a similarity is z ↦ a·z + b.
    """
    template = _centred(_FRONTAL)
    seen = _centred(points)
    a = np.vdot(template, seen) / np.vdot(template, template)
    side = float(abs(a))
    if side == 0:
        return 0.0, np.inf
    error = seen - a * template
    return side, float(np.sqrt(np.mean(np.abs(error) ** 2))) / side


def _centred(points: NDArray[np.float64]) -> NDArray[np.complex128]:
    values = points[:, 0] + 1j * points[:, 1]
    return np.asarray(values - values.mean())
