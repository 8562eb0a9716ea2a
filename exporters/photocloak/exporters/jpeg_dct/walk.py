"""Where the blocks of a sequential scan begin: a walk from symbol to symbol (T.81 F.2.2).

It notes no values; a table by the next 16 bits tells how far each symbol reaches.
"""

from array import array
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from photocloak.exporters.jpeg_dct.bits import Bits, Positions
from photocloak.exporters.jpeg_dct.block_order import BlockOrder
from photocloak.exporters.jpeg_dct.headers import UnsupportedError
from photocloak.exporters.jpeg_dct.huffman import Table
from photocloak.exporters.jpeg_dct.lanes import Machine, find_in_lanes
from photocloak.exporters.jpeg_dct.symbols import check_end, dc_steps, intervals

# A step is advance × 64 + 32 for a run of zeros + bits. Ends of blocks advance behind all
# coefficients, and codes that no table has beyond those.
_RUN, _END, _BAD = 32, 128, 256
_LANE = 1 << 13  # bits
_LARGE = 1 << 20  # bytes of a scan from which on lanes are faster

Found = tuple[Positions, Positions]
"""First bit of every block, and the bit behind every restart interval."""


def find_blocks(order: BlockOrder, bits: Bits, tables: list[Table]) -> tuple[Positions, Positions]:
    """Return the first bit of every block, (N,), and the bit behind its last.

    Args:
        order: of the scan.
        bits: of the scan.
        tables: the DC table of every member, then the AC table of every member.

    Raises:
        UnsupportedError: the data are damaged.
        IndexError: they end too early.

    """
    window = bits.window()
    large = len(bits.data) >= _LARGE
    found = in_lanes(order, bits, window, tables, length=_LANE) if large else None
    starts, closes = found or serially(order, bits, window, tables)
    behind = np.append(starts[1:], 0)
    behind[order.closes] = closes
    return starts, behind


def in_lanes(
    order: BlockOrder, bits: Bits, window: NDArray[np.uint32], tables: list[Table], *, length: int
) -> Found | None:
    """Walk in many places at once, `length` bits apart; None where that does not work out."""
    count = len(tables) // 2
    machine = Machine(
        window,
        np.concatenate([dc_steps(table) for table in tables[:count]]),
        np.concatenate([block_steps(table) for table in tables[count:]]),
        np.array(order.plan),
    )
    size = len(order.plan)
    parts = [
        (start, end, (last - first) * size) for start, end, first, last in intervals(order, bits)
    ]
    return find_in_lanes(machine, parts, length)


def serially(
    order: BlockOrder, bits: Bits, window: NDArray[np.uint32], tables: list[Table]
) -> Found:
    """Walk from the first block to the last.

    Raises:
        UnsupportedError: the data are damaged.
        IndexError: they end too early.

    """
    ahead, count = window.data, len(tables) // 2
    steps = [
        (dc_steps(one), _block_steps(two))
        for one, two in zip(tables[:count], tables[count:], strict=True)
    ]
    plan = [steps[i] for i in order.plan]
    starts, closes = array("q"), array("q")
    note = starts.append
    for start, end, first, last in intervals(order, bits):
        p = start
        for _ in range(first, last):
            for dc_reach, ac_reach in plan:
                note(p)
                p += dc_reach[(ahead[p >> 3] >> (8 - (p & 7))) & 0xFFFF]
                k = 1
                while k < 64:
                    step = ac_reach[(ahead[p >> 3] >> (8 - (p & 7))) & 0xFFFF]
                    p += step & 31
                    k += step >> 6
                if k > 64 and not (_END < k < _BAD or step & _RUN):
                    raise UnsupportedError("a block holds more than 64 coefficients")
            if p > end:
                break
        check_end(p, end, bits)
        closes.append(p)
    return np.frombuffer(starts, np.int64), np.frombuffer(closes, np.int64)


@lru_cache(4)
def _block_steps(table: Table) -> list[int]:
    steps: list[int] = block_steps(table).tolist()
    return steps


def block_steps(table: Table) -> NDArray[np.int32]:
    """Return the step of an AC symbol by the next 16 bits."""
    symbols, lengths = table.lookup
    run, size = symbols >> 4, symbols & 15
    advance = np.where(size > 0, run + 1, np.where(run == 15, 16, _END))
    bits = lengths + np.where((size == 0) & (run == 15), _RUN, size)
    return np.where(symbols < 0, _BAD * 64 + 1, advance * 64 + bits).astype(np.int32)
