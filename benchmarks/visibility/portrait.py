"""What a judge is shown of a photo: the face with hair, ears and neck, as large as it is."""

import numpy as np
from PIL import Image as Pillow

from photocloak.engine.detection.alignment import Image
from photocloak.engine.detection.faces import Face

AROUND = 2.2
"""Width and height of what is shown, in those of the face's box."""

LONGEST = 900
"""Pixels on the longer side to which a larger portrait is reduced."""

LONGEST_IN_PAIR = 776
"""The same for one of two beside each other: a pair is 1,568 pixels wide, as much as a screen of
1,600 or a model that is asked to look takes in without reducing it again."""

SMALL = 160
"""Shorter side of a face's box in pixels below which it is shown twice as large, as a viewer would
who looks at it."""

GAP = 16
"""Pixels between the pictures of a pair."""


def portrait(image: Image, face: Face, longest: int = LONGEST) -> Pillow.Image:
    """Return what is shown of an (H, W, 3) uint8 photo of the face; never larger than `longest`."""
    x, y, w, h = face.box
    height, width = image.shape[:2]
    left, right = _inside(x + w / 2, AROUND * w / 2, width)
    top, bottom = _inside(y + h / 2, AROUND * h / 2, height)
    shown = Pillow.fromarray(np.ascontiguousarray(image[top:bottom, left:right]))
    scale = min(2 if face.size < SMALL else 1, longest / max(shown.size))
    if scale == 1:
        return shown
    size = round(scale * shown.width), round(scale * shown.height)
    return shown.resize((max(size[0], 1), max(size[1], 1)), Pillow.Resampling.LANCZOS)


def beside(left: Pillow.Image, right: Pillow.Image) -> Pillow.Image:
    """Return two pictures of one size beside each other on grey."""
    pair = Pillow.new("RGB", (left.width + GAP + right.width, left.height), (128, 128, 128))
    pair.paste(left, (0, 0))
    pair.paste(right, (left.width + GAP, 0))
    return pair


def _inside(middle: float, reach: float, length: int) -> tuple[int, int]:
    """Return from where to where `reach` around `middle` is, cut off at the photo's edges."""
    return max(round(middle - reach), 0), min(round(middle + reach), length)
