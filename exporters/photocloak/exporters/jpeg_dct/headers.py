"""What a JPEG's headers say: frame, components, tables and scans."""

import struct
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from photocloak.exporters.containers.segments import DHT, DQT, DRI, SOF, SOS, Segment
from photocloak.exporters.jpeg_dct.huffman import Table

# zigzag index → natural (row-major) index, figure A.6
ZIGZAG = np.array(
    sorted(range(64), key=lambda i: (i // 8 + i % 8, i // 8 if (i // 8 + i % 8) % 2 else i % 8))
)
_BASELINE, _EXTENDED, _PROGRESSIVE = 0xC0, 0xC1, 0xC2

Blocks = NDArray[np.int16]


class UnsupportedError(ValueError):
    """A JPEG that this codec does not take; the message says why, as half a sentence."""


@dataclass(frozen=True)
class Component:
    """One colour component.

    Attributes:
        number: its identifier in the file.
        across: horizontal sampling factor.
        down: vertical sampling factor.
        table: (64,) quantisation steps, zigzag.
        size: rows and columns of blocks that the picture needs.
        padded: rows and columns of blocks in whole MCUs.

    """

    number: int
    across: int
    down: int
    table: NDArray[np.int32]
    size: tuple[int, int]
    padded: tuple[int, int]


@dataclass(frozen=True)
class Scan:
    """One scan.

    Attributes:
        members: indices of its components.
        dc: Huffman table of each for DC; None where not defined.
        ac: Huffman table of each for AC.
        band: first and last coefficient.
        high: successive approximation, bits sent before; 0 in a first scan.
        low: bits left out.
        interval: MCUs between restart markers; 0: none.
        data: entropy-coded bytes.

    """

    members: tuple[int, ...]
    dc: tuple[Table | None, ...]
    ac: tuple[Table | None, ...]
    band: tuple[int, int]
    high: int
    low: int
    interval: int
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Headers:
    """A JPEG without its coefficients."""

    width: int
    height: int
    progressive: bool
    components: tuple[Component, ...]
    scans: tuple[Scan, ...]

    @property
    def largest(self) -> tuple[int, int]:
        """The largest sampling factors, down and across."""
        return max(c.down for c in self.components), max(c.across for c in self.components)

    def empty(self) -> list[Blocks]:
        """Return zero coefficients, (rows, columns, 64) a component, zigzag."""
        return [np.zeros((*one.padded, 64), np.int16) for one in self.components]


def read_headers(segments: tuple[Segment, ...]) -> Headers:
    """Interpret the segments.

    Raises:
        UnsupportedError: it is no baseline, extended or progressive Huffman file of 8 bits.

    """
    state = _State()
    for one in segments:
        try:
            state.take(one)
        except (struct.error, IndexError) as error:
            raise UnsupportedError("a header is too short") from error
    if state.frame is None or not state.scans:
        raise UnsupportedError("it holds no scan")
    width, height = state.frame
    return Headers(
        width, height, state.kind == _PROGRESSIVE, tuple(state.components), tuple(state.scans)
    )


class _State:
    """What is defined so far, while the segments pass by."""

    def __init__(self) -> None:
        self.steps: dict[int, NDArray[np.int32]] = {}
        self.huffman: dict[tuple[int, int], Table] = {}
        self.interval, self.kind = 0, 0
        self.frame: tuple[int, int] | None = None
        self.components: list[Component] = []
        self.selectors: list[int] = []
        self.scans: list[Scan] = []

    def take(self, one: Segment) -> None:
        if one.marker == DQT:
            self._quantisation(one.payload)
        elif one.marker == DHT:
            self._tables(one.payload)
        elif one.marker == DRI:
            self.interval = struct.unpack(">H", one.payload[:2])[0]
        elif one.marker in SOF:
            self._frame(one)
        elif one.marker == SOS:
            self._scan(one)
        elif not one.is_metadata:
            raise UnsupportedError(f"its marker {one.marker:02X} is unusual")

    def _quantisation(self, body: bytes) -> None:
        if self.scans:
            raise UnsupportedError("its quantisation changes between scans")
        position = 0
        while position < len(body):
            wide, number = divmod(body[position], 16)
            form = ">64H" if wide else ">64B"
            steps = struct.unpack_from(form, body, position + 1)
            if 0 in steps:
                raise UnsupportedError("a quantisation step is 0")
            self.steps[number] = np.array(steps, np.int32)
            position += 1 + struct.calcsize(form)

    def _tables(self, body: bytes) -> None:
        position = 0
        while position < len(body):
            counts = body[position + 1 : position + 17]
            values = body[position + 17 : position + 17 + sum(counts)]
            if len(counts) < 16 or len(values) < sum(counts):
                raise UnsupportedError("a Huffman table is too short")
            self.huffman[divmod(body[position], 16)] = Table(counts, values)
            position += 17 + len(values)

    def _frame(self, one: Segment) -> None:
        if one.marker not in (_BASELINE, _EXTENDED, _PROGRESSIVE):
            kinds = {0xC3: "lossless", 0xC9: "arithmetic-coded", 0xCA: "arithmetic-coded"}
            raise UnsupportedError(f"it is {kinds.get(one.marker, 'an unusual kind of')} JPEG")
        depth, height, width, count = struct.unpack_from(">BHHB", one.payload)
        if depth != 8 or self.frame is not None or not width or not height:
            raise UnsupportedError("its frame header is unusual")
        rows = [struct.unpack_from(">BBB", one.payload, 6 + 3 * i) for i in range(count)]
        factors = [divmod(sampling, 16) for _, sampling, _ in rows]
        if not rows or not all(1 <= a <= 4 and 1 <= d <= 4 for a, d in factors):
            raise UnsupportedError("its sampling factors are impossible")
        if count == 1:
            factors = [(1, 1)]  # a lone component is never interleaved
        most_across, most_down = (max(values) for values in zip(*factors, strict=True))
        mcus = -(-height // (8 * most_down)), -(-width // (8 * most_across))
        for (number, _, selector), (across, down) in zip(rows, factors, strict=True):
            size = -(-height * down // (8 * most_down)), -(-width * across // (8 * most_across))
            padded = mcus[0] * down, mcus[1] * across
            none = np.zeros(64, np.int32)  # until the first scan: tables may follow the frame
            self.components.append(Component(number, across, down, none, size, padded))
            self.selectors.append(selector)
        self.kind, self.frame = one.marker, (width, height)

    def _scan(self, one: Segment) -> None:
        if not self.scans:
            self._bind()
        body = one.payload
        members, dc, ac = [], [], []
        numbers = [component.number for component in self.components]
        for i in range(body[0]):
            number, selectors = body[1 + 2 * i], body[2 + 2 * i]
            if number not in numbers:
                raise UnsupportedError("a scan names a component that is not there")
            members.append(numbers.index(number))
            dc.append(self.huffman.get((0, selectors >> 4)))
            ac.append(self.huffman.get((1, selectors & 15)))
        first, last, approximation = body[1 + 2 * body[0] : 4 + 2 * body[0]]
        if self.kind != _PROGRESSIVE:
            first, last, approximation = 0, 63, 0
        if not 1 <= len(members) == len(set(members)) <= 4:
            raise UnsupportedError("a scan header is impossible")
        if first > last or last > 63 or (first > 0 and len(members) > 1):
            raise UnsupportedError("a scan header is impossible")
        self.scans.append(
            Scan(
                tuple(members),
                tuple(dc),
                tuple(ac),
                (first, last),
                approximation >> 4,
                approximation & 15,
                self.interval,
                one.scan,
            )
        )

    def _bind(self) -> None:
        """Give the components their quantisation tables."""
        if any(selector not in self.steps for selector in self.selectors):
            raise UnsupportedError("a quantisation table is missing")
        self.components = [
            replace(component, table=self.steps[selector])
            for component, selector in zip(self.components, self.selectors, strict=True)
        ]
