"""Parts of a face as soft masks in the face space, drawn from its landmarks.

The outlines are lists of vertices of MediaPipe's canonical face mesh (its published topology:
mediapipe/modules/face_geometry/data/canonical_face_model_uv_visualization.png). "Left" and
"right" are the image's, as they are for the detector's landmarks.
"""

from typing import Final, Literal

import numpy as np
from PIL import Image as Pillow
from PIL import ImageChops, ImageDraw

from photocloak.engine.detection.alignment import SIZE
from photocloak.engine.geometry import Array, Separable, gaussian

Region = Literal[
    "face_oval", "eyes", "irises", "brows", "lips", "mouth", "nose_bridge", "nose_tip", "nostrils"
]

# fmt: off
FACE_OVAL: Final = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)
LEFT_EYE: Final = (
    33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246,
)
RIGHT_EYE: Final = (
    263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466,
)
LEFT_BROW: Final = (46, 53, 52, 65, 55, 107, 66, 105, 63, 70)
RIGHT_BROW: Final = (276, 283, 282, 295, 285, 336, 296, 334, 293, 300)
OUTER_LIPS: Final = (
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185,
)
INNER_LIPS: Final = (
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191,
)
NOSE_BRIDGE: Final = (168, 122, 196, 236, 134, 51, 5, 281, 363, 456, 419, 351)
NOSE_TIP: Final = (5, 51, 134, 131, 49, 129, 98, 97, 2, 326, 327, 358, 279, 360, 363, 281)
LEFT_NOSTRIL: Final = (218, 237, 241, 242, 99, 240, 235, 219)
RIGHT_NOSTRIL: Final = (438, 457, 461, 462, 328, 460, 455, 439)
# fmt: on

OUTLINES: Final[dict[str, tuple[tuple[int, ...], ...]]] = {
    "face_oval": (FACE_OVAL,),
    "eyes": (LEFT_EYE, RIGHT_EYE),
    "brows": (LEFT_BROW, RIGHT_BROW),
    "lips": (OUTER_LIPS,),
    "mouth": (INNER_LIPS,),
    "nose_bridge": (NOSE_BRIDGE,),
    "nose_tip": (NOSE_TIP,),
    "nostrils": (LEFT_NOSTRIL, RIGHT_NOSTRIL),
}

_FINER: Final = 4  # outlines are drawn so much larger, for edges that are not jagged
_IRIS: Final = 0.21  # radius over the eye's width: 11.7 mm across, the lids 28 mm apart at corners


def mask(points: Array, region: Region, *, softness: float) -> Array:
    """Return how far each pixel of the face space belongs to `region`.

    Args:
        points: (468, 2), x and y in face-space pixels.
        region: which part; of pairs both. `lips` are the outer outline, with what lies between
            the lips, which `mouth` is alone. Irises are in the middle of the open eyes, wherever
            these look.
        softness: σ in pixels of the Gaussian that blurs the edges; 0 leaves them sharp.

    Returns:
        (SIZE, SIZE) float32, 0 outside to 1 inside.

    """
    drawing = Pillow.new("L", (SIZE * _FINER, SIZE * _FINER))
    pen = ImageDraw.Draw(drawing)
    for outline in OUTLINES["eyes" if region == "irises" else region]:
        _fill(pen, points[list(outline)])
    if region == "irises":
        drawing = ImageChops.multiply(drawing, _irises(points))
    filled = np.asarray(drawing.reduce(_FINER), np.float32)[None] / np.float32(255)
    blur = gaussian(SIZE, softness)
    return np.asarray(Separable(blur, blur)(filled)[0], np.float32)


def _fill(pen: ImageDraw.ImageDraw, outline: Array) -> None:
    """Fill an outline in face-space pixels, whose origin is the middle of the first."""
    corners = (outline + 0.5) * _FINER - 0.5
    pen.polygon([(float(x), float(y)) for x, y in corners], fill=255)


def _irises(points: Array) -> Pillow.Image:
    """Return discs where irises are when eyes look ahead."""
    drawing = Pillow.new("L", (SIZE * _FINER, SIZE * _FINER))
    pen = ImageDraw.Draw(drawing)
    turns = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    disc = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    for eye in (LEFT_EYE, RIGHT_EYE):
        lids = points[list(eye)]
        radius = _IRIS * float(np.linalg.norm(lids[0] - lids[8]))
        _fill(pen, lids.mean(axis=0) + radius * disc)
    return drawing
