"""Refinement scans of AC coefficients: one more bit of each (T.81 G.1.2.3).

The known coefficients of a block split its band: a run counts the unknown ones only, and each
known one that is passed has one bit in the stream, behind the symbol that passes it.
"""

from array import array
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photocloak.exporters.jpeg_dct.bits import Bits
from photocloak.exporters.jpeg_dct.block_order import BlockOrder
from photocloak.exporters.jpeg_dct.headers import Blocks, Scan, UnsupportedError
from photocloak.exporters.jpeg_dct.huffman import Table
from photocloak.exporters.jpeg_dct.symbols import check_end, intervals, require
from photocloak.exporters.jpeg_dct.tokens import SLICE

_NOTED = 1 << 18  # numbers, before they are made into coefficients


def refine(scan: Scan, order: BlockOrder, bits: Bits, target: Blocks) -> None:
    """Add the bits of a scan to the coefficients, in place.

    Raises:
        UnsupportedError: the data are damaged.

    """
    table = require(scan.ac)[0]
    known = _known(scan, order, target)
    walk = _Walk(bits, table, scan.band, known)
    for start, end, first, behind in intervals(order, bits):
        p, block = start, first
        while block < behind:
            p, more = walk.block(p, block)
            block += more
            if p > end or block > behind:
                raise UnsupportedError("its data end too early")
            if len(walk.fresh) + len(walk.corrected) > _NOTED:
                _change(scan, order, target, known, walk)
        check_end(p, end, bits)
    _change(scan, order, target, known, walk)


@dataclass(frozen=True)
class _Known:
    """The coefficients of a band that are not zero before a scan, block by block.

    Attributes:
        k: (n,) which coefficient.
        starts: (N + 1,) index of the first one of every block.

    """

    k: NDArray[np.uint8]
    starts: NDArray[np.int64]


def _change(scan: Scan, order: BlockOrder, target: Blocks, known: _Known, walk: "_Walk") -> None:
    """Make what the walk noted into coefficients."""
    fresh = np.frombuffer(walk.fresh, np.int64).reshape(-1, 3)
    corrected = np.frombuffer(walk.corrected, np.int64).reshape(-1, 3)
    walk.fresh, walk.corrected = array("q"), array("q")
    step = np.int16(1 << scan.low)

    many = corrected[:, 1]
    inner = np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many)
    which = np.repeat(corrected[:, 0], many) + inner
    bit = walk.bits.peek(np.repeat(corrected[:, 2], many) + inner) >> np.uint64(31)
    which = which[bit == 1]
    block = np.searchsorted(known.starts, which, side="right") - 1
    at = order.rows[block], order.columns[block], known.k[which]
    old = target[at]
    target[at] = old + np.where(np.abs(old) & step, 0, np.sign(old) * step).astype(np.int16)

    sign = (walk.bits.peek(fresh[:, 2]) >> np.uint64(31)).astype(np.int16)
    target[order.rows[fresh[:, 0]], order.columns[fresh[:, 0]], fresh[:, 1]] = (2 * sign - 1) * step


def _known(scan: Scan, order: BlockOrder, target: Blocks) -> _Known:
    first, last = scan.band
    parts, counts = [], []
    for start in range(0, order.mcus, SLICE):
        inside = slice(start, start + SLICE)
        there = target[order.rows[inside], order.columns[inside], first : last + 1] != 0
        parts.append((np.nonzero(there)[1] + first).astype(np.uint8))
        counts.append(there.sum(axis=1))
    return _Known(np.concatenate(parts), np.cumsum(np.concatenate([[0], *counts])))


class _Walk:
    """The serial walk; notes where bits lie.

    Attributes:
        bits: of the scan.
        fresh: block, coefficient and bit of the sign, of every new coefficient.
        corrected: first known coefficient, how many, and first bit, of every row of corrections.

    """

    def __init__(self, bits: Bits, table: Table, band: tuple[int, int], known: _Known) -> None:
        symbols, lengths = table.lookup
        self._symbols: list[int] = symbols.tolist()
        self._lengths: list[int] = lengths.tolist()
        self.bits, self._window, self._band = bits, bits.window().data, band
        self._starts, self._known = known.starts.tolist(), known.k.tobytes()
        self.fresh, self.corrected = array("q"), array("q")

    def block(self, p: int, block: int) -> tuple[int, int]:
        """Walk one block; return the next bit, and how many blocks are done with."""
        k, last = self._band
        i, stop = self._starts[block], self._starts[block + 1]
        while k <= last:
            ahead = (self._window[p >> 3] >> (8 - (p & 7))) & 0xFFFF
            symbol = self._symbols[ahead]
            p += self._lengths[ahead]
            run, size = symbol >> 4, symbol & 15
            if size == 0 and run < 15:
                return self._end(p, run, block, i)
            if size > 1 or symbol < 0:
                raise UnsupportedError("its data hold a code that no table has")
            sign = p
            p += size
            target, passed = k + run, i
            while i < stop and self._known[i] <= target:
                i += 1
                target += 1
            if i > passed:
                self.corrected.extend((passed, i - passed, p))
                p += i - passed
            if size and target <= last:
                self.fresh.extend((block, target, sign))
            elif size:
                raise UnsupportedError("a block holds more coefficients than its band")
            k = target + 1
        if i < stop:
            raise UnsupportedError("a block holds more coefficients than its band")
        return p, 1

    def _end(self, p: int, run: int, block: int, i: int) -> tuple[int, int]:
        """Take an end of band, for one block or a run of them; only corrections follow."""
        blocks = 1
        if run:
            ahead = (self._window[p >> 3] >> (8 - (p & 7))) & 0xFFFF
            blocks = (1 << run) + (ahead >> (16 - run))
            p += run
        if block + blocks >= len(self._starts):
            raise UnsupportedError("a run of blocks is too long")
        rest = self._starts[block + blocks] - i
        if rest:
            self.corrected.extend((i, rest, p))
        return p + rest, blocks
