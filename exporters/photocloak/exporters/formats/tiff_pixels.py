"""The samples of a TIFF: where its strips and tiles lie, unpacked into an array and back."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photocloak.exporters.containers import strips
from photocloak.exporters.containers.ifd import (
    STRIP_COUNTS,
    STRIP_OFFSETS,
    TILE_COUNTS,
    TILE_OFFSETS,
    Directory,
    Tiff,
)
from photocloak.exporters.model import Samples

WIDTH, HEIGHT, PHOTOMETRIC = 0x100, 0x101, 0x106
_BITS, _COMPRESSION = 0x102, 0x103
_SAMPLES, _ROWS, _PLANAR, _PREDICTOR = 0x115, 0x116, 0x11C, 0x13D
_TILE_WIDTH, _TILE_HEIGHT, _FORMAT, _FILL = 0x142, 0x143, 0x153, 0x10A
# photometric interpretation and channels of the kinds that are written
_MODES = {(0, 1): "L", (1, 1): "L", (0, 2): "LA", (1, 2): "LA"}
_MODES |= {(2, 3): "RGB", (2, 4): "RGBA", (5, 4): "CMYK"}
_INVERTED = 0


@dataclass(frozen=True)
class Grid:
    """How the primary picture lies in the file.

    Attributes:
        width: in pixels.
        height: in pixels.
        channels: in a pixel.
        bits: 8 or 16.
        order: byte order of 16-bit samples, < or >.
        compression: TIFF's number.
        predictor: 1 none, 2 horizontal differences.
        planar: whether each channel lies by itself.
        tall: rows of a strip or tile.
        wide: columns of it.
        tiled: tiles are whole at the edges, strips are not.
        offsets: of every strip or tile.
        counts: bytes of each.
        mode: Pillow's name of the colour model.
        inverted: gray whose zero is white.

    """

    width: int
    height: int
    channels: int
    bits: int
    order: str
    compression: int
    predictor: int
    planar: bool
    tall: int
    wide: int
    tiled: bool
    offsets: tuple[int, ...]
    counts: tuple[int, ...]
    mode: str
    inverted: bool

    @property
    def depth(self) -> int:
        """Channels that lie together."""
        return 1 if self.planar else self.channels

    def cells(self) -> Iterator[tuple[int, slice, slice, slice, int]]:
        """Yield (index, rows, columns, channels, rows stored) of every strip or tile."""
        index = 0
        for plane in range(self.channels if self.planar else 1):
            channels = slice(plane, plane + 1) if self.planar else slice(None)
            for y in range(0, self.height, self.tall):
                rows = slice(y, min(y + self.tall, self.height))
                for x in range(0, self.width, self.wide):
                    columns = slice(x, min(x + self.wide, self.width))
                    stored_rows = self.tall if self.tiled else rows.stop - rows.start
                    yield index, rows, columns, channels, stored_rows
                    index += 1


def grid_of(tiff: Tiff, main: Directory) -> Grid:
    """Return the layout of the primary picture.

    Raises:
        ValueError: it is of a kind that is not written; half a sentence why.

    """
    number = tiff.number
    width, height = number(main, WIDTH), number(main, HEIGHT)
    channels = number(main, _SAMPLES, 1)
    bits = set(tiff.numbers(main.entries.get(_BITS))) or {1}
    kind = number(main, PHOTOMETRIC, 1)
    if (kind, channels) not in _MODES:
        raise ValueError(f"its colour model {kind} with {channels} channels is not written")
    if bits not in ({8}, {16}) or set(tiff.numbers(main.entries.get(_FORMAT))) - {1}:
        raise ValueError(f"{'/'.join(map(str, sorted(bits)))} bits a channel are not written")
    compression = number(main, _COMPRESSION, 1)
    predictor = number(main, _PREDICTOR, 1)
    if compression not in strips.COMPRESSIONS or predictor not in (1, 2):
        raise ValueError(f"its compression {compression} is not written")
    if number(main, _FILL, 1) != 1:
        raise ValueError("its bits lie backwards")
    tiled = TILE_OFFSETS in main.entries
    offsets = tiff.numbers(main.entries.get(TILE_OFFSETS if tiled else STRIP_OFFSETS))
    counts = tiff.numbers(main.entries.get(TILE_COUNTS if tiled else STRIP_COUNTS))
    grid = Grid(
        width=width,
        height=height,
        channels=channels,
        bits=bits.pop(),
        order=tiff.order,
        compression=compression,
        predictor=predictor if compression != strips.NONE else 1,
        planar=number(main, _PLANAR, 1) == 2 and channels > 1,
        tall=number(main, _TILE_HEIGHT) if tiled else min(number(main, _ROWS, height), height),
        wide=number(main, _TILE_WIDTH) if tiled else width,
        tiled=tiled,
        offsets=offsets,
        counts=counts,
        mode=_MODES[kind, channels],
        inverted=kind == _INVERTED,
    )
    cells = len(list(grid.cells())) if grid.tall and grid.wide else 0
    if not cells == len(offsets) == len(counts):
        raise ValueError("its strips do not add up")
    return grid


def read(data: bytes, grid: Grid) -> Samples:
    """Return the (height, width, channels) samples of a file, gray with black at zero.

    Where they lie there as they are, it is a view of the file, not to be written to: large photos
    are such files.

    Raises:
        ValueError: they are damaged.

    """
    if _lies_plain(grid) and grid.offsets[0] + sum(grid.counts) <= len(data):
        shape = grid.height, grid.width, grid.channels
        return np.frombuffer(data, np.uint8, int(np.prod(shape)), grid.offsets[0]).reshape(shape)
    kind = np.uint8 if grid.bits == 8 else np.uint16
    samples = np.empty((grid.height, grid.width, grid.channels), kind)
    view = memoryview(data)  # a strip may be the whole picture
    for index, rows, columns, channels, tall in grid.cells():
        start, size = grid.offsets[index], grid.counts[index]
        if start + size > len(data):
            raise ValueError("a strip lies beyond the end of the file")
        width = grid.wide * grid.depth * grid.bits // 8
        cell = _unpredicted(
            strips.unpack(view[start : start + size], grid.compression, tall, width), grid
        )
        target = samples[rows, columns, channels]
        target[...] = cell[: target.shape[0], : target.shape[1]]
    return flipped(samples, grid)


def _lies_plain(grid: Grid) -> bool:
    """Tell whether a picture of 8 bits lies in the file in one piece, row after row."""
    coded = grid.compression != strips.NONE or grid.bits != 8
    if coded or grid.tiled or grid.planar or grid.inverted:
        return False
    row = grid.width * grid.channels
    cells = zip(grid.cells(), grid.offsets, grid.counts, strict=True)
    start = grid.offsets[0]
    return all(
        offset == start + cell[1].start * row and count == cell[4] * row
        for cell, offset, count in cells
    )


def flipped(samples: Samples, grid: Grid) -> Samples:
    """Return samples between black at zero and as they lie in the file; its own inverse."""
    if not grid.inverted:
        return samples
    result = samples.copy()
    result[..., 0] = np.iinfo(samples.dtype).max - samples[..., 0]
    return result


def pack(part: Samples, grid: Grid, tall: int) -> bytes:
    """Return a strip or tile of `tall` rows as it lies in the file, filled up with zeros."""
    cell = np.zeros((tall, grid.wide, grid.depth), part.dtype)
    cell[: part.shape[0], : part.shape[1]] = part
    return strips.pack(_predicted(cell, grid), grid.compression)


def _unpredicted(packed: NDArray[np.uint8], grid: Grid) -> Samples:
    """Return the (rows, columns, channels) samples of an unpacked strip."""
    kind = f"{grid.order}u{grid.bits // 8}"
    cell = np.ascontiguousarray(packed).view(kind).reshape(len(packed), grid.wide, grid.depth)
    if grid.predictor == 2:
        cell = np.cumsum(cell, axis=1, dtype=np.dtype(kind).newbyteorder("="))
    return cell


def _predicted(cell: Samples, grid: Grid) -> NDArray[np.uint8]:
    """Return the bytes of a strip, ready to be packed."""
    if grid.predictor == 2:
        first = np.zeros_like(cell[:, :1])
        cell = np.diff(cell, axis=1, prepend=first)
    stored_ = np.ascontiguousarray(cell.astype(f"{grid.order}u{grid.bits // 8}"))
    return stored_.reshape(len(cell), -1).view(np.uint8)
