"""From entropy-coded bytes to coefficients (T.81 annexes F and G).

Two passes. The walk is serial Python and notes nothing but where each symbol begins; a table by
the next 16 bits tells how far it reaches. Values, runs and positions then come for all symbols at
once.
"""

from array import array
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photocloak.exporters.coefficients.bits import Bits, Positions, unstuff
from photocloak.exporters.coefficients.huffman import Table
from photocloak.exporters.coefficients.layout import Blocks, Layout, Scan, UnsupportedError
from photocloak.exporters.coefficients.order import Order, scan_order
from photocloak.exporters.coefficients.refinement import refine

_END = 64  # advance of an end-of-block symbol; + r for a run of 2^r and more blocks
_BAD = 256
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
        (_dc_refinement if scan.high else _dc_first)(scan, order, bits, blocks)
    elif scan.high:
        refine(scan, order, bits, blocks[scan.members[0]])
    else:
        _ac_first(scan, order, bits, blocks)


def _intervals(order: Order, bits: Bits) -> list[tuple[int, int, int, int]]:
    """Return (first bit, bit behind, first MCU, MCU behind) of every restart interval."""
    firsts = range(0, order.mcus, order.interval)
    return [
        (start, end, first, min(first + order.interval, order.mcus))
        for start, end, first in zip(bits.starts, bits.ends, firsts, strict=True)
    ]


def _check_end(position: int, end: int) -> None:
    if position > end:
        raise UnsupportedError("its data end too early")


def _require(tables: tuple[Table | None, ...]) -> list[Table]:
    present = [table for table in tables if table is not None]
    if len(present) < len(tables):
        raise UnsupportedError("a Huffman table is missing")
    return present


def _dc_steps(table: Table) -> list[int]:
    """Return how many bits a DC symbol takes with its value, by the next 16 bits."""
    symbols, lengths = table.lookup
    return [int(one) for one in lengths + np.maximum(symbols, 0)]


def _ac_steps(table: Table, *, runs: bool) -> list[int]:
    """Return advance × 64 + bits of an AC symbol, by the next 16 bits.

    An end of block advances beyond all coefficients. With `runs` (progressive), an end-of-band
    symbol EOBr advances by 64 + r, and the r bits behind it are not counted in.
    """
    symbols, lengths = table.lookup
    run, size = symbols >> 4, symbols & 15
    advance = np.where(size > 0, run + 1, np.where(run == 15, 16, _END + (run if runs else 0)))
    advance = np.where(symbols < 0, _BAD, advance).astype(np.int64)
    bits = lengths + np.where(symbols < 0, 0, size)
    return [int(one) for one in advance * 64 + bits]


@dataclass
class _Symbols:
    """Symbols as the walk found them, made into numbers."""

    position: Positions
    symbol: NDArray[np.int64]
    length: Positions
    value: NDArray[np.int64]


def _evaluate(
    bits: Bits, positions: "array[int]", tables: list[Table], which: Positions
) -> _Symbols:
    """Read symbols and the values behind them.

    Args:
        bits: of the scan.
        positions: where each symbol begins.
        tables: to choose from.
        which: (N,) the table of each symbol.

    """
    at = np.frombuffer(positions, np.int64) if len(positions) else np.zeros(0, np.int64)
    ahead = bits.peek(at)
    code = (ahead >> np.uint64(16)).astype(np.int64)
    symbol, length = np.zeros(len(at), np.int64), np.zeros(len(at), np.int64)
    for i, table in enumerate(tables):
        mine = which == i
        symbols, lengths = table.lookup
        symbol[mine], length[mine] = symbols[code[mine]], lengths[code[mine]]
    if symbol.min(initial=0) < 0:
        raise UnsupportedError("its data hold a code that no table has")
    size = symbol & 15
    shift = (32 - length - size).astype(np.uint64)
    raw = (ahead >> shift).astype(np.int64) & ((1 << size) - 1)
    negative = (size > 0) & (raw < (1 << np.maximum(size - 1, 0)))
    value = np.where(negative, raw - (1 << size) + 1, raw)
    return _Symbols(at, symbol, length, value)


