"""The colour description in an AV1 sequence header (AV1, 5.5), read, and changed in place."""

from collections.abc import Iterator
from dataclasses import dataclass

_SEQUENCE_HEADER = 1


@dataclass(frozen=True)
class Description:
    """Where the code points of a stream stand, and what they are.

    Attributes:
        bit: offset of the first, in bits from the start of the data.
        primaries: ITU-T H.273, table 2.
        transfer: table 3.

    """

    bit: int
    primaries: int
    transfer: int


class _Bits:
    def __init__(self, data: bytes, start: int, end: int) -> None:
        self.data, self.at, self.end = data, start * 8, end * 8

    def take(self, count: int) -> int:
        value = 0
        for _ in range(count):
            if self.at >= self.end:
                raise ValueError("the sequence header ends too early")
            value = value << 1 | (self.data[self.at >> 3] >> (7 - (self.at & 7)) & 1)
            self.at += 1
        return value


def described(data: bytes) -> Description | None:
    """Return the colour description of a stream of OBUs; None where it has none."""
    try:
        for start, end in _sequence_headers(data):
            return _description(_Bits(data, start, end))
    except (ValueError, IndexError):
        return None
    return None


def with_points(data: bytes, description: Description, primaries: int, transfer: int) -> bytes:
    """Return the same stream with other code points."""
    result = bytearray(data)
    value = primaries << 8 | transfer
    for i in range(16):
        at = description.bit + i
        mask = 0x80 >> (at & 7)
        wanted = mask if value >> (15 - i) & 1 else 0
        result[at >> 3] = result[at >> 3] & ~mask | wanted
    return bytes(result)


def _sequence_headers(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the stretches of sequence headers among the first OBUs (5.3)."""
    position = 0
    for _ in range(16):
        if position >= len(data):
            return
        head = data[position]
        position += 2 if head & 4 else 1
        size = len(data) - position
        if head & 2:
            size = shift = 0
            while True:
                byte = data[position]
                size |= (byte & 127) << shift
                position, shift = position + 1, shift + 7
                if byte < 128 or shift > 28:
                    break
        if head >> 3 & 15 == _SEQUENCE_HEADER:
            yield position, min(position + size, len(data))
        position += size


def _description(bits: _Bits) -> Description | None:
    profile = bits.take(3)
    bits.take(1)
    reduced = bits.take(1)
    if reduced:
        bits.take(5)
    else:
        _operating_points(bits)
    wide, high = bits.take(4) + 1, bits.take(4) + 1
    bits.take(wide)
    bits.take(high)
    if not reduced and bits.take(1):  # frame numbers
        bits.take(7)
    bits.take(3)
    if not reduced:
        _tools(bits)
    bits.take(3)
    if bits.take(1) and profile == 2:
        bits.take(1)
    if profile != 1:
        bits.take(1)  # monochrome
    if not bits.take(1):
        return None
    return Description(bits.at, bits.take(8), bits.take(8))


def _operating_points(bits: _Bits) -> None:
    if bits.take(1):
        raise ValueError("a still picture with a clock")
    delays = bits.take(1)
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > 7:
            bits.take(1)
        if delays and bits.take(1):
            bits.take(4)


def _tools(bits: _Bits) -> None:
    bits.take(4)
    ordered = bits.take(1)
    if ordered:
        bits.take(2)
    forced = 2 if bits.take(1) else bits.take(1)  # screen content tools, by frame or for all
    if forced and not bits.take(1):
        bits.take(1)
    if ordered:
        bits.take(3)
