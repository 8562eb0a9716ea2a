"""CIFF heaps, the settings that old Canon cameras write into APP0, judged value by value.

A heap is values and, at its end, their directory, whose place its last four bytes say; a value may
be a heap (Canon, CIFF Specification 1.0r4).
"""

import struct
from dataclasses import dataclass, replace

from photocloak.exporters.leaks.binary import binary_cost
from photocloak.exporters.leaks.costs import Cost
from photocloak.exporters.leaks.texts import text_cost

_HEAD = 26  # bytes from the byte order mark to the heap
_ENTRY = 10  # bytes: tag, size, place
_INSIDE = 0x4000  # the value is in the entry: its size and place are the eight bytes
_KIND, _ASCII, _HEAPS = 0x3800, 0x0800, (0x2800, 0x3000)
_DEEP, _LONGEST = 4, 96  # heaps in each other; bytes of a value that is no text


def ciff_cost(raw: bytes) -> Cost:
    """Return what of a heap cannot be vouched for.

    Args:
        raw: a segment's payload from its byte order mark.

    """
    try:
        order = {b"II": "<", b"MM": ">"}[raw[:2]]
        (start,) = struct.unpack_from(order + "I", raw, 2)
        if start != _HEAD:
            return Cost(opaque=len(raw))
        return binary_cost(raw[14:_HEAD]) + _Heap(raw[_HEAD:], order).cost()
    except (KeyError, struct.error, ValueError):
        return Cost(opaque=len(raw))


@dataclass(frozen=True)
class _Heap:
    data: bytes
    order: str
    depth: int = 0

    def cost(self) -> Cost:
        """Return what its values cost together; ValueError where it is no heap."""
        if self.depth > _DEEP:
            raise ValueError
        (at,) = struct.unpack_from(self.order + "I", self.data, len(self.data) - 4)
        (count,) = struct.unpack_from(self.order + "H", self.data, at)
        spans = [(at, at + 2 + _ENTRY * count), (len(self.data) - 4, len(self.data))]
        values = []
        for i in range(count):
            start = at + 2 + _ENTRY * i
            tag, size, place = struct.unpack_from(self.order + "HII", self.data, start)
            if tag & _INSIDE:
                values.append((tag, struct.pack(self.order + "II", size, place)))
            else:
                values.append((tag, self.data[place : place + size]))
                spans.append((place, place + size))
        # first of all: heaps that share their bytes could be in each other without end
        total = Cost(opaque=self._beside(spans))
        for tag, value in values:
            total += self._value(tag, value)
        return total

    def _value(self, tag: int, value: bytes) -> Cost:
        kind = tag & _KIND
        if kind in _HEAPS and not tag & _INSIDE:
            return _Heap(value, self.order, self.depth + 1).cost()
        if kind == _ASCII:
            return text_cost(value)
        if len(value) > _LONGEST:
            return Cost(opaque=len(value))
        # in all they are a value's as well: there is room for many short ones
        return replace(binary_cost(value), settings=len(value) - value.count(0))

    def _beside(self, spans: list[tuple[int, int]]) -> int:
        """Return how many bytes no value holds; ValueError where values overlap or end outside."""
        position = beside = 0
        for start, end in sorted(spans):
            if start < position or end > len(self.data):
                raise ValueError
            beside += len(self.data[position:start].strip(b"\0"))
            position = end
        return beside
