"""Baseline and extended files: only blocks that are asked for are decoded.

One walk finds where the blocks begin; the coefficients of any of them can then be read at once.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photocloak.exporters.jpeg_dct.bits import Bits, Positions, unstuff
from photocloak.exporters.jpeg_dct.block_order import BlockOrder, scan_order
from photocloak.exporters.jpeg_dct.headers import Blocks, Headers, Scan, UnsupportedError
from photocloak.exporters.jpeg_dct.prediction import sums
from photocloak.exporters.jpeg_dct.symbols import Reader, require
from photocloak.exporters.jpeg_dct.walk import find_blocks


@dataclass(frozen=True)
class OpenScan:
    """A sequential scan whose blocks are found.

    Attributes:
        scan: its header.
        order: its blocks.
        bits: its data.
        starts: (N,) first bit of every block.
        behind: (N,) the bit behind its last.
        reader: of symbols with the DC table of every member, then the AC table of every member.
        dc: (N,) DC coefficients.

    """

    scan: Scan
    order: BlockOrder
    bits: Bits
    starts: Positions
    behind: Positions
    reader: Reader
    dc: NDArray[np.int16]

    def read(self, which: NDArray[np.int64]) -> Blocks:
        """Return the coefficients of some blocks, (n, 64) zigzag."""
        result = np.zeros((len(which), 64), np.int16)
        result[:, 0] = self.dc[which]
        member = self.order.member[which]
        positions = self.reader.read(self.starts[which], member).behind
        row, table = np.arange(len(which)), member + len(self.scan.members)
        k = np.ones(len(which), np.int64)
        while row.size:  # a symbol of every block at a time
            found = self.reader.read(positions, table)
            run, size = found.symbol >> 4, found.symbol & 15
            k += run
            real = size > 0
            if k[real].max(initial=0) > 63:
                raise UnsupportedError("a block holds more than 64 coefficients")
            result[row[real], k[real]] = found.value[real]
            goes_on = (k < 63) & (real | (run == 15))
            row, table, k = row[goes_on], table[goes_on], k[goes_on] + 1
            positions = found.behind[goes_on]
        return result


def open_scan(headers: Headers, scan: Scan) -> OpenScan:
    """Find the blocks of a sequential scan.

    Raises:
        UnsupportedError: the data are damaged.

    """
    order = scan_order(headers, scan)
    bits = unstuff(scan.data)
    if len(bits.starts) != -(-order.mcus // order.interval):
        raise UnsupportedError("its restart markers are not where they should be")
    tables = require(scan.dc + scan.ac)
    reader = Reader(bits, tables)
    try:
        starts, behind = find_blocks(order, bits, tables)
        sent = reader.read(starts, order.member).value
    except IndexError as error:
        raise UnsupportedError("its data end too early") from error
    return OpenScan(scan, order, bits, starts, behind, reader, sums(order, sent))
