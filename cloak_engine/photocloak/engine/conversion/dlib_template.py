"""`python -m photocloak.engine.conversion.dlib_template`: the template of manifests/.../dlib.toml.

dlib aligns 51 points to a mean face; we have five landmarks and one face space. So the template is
the ArcFace template, scaled and shifted (not rotated: chips of all recognisers stay parallel) to
lie as close as possible to where dlib's mean face has these five points.
"""

import numpy as np
from numpy.typing import NDArray

from photocloak.engine.detection.alignment import ARCFACE

SIZE = 150
PADDING = 0.25
# dlib/image_transforms/interpolation.h, get_face_chip_details: mean_face_shape_x and _y of the six
# points of each eye, the tip of the nose and the corners of the mouth.
LEFT_EYE = (
    (0.121737, 0.187122, 0.265825, 0.334606, 0.260918, 0.182743),
    (0.216423, 0.178758, 0.179852, 0.231733, 0.245099, 0.244077),
)
RIGHT_EYE = (
    (0.645647, 0.714428, 0.793132, 0.858516, 0.79751, 0.719335),
    (0.231733, 0.179852, 0.178758, 0.216423, 0.244077, 0.245099),
)
NOSE = (0.490127, 0.515625)
MOUTH = ((0.254149, 0.780233), (0.726104, 0.780233))


def mean_face() -> NDArray[np.float64]:
    """Return dlib's five points in chip pixels, (5, 2), (0, 0) the middle of the first pixel."""
    eyes = [np.mean(eye, axis=1) for eye in (LEFT_EYE, RIGHT_EYE)]
    points = np.array([*eyes, NOSE, *MOUTH])
    return np.asarray((points + PADDING) / (1 + 2 * PADDING) * SIZE - 0.5)


def template() -> NDArray[np.float64]:
    """Return the scaled and shifted ArcFace template closest to dlib's mean face, (5, 2)."""
    wanted = mean_face()
    have = ARCFACE - ARCFACE.mean(axis=0)
    scale = float((have * (wanted - wanted.mean(axis=0))).sum() / (have**2).sum())
    return np.asarray(have * scale + wanted.mean(axis=0))


if __name__ == "__main__":
    for x, y in template():
        print(f"    [{x:.4f}, {y:.4f}],")
