"""Where the LZW data of a strip end (TIFF 6.0, section 13), without unpacking them.

The width of a code depends only on how many came since the table was cleared, so the codes of a
table are found at once.
"""

import numpy as np
from numpy.typing import NDArray

_CLEAR, _END, _FIRST = 256, 257, 258
_CODES = 4096  # of a table at most, the code that clears it included
# A code gets wider one entry early: at 511, 1023 and 2047 entries.
_WIDTHS = np.repeat([9, 10, 11, 12], [254, 512, 1024, _CODES - 1790])
_STARTS = np.cumsum(_WIDTHS) - _WIDTHS


def end_of(data: bytes | memoryview, size: int) -> int | None:
    """Return how many bytes of packed data give so many bytes.

    Args:
        data: packed, highest bit first.
        size: bytes that they unpack to.

    Returns:
        None where they go on behind these, or are of another kind.

    """
    padded = np.frombuffer(bytes(data) + bytes(4), np.uint8)
    bit = found = 0
    while bit + 9 <= len(data) * 8:
        codes = _codes(padded, bit, len(data) * 8)
        stop = _first_of(codes)
        lengths = _lengths(codes[:stop])
        if lengths is None:
            return None
        found += int(lengths.sum())
        if found > size:
            return None
        if stop == len(codes):  # the end code is missing, or the table is never cleared
            return len(data) if stop < _CODES else None
        bit += int(_STARTS[stop] + _WIDTHS[stop])
        if codes[stop] == _END:
            return -(-bit // 8) if found == size else None
    return len(data)


def _codes(padded: NDArray[np.uint8], bit: int, bits: int) -> NDArray[np.int64]:
    """Return the codes from a bit on, as if the table were not cleared before it is full."""
    count = int(np.searchsorted(bit + _STARTS + _WIDTHS, bits, side="right"))
    at = bit + _STARTS[:count]
    byte = at >> 3
    word = sum(padded[byte + i].astype(np.int64) << (16 - 8 * i) for i in range(3))
    shift = 24 - (at & 7) - _WIDTHS[:count]
    codes: NDArray[np.int64] = (word >> shift) & ((1 << _WIDTHS[:count]) - 1)
    return codes


def _first_of(codes: NDArray[np.int64]) -> int:
    """Return where the first code lies that clears the table or ends the data."""
    found = np.flatnonzero((codes == _CLEAR) | (codes == _END))
    return int(found[0]) if len(found) else len(codes)


def _lengths(codes: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Return how many bytes each code stands for, None where one is not in the table yet."""
    places = np.arange(len(codes))
    longer = codes >= _FIRST
    # an entry is the string of the code before it and one byte more
    before = np.where(longer, codes - _FIRST, places)
    if np.any(longer & (before >= places)):
        return None
    more = longer.astype(np.int64)
    while np.any(before != before[before]):
        more, before = more + more[before], before[before]
    return more + 1
