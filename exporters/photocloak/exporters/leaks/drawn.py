"""Whether bytes can be pixels: what lies beside and below a pixel of a picture is like it."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

# Mean difference of neighbours over that of any two values, in ranks: 0.3 to 0.4 for faces of
# 24 × 24 pixels and less for larger ones, whatever their levels and however much of them is black;
# 0.48 and more for the settings of cameras, as bytes and words, and 0.44 and more as bits.
_SMOOTH, _SMOOTH_BITS, _TOGETHER = 0.45, 0.40, 0.38
_LEAST, _LEAST_BITS = 20 * 20, 32 * 32  # pixels; among fewer, chance is smooth as well
_MOST = 1 << 14  # values that are looked at
_BESIDE = (1, 3)  # values from one pixel to the next: gray, or three colours by turns
_BELOW = range(10, 400)  # values from one pixel to that below it
_SAME = 0.02  # of the values drawn in pairs differ less than that in ranks: one colour


def looks_drawn(raw: bytes) -> bool:
    """Return whether bytes are like uncompressed pixels, row after row.

    Pixels of 1, 2, 4, 8 and 16 bits are known, of one channel or three.
    """
    return any(_is_smooth(values, _SMOOTH) for values in _words(raw) if len(values) >= _LEAST) or (
        any(_is_smooth(bits, _SMOOTH_BITS) for bits in _bits(raw) if len(bits) >= _LEAST_BITS)
    )


def look_drawn_together(raw: bytes) -> bool:
    """Return whether short values are like pixels, one behind the other.

    Pixels cut over a MakerNote's tags come to 0.2 to 0.4; of the settings of 13 makes those of one
    come to 0.43 and of the others to 0.55 and more.
    """
    return any(_is_smooth(values, _TOGETHER) for values in _words(raw) if len(values) >= _LEAST)


def _words(raw: bytes) -> Iterator[NDArray[np.integer]]:
    yield np.frombuffer(raw, np.uint8)[:_MOST]
    for form in ("<u2", ">u2"):
        for skipped in (0, 1):
            yield np.frombuffer(raw[skipped:], form, (len(raw) - skipped) // 2)[:_MOST]


def _bits(raw: bytes) -> Iterator[NDArray[np.integer]]:
    bits = np.unpackbits(np.frombuffer(raw[: _MOST // 8], np.uint8))
    yield bits
    pairs = bits[0::2] * 2 + bits[1::2]
    yield pairs
    yield pairs[0::2] * 4 + pairs[1::2]


def _is_smooth(values: NDArray[np.integer], limit: float) -> bool:
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    shares = counts / len(values)
    middles = np.cumsum(shares) - shares / 2
    # the mean of |a - b| over all pairs, from values in order
    apart = 2 * float(np.sum(shares * (middles * (2 * np.cumsum(shares) - shares - 1))))
    if apart < _SAME:
        return False
    ranks = middles[which].astype(np.float32)

    def rough(step: int) -> float:
        return float(np.abs(ranks[step:] - ranks[:-step]).mean()) / apart

    rows = (step for step in _BELOW if step * 8 < len(values))
    return min(map(rough, _BESIDE)) < limit and any(rough(step) < limit for step in rows)
