"""Pictures of all around: a face on their edges is one face, so they are cut open elsewhere."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from photocloak.engine.detection.alignment import Image
from photocloak.engine.detection.faces import Face

Box = tuple[int, int, int, int]
"""x, y, width, height in whole pixels."""

Detect = Callable[[Image], list[Face]]


def cut(image: Image, detect: Detect) -> int | None:
    """Return the column to cut a picture of all around open at, so that no face is cut.

    Args:
        image: (H, W, 3) uint8, whose left and right edge touch.
        detect: finds the faces of a picture.

    Returns:
        0 where no face lies on or beside the edges as they are; None where faces lie in every
        column.

    """
    width = image.shape[1]
    reach = max(1, width // 4)  # the largest face there is fills half of the picture
    strip = np.concatenate([image[:, width - reach :], image[:, :reach]], axis=1)
    near = [one for one in map(_reaches, detect(strip)) if one[0] < reach < one[1]]
    if not near:
        return 0
    spans = [(left - reach, right - reach) for left, right in near]
    spans += map(_reaches, detect(image))
    free = np.ones(width, bool)
    for left, right in spans:
        free[np.arange(int(left), min(int(right) + 1, int(left) + width)) % width] = False
    return _middle_of_widest(free)


def turned(image: Image, column: int) -> Image:
    """Return the picture cut open at a column, which becomes its first; negative: back again."""
    return np.roll(image, -column, axis=1) if column else image


def box_as_published(box: Box, column: int, width: int) -> Box:
    """Return where a box of the turned picture lies in the picture: its larger part, if two.

    Args:
        box: in the turned picture.
        column: that the picture was cut open at.
        width: of the picture.

    """
    if not column:
        return box
    x, y, w, h = box
    x = (x + column) % width
    before = min(w, width - x)
    return (x, y, before, h) if 2 * before >= w else (0, y, w - before, h)


def _reaches(face: Face) -> tuple[float, float]:
    """Return the columns of a face with its cloak and what a recogniser sees of it."""
    x, _, w, _ = face.box
    return x - w / 2, x + 1.5 * w


def _middle_of_widest(free: NDArray[np.bool_]) -> int | None:
    """Return the middle of the longest run of free columns around a circle."""
    taken = np.flatnonzero(~free)
    gaps = np.diff(taken, append=taken[0] + len(free))
    widest = int(gaps.argmax())
    if gaps[widest] < 2:
        return None
    return int(taken[widest] + gaps[widest] // 2) % len(free)
