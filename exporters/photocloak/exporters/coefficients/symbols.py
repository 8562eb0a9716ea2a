"""What reading sequential and progressive scans have in common: symbols found, then evaluated."""

from array import array
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photocloak.exporters.coefficients.bits import Bits, Positions
from photocloak.exporters.coefficients.huffman import Table
from photocloak.exporters.coefficients.layout import Blocks, Scan, UnsupportedError
from photocloak.exporters.coefficients.order import Order

END = 64  # advance of an end-of-block symbol; + r for a run of 2^r and more blocks
_BAD = 256


def intervals(order: Order, bits: Bits) -> list[tuple[int, int, int, int]]:
    """Return (first bit, bit behind, first MCU, MCU behind) of every restart interval."""
    firsts = range(0, order.mcus, order.interval)
    return [
        (start, end, first, min(first + order.interval, order.mcus))
        for start, end, first in zip(bits.starts, bits.ends, firsts, strict=True)
    ]


def check_end(position: int, end: int) -> None:
    """Raise UnsupportedError where an interval was read beyond its last bit."""
    if position > end:
        raise UnsupportedError("its data end too early")


def require(tables: tuple[Table | None, ...]) -> list[Table]:
    """Return a scan's Huffman tables; UnsupportedError where one is not defined."""
    present = [table for table in tables if table is not None]
    if len(present) < len(tables):
        raise UnsupportedError("a Huffman table is missing")
    return present


def dc_steps(table: Table) -> list[int]:
    """Return how many bits a DC symbol takes with its value, by the next 16 bits."""
    symbols, lengths = table.lookup
    return [int(one) for one in lengths + np.maximum(symbols, 0)]


def ac_steps(table: Table, *, runs: bool) -> list[int]:
    """Return advance × 64 + bits of an AC symbol, by the next 16 bits.

    An end of block advances beyond all coefficients. With `runs` (progressive), an end-of-band
    symbol EOBr advances by 64 + r, and the r bits behind it are not counted in.
    """
    symbols, lengths = table.lookup
    run, size = symbols >> 4, symbols & 15
    advance = np.where(size > 0, run + 1, np.where(run == 15, 16, END + (run if runs else 0)))
    advance = np.where(symbols < 0, _BAD, advance).astype(np.int64)
    bits = lengths + np.where(symbols < 0, 0, size)
    return [int(one) for one in advance * 64 + bits]


@dataclass
class Symbols:
    """Symbols as the walk found them, made into numbers."""

    position: Positions
    symbol: NDArray[np.int64]
    length: Positions
    value: NDArray[np.int64]


def evaluate(bits: Bits, positions: "array[int]", tables: list[Table], which: Positions) -> Symbols:
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
    return Symbols(at, symbol, length, value)


def place_dc(scan: Scan, order: Order, differences: Positions, blocks: list[Blocks]) -> None:
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
