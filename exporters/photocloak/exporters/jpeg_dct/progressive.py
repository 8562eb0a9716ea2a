"""First scans of a progressive file, and the refinement of its DC coefficients (T.81 annex G)."""

from array import array
from collections.abc import Iterator

import numpy as np

from photocloak.exporters.jpeg_dct.bits import Bits
from photocloak.exporters.jpeg_dct.block_order import BlockOrder
from photocloak.exporters.jpeg_dct.headers import Blocks, Scan, UnsupportedError
from photocloak.exporters.jpeg_dct.prediction import sums
from photocloak.exporters.jpeg_dct.symbols import (
    END,
    Reader,
    ac_steps,
    check_end,
    dc_steps,
    intervals,
    require,
)
from photocloak.exporters.jpeg_dct.tokens import SLICE


def dc_first(scan: Scan, order: BlockOrder, bits: Bits, blocks: list[Blocks]) -> None:
    """Read the DC coefficients but for their low bits."""
    dc = require(scan.dc)
    window = bits.window().data
    plan = [dc_steps(dc[i]) for i in order.plan]
    positions = array("q")
    note = positions.append
    for start, end, first, last in intervals(order, bits):
        p = start
        for _ in range(first, last):
            for steps in plan:
                note(p)
                p += steps[(window[p >> 3] >> (8 - (p & 7))) & 0xFFFF]
            if p > end:
                break
        check_end(p, end, bits)
    found = Reader(bits, dc).read(np.frombuffer(positions, np.int64), order.member)
    values = sums(order, found.value, scan.low)
    for i, target in enumerate(scan.members):
        mine = order.member == i
        blocks[target][order.rows[mine], order.columns[mine], 0] = values[mine]


def dc_refinement(scan: Scan, order: BlockOrder, bits: Bits, blocks: list[Blocks]) -> None:
    """Read one more bit of every DC coefficient."""
    size = len(order.plan)
    parts = []
    for start, end, first, last in intervals(order, bits):
        check_end(start + (last - first) * size, end, bits)
        parts.append(np.arange(start, start + (last - first) * size))
    bit = (bits.peek(np.concatenate(parts)) >> np.uint64(31)).astype(np.int16) << scan.low
    for i, target in enumerate(scan.members):
        mine = order.member == i
        blocks[target][order.rows[mine], order.columns[mine], 0] |= bit[mine]


def ac_first(scan: Scan, order: BlockOrder, bits: Bits, blocks: list[Blocks]) -> None:
    """Read a band of AC coefficients of one component but for their low bits."""
    ac = require(scan.ac)
    reader = Reader(bits, ac)
    first, last = scan.band
    target = blocks[scan.members[0]]
    for walked in _walk_band(scan, order, bits, ac_steps(ac[0])):
        positions, ends, active = (np.frombuffer(one, np.int64) for one in walked)
        found = reader.read(positions, np.zeros(1, np.uint8))
        sizes = np.diff(ends, prepend=0)
        run, size = found.symbol >> 4, found.symbol & 15
        step = np.where(size > 0, run + 1, 16)
        before = np.cumsum(step) - step
        k = first + before - np.repeat(before[ends - sizes], sizes) + run
        real = size > 0
        if k[real].max(initial=0) > last:
            raise UnsupportedError("a block holds more coefficients than its band")
        block = np.repeat(active, sizes)[real]
        target[order.rows[block], order.columns[block], k[real]] = found.value[real] << scan.low


def _walk_band(
    scan: Scan, order: BlockOrder, bits: Bits, steps: list[int]
) -> Iterator[tuple["array[int]", "array[int]", "array[int]"]]:
    """Yield where symbols begin, how many there are up to the end of each block, and the blocks.

    Only blocks with symbols of their own are noted; some thousands of them at a time.
    """
    window = bits.window().data
    first_k, last_k = scan.band
    positions, counts, active = array("q"), array("q"), array("q")
    for start, end, first, last in intervals(order, bits):
        p, block = start, first
        while block < last:
            if len(active) >= SLICE:
                yield positions, counts, active
                positions, counts, active = array("q"), array("q"), array("q")
            active.append(block)
            block += 1
            k = first_k
            while k <= last_k:
                step = steps[(window[p >> 3] >> (8 - (p & 7))) & 0xFFFF]
                positions.append(p)
                p += step & 63
                k += step >> 6
            counts.append(len(positions))
            r = (step >> 6) - END
            if 0 < r < 15:
                ahead = (window[p >> 3] >> (8 - (p & 7))) & 0xFFFF
                block += (1 << r) - 1 + (ahead >> (16 - r))
                p += r
            if p > end:
                break
        if block != last:
            raise UnsupportedError("a run of blocks is too long")
        check_end(p, end, bits)
    yield positions, counts, active
