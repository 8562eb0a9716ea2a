"""In which order a scan visits the blocks of its components (T.81 A.2)."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from photocloak.exporters.jpeg_dct.headers import Headers, Scan


@dataclass(frozen=True)
class BlockOrder:
    """The blocks of a scan in their order.

    Attributes:
        plan: which member of the scan each block of an MCU belongs to.
        rows: (N,) block row of each block within its component.
        columns: (N,) block column.
        member: (N,) index into the scan's members.
        mcus: how many MCUs there are.
        interval: MCUs between restart markers; all of them where there are none.

    """

    plan: tuple[int, ...]
    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    member: NDArray[np.uint8]
    mcus: int
    interval: int

    @property
    def opens(self) -> NDArray[np.bool_]:
        """(N,): which blocks begin a restart interval."""
        result = np.zeros(len(self.rows), bool)
        result[:: self.interval * len(self.plan)] = True
        return result

    @property
    def closes(self) -> NDArray[np.bool_]:
        """(N,): which blocks end a restart interval."""
        return np.append(self.opens[1:], True)

    def find(self, member: int, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> "Found":
        """Return which of a member's blocks the scan has, and their place in its order."""
        place = self._places[member]
        present = (rows < place.shape[0]) & (columns < place.shape[1])
        return present, place[rows[present], columns[present]]

    @cached_property
    def _places(self) -> list[NDArray[np.int64]]:
        """(rows, columns) of every member: where in the order each of its blocks is."""
        result = []
        for member in range(max(self.plan) + 1):
            mine = np.flatnonzero(self.member == member)
            rows, columns = self.rows[mine], self.columns[mine]
            place = np.zeros((int(rows.max()) + 1, int(columns.max()) + 1), np.int64)
            place[rows, columns] = mine
            result.append(place)
        return result


Found = tuple[NDArray[np.bool_], NDArray[np.int64]]


def block_order(headers: Headers, members: tuple[int, ...], interval: int) -> BlockOrder:
    """Return the order of a scan over some components."""
    if len(members) == 1:
        rows, columns = headers.components[members[0]].size
        grid = np.indices((rows, columns), np.int32).reshape(2, -1)
        mcus = rows * columns
        zeros = np.zeros(mcus, np.uint8)
        return BlockOrder((0,), grid[0], grid[1], zeros, mcus, interval or mcus)
    down, across = headers.largest
    high, wide = -(-headers.height // (8 * down)), -(-headers.width // (8 * across))
    plan, y, x, steps = [], [], [], []
    for i, member in enumerate(members):
        one = headers.components[member]
        for row in range(one.down):
            for column in range(one.across):
                plan.append(i)
                y.append(row)
                x.append(column)
                steps.append((one.down, one.across))
    mcu = np.indices((high, wide), np.int32).reshape(2, -1)
    step = np.array(steps, np.int32)
    rows_ = mcu[0][:, None] * step[:, 0] + np.array(y, np.int32)
    columns_ = mcu[1][:, None] * step[:, 1] + np.array(x, np.int32)
    mcus = high * wide
    member_ = np.tile(np.array(plan, np.uint8), mcus)
    return BlockOrder(tuple(plan), rows_.ravel(), columns_.ravel(), member_, mcus, interval or mcus)


def scan_order(headers: Headers, scan: Scan) -> BlockOrder:
    """Return the order of a scan of the file."""
    return block_order(headers, scan.members, scan.interval)
