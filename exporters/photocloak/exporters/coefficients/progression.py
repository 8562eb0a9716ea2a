"""Progressive files: all coefficients are read, and written in a progression of our own.

That is a plain one (DC, then bands) with the best tables; the coefficients are as exact.
"""

from collections.abc import Iterator
from threading import RLock

import numpy as np

from photocloak.exporters.coefficients.bits import Packer, unstuff
from photocloak.exporters.coefficients.layout import Blocks, Layout, Scan, UnsupportedError
from photocloak.exporters.coefficients.order import Order, order_of, scan_order
from photocloak.exporters.coefficients.prediction import differences
from photocloak.exporters.coefficients.progressive import ac_first, dc_first, dc_refinement
from photocloak.exporters.coefficients.refinement import refine
from photocloak.exporters.coefficients.scans import best, dht, sos, with_intervals
from photocloak.exporters.coefficients.source import Edit, Places
from photocloak.exporters.coefficients.tokens import SLICE, Tokens, ac_tokens, dc_tokens
from photocloak.exporters.containers.segments import Segment

_MAX_SCANS = 100


class Progressive:
    """A progressive file that is open for changes; see `Source`."""

    def __init__(self, layout: Layout) -> None:
        if len(layout.scans) > _MAX_SCANS:
            raise UnsupportedError(f"it has {len(layout.scans)} scans")
        self._layout = layout
        self._lock = RLock()  # two photos are done at once, which may be two copies of one
        self._blocks = layout.empty()
        for scan in layout.scans:
            try:
                _read(layout, scan, self._blocks)
            except IndexError as error:
                raise UnsupportedError("its data end too early") from error

    def read(self, component: int, rows: Places, columns: Places) -> Blocks:
        """Return (n, 64) coefficients of some blocks, zigzag."""
        with self._lock:
            return self._blocks[component][rows, columns]

    def write(self, edits: list[Edit]) -> list[Segment]:
        """Return the DRI, DHT and SOS segments that hold the coefficients, with an edit each."""
        with self._lock:
            before = [
                Edit(edit.rows, edit.columns, self.read(i, edit.rows, edit.columns))
                for i, edit in enumerate(edits)
            ]
            self._replace(edits)  # for a while: a copy of all would take as much as the photo
            try:
                written = ((one, self._scan(one)) for one in _progression(self._layout))
                return list(with_intervals(written))
            finally:
                self._replace(before)

    def _replace(self, edits: list[Edit]) -> None:
        for target, edit in zip(self._blocks, edits, strict=True):
            target[edit.rows, edit.columns] = edit.blocks

    def _scan(self, scan: Scan) -> list[Segment]:
        order = order_of(self._layout, scan.members, scan.interval)
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
        return [dht(tables, names), sos(self._layout, scan, numbers, packer.bytes())]


def _read(layout: Layout, scan: Scan, blocks: list[Blocks]) -> None:
    """Add a scan to the coefficients."""
    order = scan_order(layout, scan)
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


def _progression(layout: Layout) -> list[Scan]:
    """Return scans: DC of all, then luma's low band, the other components, luma's rest."""
    intervals = {scan.members: scan.interval for scan in reversed(layout.scans)}
    everything = tuple(range(len(layout.components)))

    def scan(members: tuple[int, ...], first: int, last: int) -> Scan:
        none = (None,) * len(members)
        interval = intervals.get(members, layout.scans[0].interval)
        return Scan(members, none, none, (first, last), 0, 0, interval, b"")

    if len(everything) == 1:
        return [scan((0,), 0, 0), scan((0,), 1, 5), scan((0,), 6, 63)]
    others = [scan((i,), 1, 63) for i in everything[1:]]
    return [scan(everything, 0, 0), scan((0,), 1, 5), *others, scan((0,), 6, 63)]


def _dc(order: Order, blocks: list[Blocks]) -> Iterator[Tokens]:
    """Yield the tokens of DC coefficients, slice by slice."""
    values = np.empty(len(order.rows), np.int16)
    for i, target in enumerate(blocks):
        mine = order.member == i
        values[mine] = target[order.rows[mine], order.columns[mine], 0]
    sent = differences(order, values)
    for start in range(0, len(sent), SLICE):
        inside = slice(start, start + SLICE)
        yield dc_tokens(sent[inside], order.member[inside], np.arange(len(sent[inside])))


def _ac(order: Order, blocks: Blocks, band: tuple[int, int]) -> Iterator[Tokens]:
    """Yield the tokens of a band, slice by slice."""
    opens = order.opens
    for start in range(0, len(opens), SLICE):
        inside = slice(start, start + SLICE)
        view = blocks[order.rows[inside], order.columns[inside], band[0] : band[1] + 1]
        inner = np.arange(len(view))
        yield ac_tokens(view, order.member[inside], inner, opens=opens[inside])
