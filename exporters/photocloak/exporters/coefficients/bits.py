"""Entropy-coded bytes as bits: unstuffed for reading, packed for writing."""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int64]
Values = NDArray[np.uint64]

_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_GAP = bytes(8)


@dataclass(frozen=True)
class Bits:
    """The bits of a scan, restart intervals one after the other.

    Attributes:
        data: unstuffed bytes, 8 zeros after every interval.
        starts: first bit of every interval.
        ends: bit behind every interval.

    """

    data: NDArray[np.uint8]
    starts: list[int]
    ends: list[int]

    def window(self) -> memoryview:
        """Return the 24 bits from every byte on, for walking."""
        wide = self.data.astype(np.uint32)
        ahead = (wide[:-2] << 16) | (wide[1:-1] << 8) | wide[2:]
        return ahead.data

    def peek(self, positions: Positions) -> Values:
        """Return the 32 bits from every position on."""
        at = positions >> 3
        value = np.zeros(len(at), np.uint64)
        for i in range(5):
            value = (value << np.uint64(8)) | self.data[at + i]
        shift = (8 - (positions & 7)).astype(np.uint64)
        return (value >> shift) & np.uint64(0xFFFFFFFF)


def unstuff(data: bytes) -> Bits:
    """Split entropy-coded bytes at the restart markers and take the stuffing out."""
    parts, starts, ends = [], [], []
    at = 0
    for part in _RESTART.split(data):
        plain = part.replace(b"\xff\x00", b"\xff")
        parts += [plain, _GAP]
        starts.append(at * 8)
        ends.append((at + len(plain)) * 8)
        at += len(plain) + len(_GAP)
    return Bits(np.frombuffer(b"".join(parts), np.uint8), starts, ends)


def pack(values: Values, lengths: Positions, breaks: Positions) -> bytes:
    """Return entropy-coded bytes.

    Args:
        values: what to write.
        lengths: how many bits of each, 0 to 32.
        breaks: index of the first value of every restart interval, the first one's 0 included.

    """
    totals = np.add.reduceat(lengths, breaks) if len(lengths) else np.zeros(1, np.int64)
    padding = -totals % 8
    behind = np.append(breaks[1:], len(values))
    values = np.insert(values, behind, (np.uint64(1) << padding.astype(np.uint64)) - np.uint64(1))
    lengths = np.insert(lengths, behind, padding)
    ends = np.cumsum(lengths)
    total = int(ends[-1])
    starts = ends - lengths
    shift = (64 - lengths - (starts & 31)).astype(np.uint64)
    wide = np.where(lengths > 0, values << np.minimum(shift, np.uint64(63)), np.uint64(0))
    word = starts >> 5
    count = total // 32 + 2
    high = np.bincount(word, (wide >> np.uint64(32)).astype(np.float64), count + 1)
    low = np.bincount(word + 1, (wide & np.uint64(0xFFFFFFFF)).astype(np.float64), count + 1)
    data = (high + low).astype(np.uint32).astype(">u4").tobytes()[: total // 8]
    cuts = np.cumsum(totals + padding) // 8
    parts, at = [], 0
    for i, cut in enumerate(cuts.tolist()):
        if i:
            parts.append(bytes([0xFF, 0xD0 + (i - 1) % 8]))
        parts.append(data[at:cut].replace(b"\xff", b"\xff\x00"))
        at = cut
    return b"".join(parts)
