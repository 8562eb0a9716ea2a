"""Where the LZW data of a strip end (TIFF 6.0, section 13), without unpacking them.

The width of a code depends only on how many came since the table was cleared, so the codes of a
table are found at once.
"""

import numpy as np
from numpy.typing import NDArray

_CLEAR, _END, _FIRST = 256, 257, 258
_CODES = 4096  # of a table at most, the code that clears it included
_SHORT = 16  # codes to look at first
_MOST, _SHORTEST = 1000, 254  # tables; bytes that one of them gives on average
# A code gets wider one entry early: at 511, 1023 and 2047 entries.
_WIDTHS = np.repeat([9, 10, 11, 12], [254, 512, 1024, _CODES - 1790])
_ENDS = np.cumsum(_WIDTHS)
_STARTS = _ENDS - _WIDTHS
_SHIFTS = (32 - _WIDTHS).astype(np.uint32)
_PLACES = np.arange(_CODES, dtype=np.int32)


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
    words = np.ndarray((len(data) + 1,), ">u4", bytes(data) + bytes(4), strides=(1,))
    bit = found = tables = stop = 0
    while bit + 9 <= len(data) * 8:
        # most writers clear a table when it is full, some all the time
        codes, stop = _table(words, bit, len(data) * 8, likely=2 * stop)
        tables += 1
        unpacked = _unpacked(codes[:stop])
        if unpacked is None or tables > _MOST + size // _SHORTEST:
            return None
        found += unpacked
        if found > size:
            return None
        if stop == len(codes):  # the end code is missing, or the table is never cleared
            return len(data) if stop < _CODES else None
        bit += int(_STARTS[stop] + _WIDTHS[stop])
        if codes[stop] == _END:
            return -(-bit // 8) if found == size else None
    return len(data)


def _table(
    words: NDArray[np.uint32], bit: int, bits: int, likely: int
) -> tuple[NDArray[np.int32], int]:
    """Return the codes from a bit on, and which one of them ends their table."""
    most = min(max(likely, _SHORT), _CODES)
    while True:
        codes = _codes(words, bit, bits, most)
        ends = np.flatnonzero((codes == _CLEAR) | (codes == _END))
        if len(ends):
            return codes, int(ends[0])
        if len(codes) < most or most == _CODES:
            return codes, len(codes)
        most = _CODES


def _codes(words: NDArray[np.uint32], bit: int, bits: int, most: int) -> NDArray[np.int32]:
    """Return so many codes from a bit on, as if the table were not cleared between them.

    Args:
        words: the 32 bits from every byte on.
        bit: where the table begins.
        bits: of the data.
        most: codes.

    """
    count = int(np.searchsorted(_ENDS[:most], bits - bit, side="right"))
    at = _STARTS[:count] + (bit & 7)
    found = words[(bit >> 3) + (at >> 3)].astype(np.uint32)
    found <<= (at & 7).astype(np.uint32)
    found >>= _SHIFTS[:count]
    codes: NDArray[np.int32] = found.view(np.int32)
    return codes


def _unpacked(codes: NDArray[np.int32]) -> int | None:
    """Return how many bytes the codes of a table give, None where one is not in it yet."""
    places = _PLACES[: len(codes)]
    longer = codes >= _FIRST
    # an entry is the string of the code before it and one byte more
    before = np.where(longer, codes - _FIRST, places)
    if np.any(longer & (before >= places)):
        return None
    more = longer.astype(np.int32)
    while True:
        further = before.take(before)
        if np.array_equal(further, before):
            return len(codes) + int(more.sum())
        more += more.take(before)
        before = further
