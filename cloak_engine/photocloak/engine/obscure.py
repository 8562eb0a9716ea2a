"""Faces made unrecognisable where no cloak is strong enough: blurred, in blocks, or covered.

What is left of a face are a few means of its pixels, so there is nothing that sharpening could
bring back: `blur` and `pixelate` show the same means, one smoothly, the other in blocks. Nothing
outside of the area changes.
"""

from typing import Final

import numpy as np
from PIL import Image as Pillow
from PIL import ImageChops, ImageDraw, ImageFilter

from photocloak.engine.detection.alignment import FaceSpace, Image
from photocloak.engine.detection.faces import Face, alignable
from photocloak.engine.detection.landmarks import FindLandmarks
from photocloak.engine.detection.regions import FACE_OVAL
from photocloak.engine.geometry import Array
from photocloak.engine.modes import Fallback

CELLS: Final = (4, 3, 2)
"""Means across the longer side of the area: at first, and where a recogniser knows it still."""

NEUTRAL: Final = (118, 70, 170)
"""Grey levels of a box, likewise: about what a photo has in its middle, and nobody's skin."""

TRIES: Final = 3
"""How often a face is made unrecognisable, each time leaving less of it."""

GROWN: Final = 1.3
"""The area over the face's oval, each way: hair line, ears and jaw are known, too."""

_FEATHER: Final = 0.05  # of the area's longer side, over which a blur begins
_AROUND: Final = 1.2  # the area over the box, of a face whose parts cannot be looked for


def obscure(
    image: Image, face: Face, find: FindLandmarks, how: Fallback, *, tried: int = 0
) -> Image:
    """Return a copy of a photo with a face made unrecognisable.

    Args:
        image: (H, W, 3) uint8 sRGB, upright.
        face: as detected; it need not be alignable.
        find: finds the parts of a face.
        how: in which way.
        tried: how often that was not enough; below `TRIES`.

    """
    outline = area(image, face, find)
    low = np.maximum(np.floor(outline.min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(outline.max(axis=0)).astype(int) + 1, image.shape[1::-1])
    out = image.copy()
    if (high <= low).any():
        return out
    window = out[low[1] : high[1], low[0] : high[0]]
    outline = outline - low
    if how == "box":
        window[:] = NEUTRAL[tried]
    elif how == "pixelate":
        inside = np.asarray(_filled(outline, window.shape))[..., None] > 0
        window[:] = np.where(
            inside, _means(window, CELLS[tried], Pillow.Resampling.NEAREST), window
        )
    else:
        share = np.asarray(_feathered(outline, window.shape), np.float32)[..., None] / 255
        smooth = _means(window, CELLS[tried], Pillow.Resampling.BICUBIC).astype(np.float32)
        window[:] = np.rint(window + share * (smooth - window))
    return out


def area(image: Image, face: Face, find: FindLandmarks) -> Array:
    """Return the outline of what is changed, (N, 2), x and y in pixels of the photo.

    It is the oval of the face, grown; of a face that cannot be aligned, an ellipse around its box.
    """
    if alignable(face, image.shape):
        matrix = FaceSpace.of(face).matrix
        oval = find(image, face).points[list(FACE_OVAL)] @ matrix[:, :2].T + matrix[:, 2]
        middle = (oval.min(axis=0) + oval.max(axis=0)) / 2
        return np.asarray(middle + GROWN * (oval - middle), np.float32)
    x, y, w, h = face.box
    turns = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    circle = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    middle, radii = np.array([x + w / 2, y + h / 2]), np.array([w / 2, h / 2])
    return np.asarray(middle + _AROUND * radii * circle, np.float32)


def _means(window: Image, cells: int, how: Pillow.Resampling) -> Image:
    """Return the window made of its means alone, `cells` across its longer side."""
    height, width = window.shape[:2]
    cell = max(height, width) / cells
    few = max(1, round(width / cell)), max(1, round(height / cell))
    means = Pillow.fromarray(window).resize(few, Pillow.Resampling.BOX)
    return np.asarray(means.resize((width, height), how))


def _filled(outline: Array, shape: tuple[int, ...]) -> Pillow.Image:
    """Return a mask of (H, W) that is 255 inside an outline."""
    mask = Pillow.new("L", (shape[1], shape[0]))
    ImageDraw.Draw(mask).polygon([(float(x), float(y)) for x, y in outline], fill=255)
    return mask


def _feathered(outline: Array, shape: tuple[int, ...]) -> Pillow.Image:
    """Return such a mask whose edge rises from 0 on the outline."""
    size = outline.max(axis=0) - outline.min(axis=0)
    feather = _FEATHER * float(size.max())
    middle = (outline.min(axis=0) + outline.max(axis=0)) / 2
    inner = middle + (outline - middle) * (1 - 2 * feather / np.maximum(size, 1))
    soft = _filled(inner, shape).filter(ImageFilter.BoxBlur(feather))
    return ImageChops.multiply(soft, _filled(outline, shape))
