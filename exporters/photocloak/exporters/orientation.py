"""The eight EXIF orientations as views of arrays."""

from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

Pixels = TypeVar("Pixels", bound=NDArray[np.generic])

# orientation: (transpose first, then flip rows, then flip columns) turns stored into upright
_TURNS = {
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


def upright(stored: Pixels, orientation: int) -> Pixels:
    """Return (H, W, …) pixels as they are to be seen; a view."""
    transpose, rows, columns = _TURNS[orientation]
    seen: Any = np.swapaxes(stored, 0, 1) if transpose else stored
    return cast("Pixels", seen[:: -1 if rows else 1, :: -1 if columns else 1])


def stored(seen: Pixels, orientation: int) -> Pixels:
    """Return upright pixels as the file stores them; a view, the inverse of `upright`."""
    transpose, rows, columns = _TURNS[orientation]
    turned = seen[:: -1 if rows else 1, :: -1 if columns else 1]
    return cast("Pixels", np.swapaxes(turned, 0, 1) if transpose else turned)
