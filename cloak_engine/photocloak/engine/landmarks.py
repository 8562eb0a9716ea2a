"""Where the parts of a face are: the 468 points of MediaPipe FaceMesh, in the face space.

The detector's five landmarks align a face; these outline its eyes, brows, nose, lips and its whole
oval (Kartynnik et al. 2019, arXiv 1907.06724). The network sees the face upright and a little
smaller than the face space shows it, as it was trained to.
"""

import tomllib
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from photocloak.core import ModelError, manifest_root
from photocloak.engine.extractors.cache import ModelCache, plain_key
from photocloak.engine.extractors.weights import read_model
from photocloak.engine.faces import Face
from photocloak.engine.geometry import Array, invert
from photocloak.engine.regions import LEFT_EYE, RIGHT_EYE
from photocloak.engine.space import SIZE, FaceSpace, Image, aligned

POINTS: Final = 468

LEAST_PRESENCE: Final = 0.5
"""Chance of a face, as the network gives it, from which its points are believed."""

LARGEST_DEVIATION: Final = 16.0
"""Mean distance to the detector's five landmarks, in face-space pixels, up to which they are."""

_SEEN: Final = 192  # edge of the crop that the network takes
_WIDTH: Final = 1.2 * SIZE  # the same edge in face-space pixels …
_MIDDLE: Final = (112.0, 134.0)  # … and the crop's middle there
_NOSE: Final = 1
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


class Landmarker:
    """`load_landmarker()(image, face)`: the landmarks of a detected face.

    Attributes:
        average: (468, 2) float32, the points of an average face in the face space.

    """

    def __init__(self, session: Any, average: Array) -> None:
        self._session = session
        self.average = average

    def __call__(self, image: Image, face: Face) -> Landmarks:
        """Find the landmarks of `face` in `image`, (H, W, 3) uint8 sRGB."""
        to_photo = FaceSpace.of(face).matrix
        step = _WIDTH / _SEEN
        # The network's coordinates are continuous: the first pixel's middle is .5.
        corner = np.array(_MIDDLE) - step * (_SEEN - 1) / 2
        placed = np.array([[step, 0, corner[0]], [0, step, corner[1]], [0, 0, 1]])
        crop = aligned(image, to_photo @ placed, _SEEN).transpose(2, 0, 1)
        seen, presence = self._session.run(
            ["points", "presence"], {"crops": np.ascontiguousarray(crop[None])}
        )
        points = ((seen[0] - 0.5) * step + corner).astype(np.float32)
        to_space = invert(to_photo)
        five = face.landmarks @ to_space[:, :2].T + to_space[:, 2]
        deviation = float(np.linalg.norm(five_of(points) - five, axis=1).mean())
        certain = float(presence[0, 0]) >= LEAST_PRESENCE and deviation <= LARGEST_DEVIATION
        return Landmarks(
            points if certain else self.average, float(presence[0, 0]), deviation, certain
        )


def five_of(points: Array) -> Array:
    """Return the five points that the detector has, (5, 2): eyes, nose, mouth corners."""
    eyes = [points[list(eye)].mean(axis=0) for eye in (LEFT_EYE, RIGHT_EYE)]
    return np.stack([*eyes, points[_NOSE], *points[list(_MOUTH)]])


@cache
def load_landmarker(folder: Path | None = None) -> Landmarker:
    """Return the shipped landmarker; `folder` is for models that are ready to run.

    Raises:
        ModelError: a file is missing or not the pinned one, or there is no runtime.

    """
    path = manifest_root() / "landmarks" / "facemesh.toml"
    try:
        manifest = tomllib.loads(path.read_text("utf-8"))
        average = np.loadtxt(path.parent / manifest["average"], np.float32, delimiter=",")
        sha256 = manifest["sha256"]
        if average.shape != (POINTS, 2):
            raise ValueError(f"{manifest['average']} has the shape {average.shape}")
        read = partial(read_model, path.parent / manifest["model"], sha256)
    except (OSError, KeyError, ValueError) as error:
        raise ModelError(
            f"The landmark model's manifest {path} cannot be used "
            f"({type(error).__name__}: {error}); reinstall photocloak."
        ) from error
    session = ModelCache(folder).open(plain_key("facemesh", sha256), read, threads=1, device="cpu")
    return Landmarker(session, average)
