"""From coefficients to Huffman symbols and the bits behind them (T.81 F.1.2, G.1.2)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photocloak.exporters.coefficients.bits import Positions
from photocloak.exporters.coefficients.order import Order

_LONGEST_RUN = 0x7FFF
_ZRL = 0xF0


@dataclass(frozen=True)
class Tokens:
    """Symbols with the bits behind them, in the order they are written.

    Attributes:
        block: (N,) the block each belongs to, ascending.
        symbol: (N,) Huffman symbol.
        table: (N,) index of its table.
        extra: (N,) bits behind the symbol.
        size: (N,) how many.

    """

    block: NDArray[np.int64]
    symbol: NDArray[np.int64]
    table: NDArray[np.int64]
    extra: NDArray[np.int64]
    size: NDArray[np.int64]

    def breaks(self, order: Order) -> Positions:
        """Return the index of the first token of every restart interval."""
        return np.searchsorted(self.block, order.blocks_before)


def _magnitude(value: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how many bits values take, and the bits (F.1.2.1)."""
    size = np.zeros(len(value), np.int64)
    rest = np.abs(value)
    while rest.any():
        size += rest > 0
        rest >>= 1
    return size, np.where(value < 0, value + (1 << size) - 1, value)


def dc_tokens(dc: NDArray[np.int16], order: Order) -> Tokens:
    """Return the tokens of DC coefficients, predicted anew from every restart interval on."""
    values = dc.astype(np.int64)
    difference = np.empty_like(values)
    first = np.zeros(len(values), np.int64)
    first[order.blocks_before] = 1
    interval = np.cumsum(first)
    for member in range(max(order.plan) + 1):
        mine = np.flatnonzero(order.member == member)
        own = np.diff(values[mine], prepend=0)
        fresh = np.diff(interval[mine], prepend=0) > 0
        own[fresh] = values[mine][fresh]
        difference[mine] = own
    size, extra = _magnitude(difference)
    return Tokens(np.arange(len(values)), size, order.member, extra, size)


def ac_tokens(
    coefficients: NDArray[np.int16], order: Order, band: tuple[int, int], *, runs: bool
) -> Tokens:
    """Return the tokens of a band; with `runs` blocks that are over share one token."""
    first, last = band
    view = coefficients[:, first : last + 1]
    block, k = np.nonzero(view)
    value = view[block, k].astype(np.int64)
    count = len(view)
    new_block = np.diff(block, prepend=-1) > 0
    gap = np.where(new_block, k, k - np.roll(k, 1) - 1)
    long = gap >> 4
    size, extra = _magnitude(value)
    # every coefficient: its ZRLs, then itself
    many = long + 1
    at = np.cumsum(many) - 1
    total = int(many.sum())
    symbol = np.full(total, _ZRL, np.int64)
    symbol[at] = (gap & 15) << 4 | size
    extra_, size_ = np.zeros(total, np.int64), np.zeros(total, np.int64)
    extra_[at], size_[at] = extra, size
    block_ = np.repeat(block, many)
    # end-of-block tokens
    final = np.full(count, -1, np.int64)
    final[block] = k  # ascending within a block: the last one stays
    over = final < last - first
    ends, run = _runs(over, final >= 0, order) if runs else (np.flatnonzero(over), None)
    if run is None:
        end_symbol, end_extra, end_size = (np.zeros(len(ends), np.int64) for _ in range(3))
    else:
        end_size = np.log2(run).astype(np.int64)
        end_symbol, end_extra = end_size << 4, run - (1 << end_size)
    where = np.searchsorted(block_, ends, side="right")
    merged = np.insert(block_, where, ends)
    return Tokens(
        merged,
        np.insert(symbol, where, end_symbol),
        order.member[merged],
        np.insert(extra_, where, end_extra),
        np.insert(size_, where, end_size),
    )


def _runs(
    over: NDArray[np.bool_], filled: NDArray[np.bool_], order: Order
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first block of every end-of-band run, and how many blocks it spans."""
    begins = over & (filled | np.append(True, ~over[:-1]))
    begins[order.blocks_before] |= over[order.blocks_before]
    starts = np.flatnonzero(begins)
    # a run ends where another begins, or before a block that is not over
    stops = np.flatnonzero(begins | ~over)
    behind = np.append(stops, len(over))[np.searchsorted(stops, starts, side="right")]
    spans = behind - starts
    pieces = -(-spans // _LONGEST_RUN)
    if pieces.max(initial=1) > 1:
        inner = np.arange(int(pieces.sum())) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        whole = np.repeat(spans, pieces)
        starts = np.repeat(starts, pieces) + inner * _LONGEST_RUN
        spans = np.minimum(whole - inner * _LONGEST_RUN, _LONGEST_RUN)
    return starts, spans


def join(dc: Tokens, ac: Tokens, *, tables: int) -> Tokens:
    """Merge DC tokens before the AC tokens of their blocks; AC tables are numbered behind DC's."""
    where = np.searchsorted(ac.block, dc.block)
    merged = [
        np.insert(getattr(ac, name) + shift, where, getattr(dc, name))
        for name, shift in (
            ("block", 0),
            ("symbol", 0),
            ("table", tables),
            ("extra", 0),
            ("size", 0),
        )
    ]
    return Tokens(*merged)
