"""A JPEG whose coefficients can be read and replaced, whatever its frame type."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from photocloak.exporters.containers.segments import Segment
from photocloak.exporters.jpeg_dct.headers import Blocks

Places = NDArray[np.int64]


@dataclass(frozen=True)
class BlockEdit:
    """New coefficients for some blocks of one component.

    Attributes:
        rows: (n,) their block rows.
        columns: (n,) their block columns.
        blocks: (n, 64) coefficients, zigzag.

    """

    rows: Places
    columns: Places
    blocks: Blocks


def joined(edits: list[BlockEdit]) -> BlockEdit:
    """Return several edits of one component as one."""
    rows, columns = [one.rows for one in edits], [one.columns for one in edits]
    blocks = [one.blocks for one in edits]
    return BlockEdit(np.concatenate(rows), np.concatenate(columns), np.concatenate(blocks))


class Source(Protocol):
    """A JPEG that is open for changes; it stays as it was."""

    def read(self, component: int, rows: Places, columns: Places) -> Blocks:
        """Return (n, 64) coefficients of some blocks, zigzag; zeros where no scan has them."""

    def write(self, edits: list[BlockEdit]) -> list[Segment]:
        """Return the DRI, DHT and SOS segments that hold the coefficients, with an edit each."""
