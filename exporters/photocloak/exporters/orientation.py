"""The eight EXIF orientations as views of arrays."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", bound=np.generic)

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


def upright(stored: NDArray[Number], orientation: int) -> NDArray[Number]:
    """Return (H, W, …) pixels as they are to be seen; a view."""
    transpose, rows, columns = _TURNS[orientation]
    seen = np.swapaxes(stored, 0, 1) if transpose else stored
    return seen[:: -1 if rows else 1, :: -1 if columns else 1]


def stored(seen: NDArray[Number], orientation: int) -> NDArray[Number]:
    """Return upright pixels as the file stores them; a view, the inverse of `upright`."""
    transpose, rows, columns = _TURNS[orientation]
    turned = seen[:: -1 if rows else 1, :: -1 if columns else 1]
    return np.swapaxes(turned, 0, 1) if transpose else turned
