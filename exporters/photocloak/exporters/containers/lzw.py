"""Where the LZW data of a strip end (TIFF 6.0, section 13), without unpacking them.

The width of a code depends only on how many came since the table was cleared, so the codes of a
table are found at once.
"""

import numpy as np
from numpy.typing import NDArray

_CLEAR, _END, _FIRST = 256, 257, 258
_CODES = 4096  # of a table at most, the code that clears it included
_LOOKS = (8, 512, _CODES)
_MOST, _SHORTEST = 1000, 254  # tables; bytes that one of them gives on average
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
    if len(data) > 1 and data[0] == 0 and data[1] & 1:
        return None  # lowest bit first, as before TIFF 5.0
    padded = np.frombuffer(bytes(data) + bytes(4), np.uint8)
    bit = found = tables = 0
    while bit + 9 <= len(data) * 8:
        codes, stop = _table(padded, bit, len(data) * 8)
        lengths = _lengths(codes[:stop])
        tables += 1
        if lengths is None or tables > _MOST + size // _SHORTEST:
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


def _table(padded: NDArray[np.uint8], bit: int, bits: int) -> tuple[NDArray[np.int64], int]:
    """Return the codes from a bit on, and which one of them ends their table."""
    for most in _LOOKS:  # some writers clear theirs all the time
        codes = _codes(padded, bit, bits, most)
        ends = np.flatnonzero((codes == _CLEAR) | (codes == _END))
        if len(ends):
            return codes, int(ends[0])
        if len(codes) < most:
            break
    return codes, len(codes)


def _codes(padded: NDArray[np.uint8], bit: int, bits: int, most: int) -> NDArray[np.int64]:
    """Return so many codes from a bit on, as if the table were not cleared between them."""
    count = int(np.searchsorted(bit + _STARTS[:most] + _WIDTHS[:most], bits, side="right"))
    at = bit + _STARTS[:count]
    byte = at >> 3
    word = sum(padded[byte + i].astype(np.int64) << (16 - 8 * i) for i in range(3))
    shift = 24 - (at & 7) - _WIDTHS[:count]
    codes: NDArray[np.int64] = (word >> shift) & ((1 << _WIDTHS[:count]) - 1)
    return codes


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
