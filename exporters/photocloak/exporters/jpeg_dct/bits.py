"""Entropy-coded bytes as bits: unstuffed for reading, packed for writing."""

import re
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int64]
Values = NDArray[np.uint64]

_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_GAP = bytes(8)
_REACH = bytes(1024)  # more than two blocks can take, however damaged


@dataclass(frozen=True)
class Bits:
    """The bits of a scan, restart intervals one after the other.

    Attributes:
        data: unstuffed bytes, 8 zeros after every interval, 1024 more after the last.
        starts: first bit of every interval.
        ends: bit behind every interval.
        left: bits behind the last one that was read, of every interval.

    """

    data: NDArray[np.uint8]
    starts: list[int]
    ends: list[int]
    left: list[int] = field(default_factory=list)

    def window(self) -> NDArray[np.uint32]:
        """Return the 24 bits from every byte on, for walking."""
        ahead = self.data[:-2].astype(np.uint32)
        for following in (self.data[1:-1], self.data[2:]):
            ahead <<= 8
            ahead |= following
        return ahead

    def peek(self, positions: Positions) -> Values:
        """Return the 32 bits from every position on."""
        from_every_byte = np.ndarray((len(self.data) - 7,), ">u8", self.data, strides=(1,))
        wide: Values = from_every_byte[positions >> 3].astype(np.uint64)
        wide >>= (32 - (positions & 7)).astype(np.uint64)
        return wide & np.uint64(0xFFFFFFFF)


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
    return Bits(np.frombuffer(b"".join([*parts, _REACH]), np.uint8), starts, ends)


class Packer:
    """Makes entropy-coded bytes out of bits that come piece by piece."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._value, self._length = 0, 0  # bits that do not fill a byte yet
        self._intervals = 0
        self._closed = False

    def add(self, values: Values, lengths: Positions, ends: Positions) -> None:
        """Append bits.

        Args:
            values: what to write.
            lengths: how many bits of each, 0 to 32.
            ends: behind how many of the values a restart interval ends, ascending.

        """
        values = np.insert(values, 0, self._value)
        lengths = np.insert(lengths, 0, self._length)
        ends = ends + 1
        totals = np.diff(np.cumsum(lengths)[ends - 1], prepend=0)
        padding = -totals % 8
        ones = (np.uint64(1) << padding.astype(np.uint64)) - np.uint64(1)
        data, total = _packed(np.insert(values, ends, ones), np.insert(lengths, ends, padding))
        at = 0
        for cut in (np.cumsum(totals + padding) // 8).tolist():
            self._append(data[at:cut])
            self._closed = True
            at = cut
        whole, self._length = divmod(total, 8)
        self._value = data[whole] >> (8 - self._length)
        if total > 8 * at:
            self._append(data[at:whole])

    def _append(self, data: bytes) -> None:
        if self._closed:
            self._parts.append(bytes([0xFF, 0xD0 + self._intervals % 8]))
            self._intervals += 1
            self._closed = False
        self._parts.append(data.replace(b"\xff", b"\xff\x00"))

    def bytes(self) -> bytes:
        """Return what came so far, whole bytes of it."""
        return b"".join(self._parts)


def _packed(values: Values, lengths: Positions) -> tuple[bytes, int]:
    """Return bits one behind the other, a byte and more of zeros behind them, and how many."""
    ends = np.cumsum(lengths)
    total = int(ends[-1])
    starts = ends - lengths
    shift = (64 - lengths - (starts & 31)).astype(np.uint64)
    wide = np.where(lengths > 0, values << np.minimum(shift, np.uint64(63)), np.uint64(0))
    word = starts >> 5
    count = total // 32 + 2
    high = np.bincount(word, (wide >> np.uint64(32)).astype(np.float64), count + 1)
    low = np.bincount(word + 1, (wide & np.uint64(0xFFFFFFFF)).astype(np.float64), count + 1)
    return (high + low).astype(np.uint32).astype(">u4").tobytes(), total
