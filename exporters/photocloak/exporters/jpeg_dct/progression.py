"""Progressive files: all coefficients are read, and written in a progression of our own.

That is a plain one (DC, then bands) with the best tables; the coefficients are as exact.
"""

from collections.abc import Iterator
from threading import RLock

import numpy as np

from photocloak.exporters.containers.segments import Segment
from photocloak.exporters.jpeg_dct.bits import Packer, unstuff
from photocloak.exporters.jpeg_dct.block_order import BlockOrder, block_order, scan_order
from photocloak.exporters.jpeg_dct.headers import Blocks, Headers, Scan, UnsupportedError
from photocloak.exporters.jpeg_dct.prediction import differences
from photocloak.exporters.jpeg_dct.progressive import ac_first, dc_first, dc_refinement
from photocloak.exporters.jpeg_dct.refinement import refine
from photocloak.exporters.jpeg_dct.scans import best, dht, sos, with_intervals
from photocloak.exporters.jpeg_dct.source import BlockEdit, Places
from photocloak.exporters.jpeg_dct.tokens import SLICE, Tokens, ac_tokens, dc_tokens

_MAX_SCANS, _BYTE = 100, 8


class Progressive:
    """A progressive file that is open for changes; see `Source`."""

    def __init__(self, headers: Headers) -> None:
        if len(headers.scans) > _MAX_SCANS:
            raise UnsupportedError(f"it has {len(headers.scans)} scans")
        self._headers = headers
        self._lock = RLock()  # two photos are done at once, which may be two copies of one
        self._blocks = headers.empty()
        left = []
        for scan in headers.scans:
            try:
                left += _read(headers, scan, self._blocks)
            except IndexError as error:
                raise UnsupportedError("its data end too early") from error
        self.goes_on = max(left, default=0) >= _BYTE
        """Whether some scan holds bytes behind those of its blocks."""

    def read(self, component: int, rows: Places, columns: Places) -> Blocks:
        """Return (n, 64) coefficients of some blocks, zigzag."""
        with self._lock:
            return self._blocks[component][rows, columns]

    def write(self, edits: list[BlockEdit]) -> list[Segment]:
        """Return the DRI, DHT and SOS segments that hold the coefficients, with an edit each."""
        with self._lock:
            before = [
                BlockEdit(edit.rows, edit.columns, self.read(i, edit.rows, edit.columns))
                for i, edit in enumerate(edits)
            ]
            self._replace(edits)  # for a while: a copy of all would take as much as the photo
            try:
                written = ((one, self._scan(one)) for one in _progression(self._headers))
                return list(with_intervals(written))
            finally:
                self._replace(before)

    def _replace(self, edits: list[BlockEdit]) -> None:
        for target, edit in zip(self._blocks, edits, strict=True):
            target[edit.rows, edit.columns] = edit.blocks

    def _scan(self, scan: Scan) -> list[Segment]:
        order = block_order(self._headers, scan.members, scan.interval)
        if scan.band[0] == 0:
            tokens = list(_dc(order, [self._blocks[member] for member in scan.members]))
            names = [(0, min(i, 1)) for i in range(len(scan.members))]
            numbers = [(number, 0) for _, number in names]
        else:
            tokens = list(_ac(order, self._blocks[scan.members[0]], scan.band))
            names, numbers = [(1, 0)], [(0, 0)]
        tables = best(tokens, names)
        packer, closes = Packer(), order.closes
        for i, one in enumerate(tokens):
            ends = np.flatnonzero(closes[i * SLICE : (i + 1) * SLICE])
            packer.add(*one.coded(tables), np.searchsorted(one.block, ends, side="right"))
        return [dht(tables, names), sos(self._headers, scan, numbers, packer.bytes())]


def _read(headers: Headers, scan: Scan, blocks: list[Blocks]) -> list[int]:
    """Add a scan to the coefficients; return the bits that are left of its intervals."""
    order = scan_order(headers, scan)
    bits = unstuff(scan.data)
    if len(bits.starts) != -(-order.mcus // order.interval):
        raise UnsupportedError("its restart markers are not where they should be")
    if scan.band[0] == 0:
        if scan.band[1] != 0:
            raise UnsupportedError("a scan header is impossible")
        (dc_refinement if scan.high else dc_first)(scan, order, bits, blocks)
    elif scan.high:
        refine(scan, order, bits, blocks[scan.members[0]])
    else:
        ac_first(scan, order, bits, blocks)
    return bits.left


def _progression(headers: Headers) -> list[Scan]:
    """Return scans: DC of all, then luma's low band, the other components, luma's rest."""
    intervals = {scan.members: scan.interval for scan in reversed(headers.scans)}
    everything = tuple(range(len(headers.components)))

    def scan(members: tuple[int, ...], first: int, last: int) -> Scan:
        none = (None,) * len(members)
        interval = intervals.get(members, headers.scans[0].interval)
        return Scan(members, none, none, (first, last), 0, 0, interval, b"")

    if len(everything) == 1:
        return [scan((0,), 0, 0), scan((0,), 1, 5), scan((0,), 6, 63)]
    others = [scan((i,), 1, 63) for i in everything[1:]]
    return [scan(everything, 0, 0), scan((0,), 1, 5), *others, scan((0,), 6, 63)]


def _dc(order: BlockOrder, blocks: list[Blocks]) -> Iterator[Tokens]:
    """Yield the tokens of DC coefficients, slice by slice."""
    values = np.empty(len(order.rows), np.int16)
    for i, target in enumerate(blocks):
        mine = order.member == i
        values[mine] = target[order.rows[mine], order.columns[mine], 0]
    sent = differences(order, values)
    for start in range(0, len(sent), SLICE):
        inside = slice(start, start + SLICE)
        yield dc_tokens(sent[inside], order.member[inside], np.arange(len(sent[inside])))


def _ac(order: BlockOrder, blocks: Blocks, band: tuple[int, int]) -> Iterator[Tokens]:
    """Yield the tokens of a band, slice by slice."""
    opens = order.opens
    for start in range(0, len(opens), SLICE):
        inside = slice(start, start + SLICE)
        view = blocks[order.rows[inside], order.columns[inside], band[0] : band[1] + 1]
        inner = np.arange(len(view))
        yield ac_tokens(view, order.member[inside], inner, opens=opens[inside])
