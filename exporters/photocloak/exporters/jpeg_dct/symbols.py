"""What reading sequential and progressive scans have in common: symbols found, then evaluated."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from photocloak.exporters.jpeg_dct.bits import Bits, Positions
from photocloak.exporters.jpeg_dct.block_order import BlockOrder
from photocloak.exporters.jpeg_dct.headers import UnsupportedError
from photocloak.exporters.jpeg_dct.huffman import Table

END = 64  # advance of an end-of-band symbol; + r for a run of 2^r and more blocks
_BAD = 256


def intervals(order: BlockOrder, bits: Bits) -> list[tuple[int, int, int, int]]:
    """Return (first bit, bit behind, first MCU, MCU behind) of every restart interval."""
    firsts = range(0, order.mcus, order.interval)
    return [
        (start, end, first, min(first + order.interval, order.mcus))
        for start, end, first in zip(bits.starts, bits.ends, firsts, strict=True)
    ]


def check_end(position: int, end: int, bits: Bits) -> None:
    """Note what an interval has left; raise UnsupportedError where it was read beyond its end."""
    if position > end:
        raise UnsupportedError("its data end too early")
    bits.left.append(end - position)


def require(tables: tuple[Table | None, ...]) -> list[Table]:
    """Return a scan's Huffman tables; UnsupportedError where one is not defined."""
    present = [table for table in tables if table is not None]
    if len(present) < len(tables):
        raise UnsupportedError("a Huffman table is missing")
    return present


@lru_cache(4)  # most files have the tables of T.81 K.3, one for luma and one for chroma
def dc_steps(table: Table) -> list[int]:
    """Return how many bits a DC symbol takes with its value, by the next 16 bits."""
    symbols, lengths = table.lookup
    steps: list[int] = (lengths + (np.maximum(symbols, 0) & 15)).tolist()
    return steps


def ac_steps(table: Table) -> list[int]:
    """Return advance × 64 + bits of an AC symbol of a progressive scan, by the next 16 bits.

    An end-of-band symbol EOBr advances by 64 + r, and the r bits behind it are not counted in.
    """
    symbols, lengths = table.lookup
    run, size = symbols >> 4, symbols & 15
    advance = np.where(size > 0, run + 1, np.where(run == 15, 16, END + run))
    advance = np.where(symbols < 0, _BAD, advance).astype(np.int64)
    bits = lengths + np.where(symbols < 0, 0, size)
    steps: list[int] = (advance * 64 + bits).tolist()
    return steps


@dataclass(frozen=True)
class Symbols:
    """Symbols as a walk found them, made into numbers.

    Attributes:
        symbol: (N,) Huffman symbol.
        value: (N,) what the bits behind it say.
        behind: (N,) the bit behind those.

    """

    symbol: NDArray[np.int64]
    value: NDArray[np.int64]
    behind: Positions


class Reader:
    """Reads symbols wherever they are known to begin.

    Args:
        bits: of the scan.
        tables: to choose from.

    """

    def __init__(self, bits: Bits, tables: list[Table]) -> None:
        self._bits = bits
        lookups = [table.lookup for table in tables]
        self._symbols = np.concatenate([symbols for symbols, _ in lookups])
        self._lengths = np.concatenate([lengths for _, lengths in lookups]).astype(np.uint8)

    def read(self, positions: Positions, which: NDArray[np.integer]) -> Symbols:
        """Read the symbols at (N,) positions with one table each.

        Raises:
            UnsupportedError: there is one that the table does not have.
            IndexError: a position lies behind the data.

        """
        ahead = self._bits.peek(positions).astype(np.int64)
        code = (ahead >> 16) + which.astype(np.int64) * 65536
        symbol, length = self._symbols[code].astype(np.int64), self._lengths[code]
        if symbol.min(initial=0) < 0:
            raise UnsupportedError("its data hold a code that no table has")
        size = symbol & 15
        taken = length + size
        raw = (ahead >> (32 - taken)) & ((1 << size) - 1)
        negative = raw < (1 << size) >> 1
        return Symbols(symbol, np.where(negative, raw - (1 << size) + 1, raw), positions + taken)
