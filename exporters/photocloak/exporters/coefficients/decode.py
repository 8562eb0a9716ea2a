"""From entropy-coded bytes to coefficients (T.81 annexes F and G).

Two passes. The walk is serial Python and notes nothing but where each symbol begins; a table by
the next 16 bits tells how far it reaches. Values, runs and positions then come for all symbols at
once.
"""

from array import array

import numpy as np

from photocloak.exporters.coefficients.bits import Bits, unstuff
from photocloak.exporters.coefficients.huffman import Table
from photocloak.exporters.coefficients.layout import Blocks, Layout, Scan, UnsupportedError
from photocloak.exporters.coefficients.order import Order, scan_order
from photocloak.exporters.coefficients.progressive import ac_first, dc_first, dc_refinement
from photocloak.exporters.coefficients.refinement import refine
from photocloak.exporters.coefficients.symbols import (
    ac_steps,
    check_end,
    dc_steps,
    evaluate,
    intervals,
    place_dc,
    require,
)

_MAX_SCANS = 100


def read_coefficients(layout: Layout) -> list[Blocks]:
    """Return the quantised coefficients, (rows, columns, 64) int16 zigzag a component.

    Raises:
        UnsupportedError: the data are damaged, or there are absurdly many scans.

    """
    if len(layout.scans) > _MAX_SCANS:
        raise UnsupportedError(f"it has {len(layout.scans)} scans")
    blocks = layout.empty()
    for scan in layout.scans:
        try:
            _read_scan(layout, scan, blocks)
        except IndexError as error:
            raise UnsupportedError("its data end too early") from error
    return blocks


def _read_scan(layout: Layout, scan: Scan, blocks: list[Blocks]) -> None:
    order = scan_order(layout, scan)
    bits = unstuff(scan.data)
    if len(bits.starts) != -(-order.mcus // order.interval):
        raise UnsupportedError("its restart markers are not where they should be")
    if not layout.progressive:
        _sequential(scan, order, bits, blocks)
    elif scan.band[0] == 0:
        if scan.band[1] != 0:
            raise UnsupportedError("a scan header is impossible")
        (dc_refinement if scan.high else dc_first)(scan, order, bits, blocks)
    elif scan.high:
        refine(scan, order, bits, blocks[scan.members[0]])
    else:
        ac_first(scan, order, bits, blocks)


def _sequential(scan: Scan, order: Order, bits: Bits, blocks: list[Blocks]) -> None:
    dc, ac = require(scan.dc), require(scan.ac)
    positions, counts = _walk_sequential(order, bits, dc, ac)
    ends = np.frombuffer(counts, np.int64)
    starts = np.append(0, ends[:-1])
    sizes = ends - starts
    is_dc = np.zeros(len(positions), bool)
    is_dc[starts] = True
    member = np.repeat(order.member, sizes)
    found = evaluate(bits, positions, dc + ac, member + np.where(is_dc, 0, len(dc)))
    place_dc(scan, order, found.value[starts], blocks)
    run, size = found.symbol >> 4, found.symbol & 15
    step = np.where(size > 0, run + 1, 16)
    step[is_dc] = 1
    before = np.cumsum(step) - step
    k = before - np.repeat(before[starts], sizes) + np.where(is_dc, 0, run)
    real = ~is_dc & (size > 0)
    if k[real].max(initial=0) > 63:
        raise UnsupportedError("a block holds more than 64 coefficients")
    block = np.repeat(np.arange(len(sizes)), sizes)[real]
    for i, target in enumerate(scan.members):
        mine = order.member[block] == i
        chosen = block[mine]
        blocks[target][order.rows[chosen], order.columns[chosen], k[real][mine]] = found.value[
            real
        ][mine]


def _walk_sequential(
    order: Order, bits: Bits, dc: list[Table], ac: list[Table]
) -> tuple["array[int]", "array[int]"]:
    """Return where every symbol begins, and how many there are up to the end of each block."""
    window = bits.window()
    tables = [(dc_steps(one), ac_steps(two, runs=False)) for one, two in zip(dc, ac, strict=True)]
    plan = [tables[i] for i in order.plan]
    positions, counts = array("q"), array("q")
    note, close = positions.append, counts.append
    for start, end, first, last in intervals(order, bits):
        p = start
        for _ in range(first, last):
            for dc_reach, ac_reach in plan:
                note(p)
                p += dc_reach[(window[p >> 3] >> (8 - (p & 7))) & 0xFFFF]
                k = 1
                while k < 64:
                    note(p)
                    step = ac_reach[(window[p >> 3] >> (8 - (p & 7))) & 0xFFFF]
                    p += step & 63
                    k += step >> 6
                close(len(positions))
            if p > end:
                break
        check_end(p, end)
    return positions, counts
