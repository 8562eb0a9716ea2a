"""Where the parts of a face are: the 468 points of MediaPipe FaceMesh, in the face space.

The detector's five landmarks align a face; these outline its eyes, brows, nose, lips and its whole
oval (Kartynnik et al. 2019, arXiv 1907.06724).
"""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from photocloak.core import ModelError, manifest_root
from photocloak.engine.detection.alignment import FaceSpace, Image, aligned
from photocloak.engine.detection.faces import Face
from photocloak.engine.detection.regions import LEFT_EYE, RIGHT_EYE
from photocloak.engine.extractors.cache import ModelCache, plain_key
from photocloak.engine.extractors.weights import read_model
from photocloak.engine.geometry import Array, invert

POINTS: Final = 468

LEAST_PRESENCE: Final = 0.5
"""Chance of a face, as the network gives it, from which its points are believed."""

LARGEST_DEVIATION: Final = 12.0
"""Mean distance to the detector's five landmarks, in face-space pixels, up to which they are."""

_SEEN: Final = 192  # edge of the crop that the network takes
_MARGIN: Final = 1.4  # the crop over the mesh, longer sides: MediaPipe has 1.5, less cuts chins
_LOOKS: Final = 2
_CORNERS: Final = (33, 263)  # outer ones of the eyes
_NOSE: Final = (1, 4)  # the detector's lies between
_MOUTH: Final = (61, 291)


@dataclass(frozen=True, eq=False)
class Landmarks:
    """The points of one face.

    Attributes:
        points: (468, 2) float32, x and y in pixels of the face space; vertices of MediaPipe's
            canonical face mesh. They may lie outside of the face space.
        presence: chance that the network saw a face, 0 to 1.
        deviation: mean distance in face-space pixels between the network's eyes, nose and mouth
            corners and the detector's.
        certain: False where the network saw no face or another one than the detector; then
            `points` are those of an average face.

    """

    points: Array
    presence: float
    deviation: float
    certain: bool


FindLandmarks = Callable[[Image, Face], Landmarks]
"""Finds the landmarks of a detected face in an (H, W, 3) uint8 sRGB photo."""


class Landmarker:
    """`load_landmarker()(image, face)`: the landmarks of a detected face.

    Attributes:
        average: (468, 2) float32, the points of an average face in the face space.

    """

    def __init__(self, session: Any, average: Array) -> None:
        self._session = session
        self.average = average

    def __call__(self, image: Image, face: Face) -> Landmarks:
        """Find the landmarks of `face` in `image`, (H, W, 3) uint8 sRGB.

        The network looks where an average face would be, and again where it saw this one: fewer are
        far off then, above all of those in profile.
        """
        to_photo = FaceSpace.of(face).matrix
        points, presence = self.average, 0.0
        for _ in range(_LOOKS):
            points, presence = self._look(image, to_photo, _frame(points))
        to_space = invert(to_photo)
        five = face.landmarks @ to_space[:, :2].T + to_space[:, 2]
        deviation = float(np.linalg.norm(five_of(points) - five, axis=1).mean())
        certain = presence >= LEAST_PRESENCE and deviation <= LARGEST_DEVIATION
        return Landmarks(points if certain else self.average, presence, deviation, certain)

    def _look(
        self, image: Image, to_photo: NDArray[np.float64], frame: NDArray[np.float64]
    ) -> tuple[Array, float]:
        """Return points in the face space and presence, as seen in a crop placed by `frame`."""
        placed = np.vstack([frame, [0, 0, 1]])
        crop = aligned(image, to_photo @ placed, _SEEN).transpose(2, 0, 1)[None]
        seen, presence = self._session.run(
            ["points", "presence"], {"crops": np.ascontiguousarray(crop)}
        )
        # The network's coordinates are continuous: the first pixel's middle is .5.
        points = (seen[0] - 0.5) @ frame[:, :2].T + frame[:, 2]
        return points.astype(np.float32), float(presence[0, 0])


def _frame(points: Array) -> NDArray[np.float64]:
    """Return the (2, 3) matrix from pixels of an upright crop around `points` to the face space."""
    left, right = points[list(_CORNERS)].astype(np.float64)
    along = (right - left) / max(float(np.linalg.norm(right - left)), 1e-6)
    turn = np.array([[along[0], -along[1]], [along[1], along[0]]])
    upright = points @ turn
    low, high = upright.min(axis=0), upright.max(axis=0)
    linear = turn * (_MARGIN * (high - low).max() / _SEEN)
    middle = turn @ (low + high) / 2
    return np.column_stack([linear, middle - linear @ np.full(2, (_SEEN - 1) / 2)])


def five_of(points: Array) -> Array:
    """Return the five points that the detector has, (5, 2): eyes, nose, mouth corners."""
    parts = (LEFT_EYE, RIGHT_EYE, _NOSE)
    middles = [points[list(part)].mean(axis=0) for part in parts]
    return np.stack([*middles, *points[list(_MOUTH)]])


def average_points() -> Array:
    """Return the points of an average face in the face space, (468, 2) float32."""
    average = np.loadtxt(manifest_root() / "landmarks" / "average.csv", np.float32, delimiter=",")
    if average.shape != (POINTS, 2):
        raise ValueError(f"average.csv has the shape {average.shape}")
    return average


def average_landmarks(_image: Image, _face: Face) -> Landmarks:
    """Return the landmarks of an average face, whatever face it is; for tests and measurements."""
    return Landmarks(average_points(), presence=0.0, deviation=0.0, certain=False)


@cache
def load_landmarker(folder: Path | None = None) -> Landmarker:
    """Return the shipped landmarker; `folder` is for models that are ready to run.

    Raises:
        ModelError: a file is missing or not the pinned one, or there is no runtime.

    """
    path = manifest_root() / "landmarks" / "facemesh.toml"
    try:
        manifest = tomllib.loads(path.read_text("utf-8"))
        average = average_points()
        sha256 = manifest["sha256"]
        read = partial(read_model, path.parent / manifest["model"], sha256)
    except (OSError, KeyError, ValueError) as error:
        raise ModelError(
            f"The landmark model's manifest {path} cannot be used "
            f"({type(error).__name__}: {error}); reinstall photocloak."
        ) from error
    session = ModelCache(folder).open(plain_key("facemesh", sha256), read, threads=1, device="cpu")
    return Landmarker(session, average)
