"""In which order a scan visits the blocks of its components (T.81 A.2)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photocloak.exporters.coefficients.layout import Layout, Scan


@dataclass(frozen=True)
class Order:
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
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    member: NDArray[np.int64]
    mcus: int
    interval: int

    @property
    def blocks_before(self) -> NDArray[np.int64]:
        """Index of the first block of every restart interval."""
        return np.arange(0, self.mcus, self.interval) * len(self.plan)


def order_of(layout: Layout, members: tuple[int, ...], interval: int) -> Order:
    """Return the order of a scan over some components."""
    if len(members) == 1:
        rows, columns = layout.components[members[0]].size
        grid = np.indices((rows, columns)).reshape(2, -1)
        mcus = rows * columns
        zeros = np.zeros(mcus, np.int64)
        return Order((0,), grid[0], grid[1], zeros, mcus, interval or mcus)
    down, across = layout.largest
    high, wide = -(-layout.height // (8 * down)), -(-layout.width // (8 * across))
    plan, y, x, steps = [], [], [], []
    for i, member in enumerate(members):
        one = layout.components[member]
        for row in range(one.down):
            for column in range(one.across):
                plan.append(i)
                y.append(row)
                x.append(column)
                steps.append((one.down, one.across))
    mcu = np.indices((high, wide)).reshape(2, -1)
    step = np.array(steps)
    rows_ = mcu[0][:, None] * step[:, 0] + np.array(y)
    columns_ = mcu[1][:, None] * step[:, 1] + np.array(x)
    mcus = high * wide
    member_ = np.tile(np.array(plan), mcus)
    return Order(tuple(plan), rows_.ravel(), columns_.ravel(), member_, mcus, interval or mcus)


def scan_order(layout: Layout, scan: Scan) -> Order:
    """Return the order of a scan of the file."""
    return order_of(layout, scan.members, scan.interval)
