"""What a detected face is, and when its landmarks can carry an alignment."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

FivePoints = NDArray[np.float32]

# Where the landmarks of a frontal face lie, x + iy around their middle, in units of the aligned
# square's side: the ArcFace 112-px template, by which every recogniser here aligns but for size.
_FRONTAL = np.array([38.2946, 73.5318, 56.0252, 41.5493, 70.7299]) + 1j * np.array(
    [51.6963, 51.5014, 71.7366, 92.3655, 92.2041]
)
_UPRIGHT = _FRONTAL / 112 - (0.5 + 0.5j)  # around the middle of the square instead
_FRONTAL = (_FRONTAL - _FRONTAL.mean()) / 112

BOX = 1.1
"""The detector's box over the aligned square, longer sides."""

SMALLEST = 16.0
"""Pixels across a face below which there is too little to recognise: such are not looked for."""

CROOKEDEST = 0.2
"""Largest landmark error of an alignable face, as a share of the aligned square's side.

Of 2,606 certain faces in the lab the worst, a profile, reaches .18; one in a hundred exceeds .10.
"""


@dataclass(frozen=True, eq=False)
class Face:
    """A face found in an upright photo.

    `box` is (x, y, width, height) in pixels of the photo and may reach beyond its edges.
    `landmarks` is (5, 2) float32, (x, y) pixels: eye, eye, nose, mouth corner, mouth corner; of
    each pair the one on the image's left comes first when the head is upright (the person's own
    right). The order follows the head, so a face lying on its side still aligns upright.
    The origin of coordinates is the middle of the first pixel. `score` is the detector's, 0 to 1.
    """

    box: tuple[float, float, float, float]
    landmarks: FivePoints
    score: float

    @property
    def size(self) -> float:
        """The shorter side of the box in pixels, the measure people mean by "a 40-px face"."""
        return min(self.box[2], self.box[3])


def alignable(face: Face, shape: tuple[int, ...]) -> bool:
    """Tell whether the landmarks of `face`, in a photo of `shape` (H, W, …), can be aligned.

    Not alignable are faces of less than `SMALLEST` pixels, faces of which most lies outside the
    photo, and landmarks that no upright, unmirrored face casts.
    """
    points = face.landmarks.astype(np.float64)
    if points.shape != (5, 2) or not np.isfinite(points).all() or face.size < SMALLEST:
        return False
    height, width = shape[:2]
    inside = (points >= -0.5).all(axis=1) & (points <= (width - 0.5, height - 0.5)).all(axis=1)
    if inside.sum() < 3:
        return False
    middle, factor = fit(points)
    side = abs(factor)
    error = np.abs(complexes(points) - middle - factor * _FRONTAL)
    return side > face.size / 2 and float(np.sqrt(np.mean(error**2))) <= CROOKEDEST * side


def standing(middle: complex, side: float, tilt: float) -> FivePoints:
    """Return the landmarks of a frontal face whose aligned square is at a place.

    Args:
        middle: of the square, x + iy.
        side: of the square, in pixels.
        tilt: of the head in radians, positive clockwise.

    """
    at = middle + side * np.exp(1j * tilt) * _UPRIGHT
    return np.stack([at.real, at.imag], axis=1).astype(np.float32)


def filling(face: Face, turns: int = 0) -> Face:
    """Return a face with the landmarks of one that fills its box, the head turned by quarters.

    It is what there is to look at where a face's own landmarks cannot be aligned.
    """
    x, y, w, h = face.box
    points = standing(complex(x + w / 2, y + h / 2), max(w, h) / BOX, turns * np.pi / 2)
    return replace(face, landmarks=points)


def same_face(face: Face, candidates: Sequence[Face]) -> Face | None:
    """Return the candidate whose landmarks lie on the face's, if there is one."""
    span = max(float(np.linalg.norm(face.landmarks[0] - face.landmarks[1])), 1.0)
    near = [
        (float(np.linalg.norm(other.landmarks - face.landmarks, axis=1).mean()) / span, i)
        for i, other in enumerate(candidates)
    ]
    distance, index = min(near, default=(np.inf, -1))
    return candidates[index] if distance < 0.5 else None


def fit(landmarks: NDArray[np.floating]) -> tuple[complex, complex]:
    """Fit the frontal face to (5, 2) `landmarks` by a similarity, never mirrored (least squares).

    Returns, with points as complex numbers x + iy, the middle of the landmarks and the factor
    whose modulus is the aligned face's side in pixels and whose angle is the head's tilt.
    """
    seen = complexes(landmarks)
    return complex(seen.mean()), complex(np.vdot(_FRONTAL, seen) / np.vdot(_FRONTAL, _FRONTAL))


def complexes(points: NDArray[np.floating]) -> NDArray[np.complex128]:
    """Return (…, 2) `points` as complex numbers x + iy."""
    return points[..., 0].astype(np.float64) + 1j * points[..., 1]