def _sequential(scan: Scan, order: Order, bits: Bits, blocks: list[Blocks]) -> None:
    dc, ac = _require(scan.dc), _require(scan.ac)
    positions, counts = _walk_sequential(order, bits, dc, ac)
    ends = np.frombuffer(counts, np.int64)
    starts = np.append(0, ends[:-1])
    sizes = ends - starts
    is_dc = np.zeros(len(positions), bool)
    is_dc[starts] = True
    member = np.repeat(order.member, sizes)
    found = _evaluate(bits, positions, dc + ac, member + np.where(is_dc, 0, len(dc)))
    _place_dc(scan, order, found.value[starts], blocks)
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
    tables = [(_dc_steps(one), _ac_steps(two, runs=False)) for one, two in zip(dc, ac, strict=True)]
    plan = [tables[i] for i in order.plan]
    positions, counts = array("q"), array("q")
    note, close = positions.append, counts.append
    for start, end, first, last in _intervals(order, bits):
        p = start
        for _ in range(first, last):
            for dc_steps, ac_steps in plan:
                note(p)
                p += dc_steps[(window[p >> 3] >> (8 - (p & 7))) & 0xFFFF]
                k = 1
                while k < 64:
                    note(p)
                    step = ac_steps[(window[p >> 3] >> (8 - (p & 7))) & 0xFFFF]
                    p += step & 63
                    k += step >> 6
                close(len(positions))
            if p > end:
                break
        _check_end(p, end)
    return positions, counts


def _place_dc(scan: Scan, order: Order, differences: Positions, blocks: list[Blocks]) -> None:
    """Undo the prediction, which begins anew with every restart interval, and store."""
    interval = np.zeros(len(differences), np.int64)
    interval[order.blocks_before[1:]] = 1
    interval = np.cumsum(interval)
    for i, target in enumerate(scan.members):
        mine = np.flatnonzero(order.member == i)
        total = np.cumsum(differences[mine])
        which = interval[mine]
        begins = np.flatnonzero(np.diff(which, prepend=-1))
        offset = (total - differences[mine])[begins]
        value = (total - offset[which]) << scan.low
        if np.abs(value).max(initial=0) > 32767:
            raise UnsupportedError("a DC coefficient is out of range")
        blocks[target][order.rows[mine], order.columns[mine], 0] = value


def _dc_first(scan: Scan, order: Order, bits: Bits, blocks: list[Blocks]) -> None:
    dc = _require(scan.dc)
    window = bits.window()
    plan = [_dc_steps(dc[i]) for i in order.plan]
    positions = array("q")
    note = positions.append
    for start, end, first, last in _intervals(order, bits):
        p = start
        for _ in range(first, last):
            for steps in plan:
                note(p)
                p += steps[(window[p >> 3] >> (8 - (p & 7))) & 0xFFFF]
            if p > end:
                break
        _check_end(p, end)
    found = _evaluate(bits, positions, dc, order.member)
    _place_dc(scan, order, found.value, blocks)


def _dc_refinement(scan: Scan, order: Order, bits: Bits, blocks: list[Blocks]) -> None:
    """Read one more bit of every DC coefficient."""
    size = len(order.plan)
    parts = []
    for start, end, first, last in _intervals(order, bits):
        _check_end(start + (last - first) * size, end)
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


def _ac_first(scan: Scan, order: Order, bits: Bits, blocks: list[Blocks]) -> None:
    ac = _require(scan.ac)
    window = bits.window()
    steps = _ac_steps(ac[0], runs=True)
    first_k, last_k = scan.band
    read_run = _run_reader(window)
    positions, counts, active = array("q"), array("q"), array("q")
    note = positions.append
    for start, end, first, last in _intervals(order, bits):
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
            r = (step >> 6) - _END
            if 0 < r < 15:
                block += read_run(p, r)
                p += r
            if p > end:
                break
        if block != last:
            raise UnsupportedError("a run of blocks is too long")
        _check_end(p, end)
    found = _evaluate(bits, positions, ac, np.zeros(len(positions), np.int64))
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
