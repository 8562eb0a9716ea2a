"""From coefficients to Huffman symbols and the bits behind them (T.81 F.1.2, G.1.2)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photocloak.exporters.jpeg_dct.bits import Positions, Values
from photocloak.exporters.jpeg_dct.huffman import Table

SLICE = 8192  # blocks whose tokens are made at once; an end-of-band run may span 32767
_ZRL = 0xF0


@dataclass(frozen=True)
class Tokens:
    """Symbols with the bits behind them, in the order they are written; small, for there are many.

    Attributes:
        block: (N,) the block each belongs to, ascending, counted within its slice.
        symbol: (N,) Huffman symbol.
        table: (N,) index of its table.
        extra: (N,) bits behind the symbol.
        size: (N,) how many.

    """

    block: NDArray[np.uint16]
    symbol: NDArray[np.uint8]
    table: NDArray[np.uint8]
    extra: NDArray[np.uint16]
    size: NDArray[np.uint8]

    def coded(self, tables: list[Table]) -> tuple[Values, Positions]:
        """Return the bits of each token and how many they are."""
        at = self.table.astype(np.int64) * 256 + self.symbol
        codes = np.concatenate([table.codes[0] for table in tables])[at]
        lengths = np.concatenate([table.codes[1] for table in tables])[at]
        return codes << self.size.astype(np.uint64) | self.extra, lengths + self.size


def dc_tokens(
    sent: NDArray[np.int32], table: NDArray[np.uint8], block: NDArray[np.integer]
) -> Tokens:
    """Return the tokens of the DC differences of some blocks."""
    size, extra = _magnitude(sent.astype(np.int64))
    return _tokens(block, size, table, extra, size)


def ac_tokens(
    coefficients: NDArray[np.int16],
    table: NDArray[np.uint8],
    block: NDArray[np.integer],
    *,
    opens: NDArray[np.bool_] | None = None,
) -> Tokens:
    """Return the tokens of a band of coefficients.

    Args:
        coefficients: (N, band) of some blocks.
        table: (N,) for each block.
        block: (N,) place of each.
        opens: progressive: blocks that are over share one token, up to one that begins an
            interval.

    """
    row, k = np.nonzero(coefficients)
    value = coefficients[row, k].astype(np.int64)
    new_block = np.diff(row, prepend=-1) > 0
    gap = np.where(new_block, k, k - np.roll(k, 1) - 1)
    size, extra = _magnitude(value)
    # every coefficient: its ZRLs, then itself
    many = (gap >> 4) + 1
    at = np.cumsum(many) - 1
    total = int(many.sum())
    symbol = np.full(total, _ZRL, np.int64)
    symbol[at] = (gap & 15) << 4 | size
    extra_, size_ = np.zeros(total, np.int64), np.zeros(total, np.int64)
    extra_[at], size_[at] = extra, size
    row_ = np.repeat(row, many)
    # end-of-block tokens
    final = np.full(len(coefficients), -1, np.int64)
    final[row] = k  # ascending within a block: the last one stays
    over = final < coefficients.shape[1] - 1
    if opens is None:
        ends = np.flatnonzero(over)
        end_size = end_extra = np.zeros(len(ends), np.int64)
    else:
        ends, run = _runs(over, final >= 0, opens)
        end_size = np.log2(run).astype(np.int64)
        end_extra = run - (1 << end_size)
    where = np.searchsorted(row_, ends, side="right")
    merged = np.insert(row_, where, ends)
    return _tokens(
        block[merged],
        np.insert(symbol, where, end_size << 4),
        table[merged],
        np.insert(extra_, where, end_extra),
        np.insert(size_, where, end_size),
    )


def join(dc: Tokens, ac: Tokens) -> Tokens:
    """Merge DC tokens before the AC tokens of their blocks."""
    where = np.searchsorted(ac.block, dc.block)
    names = ("block", "symbol", "table", "extra", "size")
    return Tokens(*(np.insert(getattr(ac, name), where, getattr(dc, name)) for name in names))


def occurrences(tokens: list[Tokens], table: int) -> NDArray[np.int64]:
    """Return how often each of the 256 symbols of a table occurs."""
    result = np.zeros(256, np.int64)
    for one in tokens:
        result += np.bincount(one.symbol[one.table == table], minlength=256)
    return result


def _tokens(
    block: NDArray[np.integer],
    symbol: NDArray[np.int64],
    table: NDArray[np.uint8],
    extra: NDArray[np.int64],
    size: NDArray[np.int64],
) -> Tokens:
    return Tokens(
        block.astype(np.uint16),
        symbol.astype(np.uint8),
        table,
        extra.astype(np.uint16),
        size.astype(np.uint8),
    )


def _magnitude(value: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how many bits values take, and the bits (F.1.2.1)."""
    size = np.zeros(len(value), np.int64)
    rest = np.abs(value)
    while rest.any():
        size += rest > 0
        rest >>= 1
    return size, np.where(value < 0, value + (1 << size) - 1, value)


def _runs(
    over: NDArray[np.bool_], filled: NDArray[np.bool_], opens: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first block of every end-of-band run, and how many blocks it spans."""
    begins = over & (filled | opens | np.append(True, ~over[:-1]))
    starts = np.flatnonzero(begins)
    # a run ends where another begins, or before a block that is not over
    stops = np.flatnonzero(begins | ~over)
    behind = np.append(stops, len(over))[np.searchsorted(stops, starts, side="right")]
    return starts, behind - starts
