"""First scans of a progressive file, and the refinement of its DC coefficients (T.81 annex G)."""

from array import array
from collections.abc import Callable

import numpy as np

from photocloak.exporters.coefficients.bits import Bits
from photocloak.exporters.coefficients.layout import Blocks, Scan, UnsupportedError
from photocloak.exporters.coefficients.order import Order
from photocloak.exporters.coefficients.symbols import (
    END,
    ac_steps,
    check_end,
    dc_steps,
    evaluate,
    intervals,
    place_dc,
    require,
)


def dc_first(scan: Scan, order: Order, bits: Bits, blocks: list[Blocks]) -> None:
    """Read the DC coefficients but for their low bits."""
    dc = require(scan.dc)
    window = bits.window()
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
        check_end(p, end)
    found = evaluate(bits, positions, dc, order.member)
    place_dc(scan, order, found.value, blocks)


def dc_refinement(scan: Scan, order: Order, bits: Bits, blocks: list[Blocks]) -> None:
    """Read one more bit of every DC coefficient."""
    size = len(order.plan)
    parts = []
    for start, end, first, last in intervals(order, bits):
        check_end(start + (last - first) * size, end)
        parts.append(np.arange(start, start + (last - first) * size))
    bit = (bits.peek(np.concatenate(parts)) >> np.uint64(31)).astype(np.int16) << scan.low
    for i, target in enumerate(scan.members):
        mine = order.member == i
        blocks[target][order.rows[mine], order.columns[mine], 0] |= bit[mine]


def _run_reader(window: memoryview) -> Callable[[int, int], int]:
    """Return a function that reads the `r` bits behind EOBr: how many further blocks are over."""

    def read(p: int, r: int) -> int:
        ahead = (window[p >> 3] >> (8 - (p & 7))) & 0xFFFF
        return (1 << r) - 1 + (ahead >> (16 - r))

    return read


def ac_first(scan: Scan, order: Order, bits: Bits, blocks: list[Blocks]) -> None:
    """Read a band of AC coefficients of one component but for their low bits."""
    ac = require(scan.ac)
    window = bits.window()
    steps = ac_steps(ac[0], runs=True)
    first_k, last_k = scan.band
    read_run = _run_reader(window)
    positions, counts, active = array("q"), array("q"), array("q")
    note = positions.append
    for start, end, first, last in intervals(order, bits):
        p, block = start, first
        while block < last:
            active.append(block)
            block += 1
            k = first_k
            while k <= last_k:
                step = steps[(window[p >> 3] >> (8 - (p & 7))) & 0xFFFF]
                note(p)
                p += step & 63
                k += step >> 6
            counts.append(len(positions))
            r = (step >> 6) - END
            if 0 < r < 15:
                block += read_run(p, r)
                p += r
            if p > end:
                break
        if block != last:
            raise UnsupportedError("a run of blocks is too long")
        check_end(p, end)
    found = evaluate(bits, positions, ac, np.zeros(len(positions), np.int64))
    ends = np.frombuffer(counts, np.int64)
    starts = np.append(0, ends[:-1])
    run, size = found.symbol >> 4, found.symbol & 15
    step_ = np.where(size > 0, run + 1, 16)
    before = np.cumsum(step_) - step_
    k_ = first_k + before - np.repeat(before[starts], ends - starts) + run
    real = size > 0
    if k_[real].max(initial=0) > last_k:
        raise UnsupportedError("a block holds more coefficients than its band")
    block_ = np.repeat(np.frombuffer(active, np.int64), ends - starts)[real]
    target = blocks[scan.members[0]]
    target[order.rows[block_], order.columns[block_], k_[real]] = found.value[real] << scan.low
