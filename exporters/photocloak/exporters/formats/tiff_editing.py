"""A TIFF changed in place: values overwritten, strips packed anew, further pictures cut off."""

import struct
from dataclasses import dataclass, replace

from photocloak.exporters.containers import strips
from photocloak.exporters.containers.ifd import (
    STRIP_COUNTS,
    STRIP_OFFSETS,
    SUB_IFDS,
    THUMBNAIL,
    THUMBNAIL_LENGTH,
    TILE_COUNTS,
    TILE_OFFSETS,
    Directory,
    IfdEntry,
    Tiff,
)
from photocloak.exporters.containers.strips import NONE
from photocloak.exporters.formats.tiff_pixels import Grid, flipped, pack
from photocloak.exporters.model import Samples

ICC = 0x8773
METADATA = ("Exif", "GPS", "Interop")  # directories that hold no pictures of their own


@dataclass
class File:
    """A file that is changed in place."""

    data: bytearray
    order: str

    def put(self, entry: IfdEntry, value: bytes) -> None:
        """Overwrite a value by one of the same length."""
        self.data[entry.start : entry.start + entry.size] = value

    def blank(self, start: int, size: int) -> None:
        """Overwrite a stretch with zeros."""
        stop = min(start + size, len(self.data))
        self.data[start:stop] = bytes(max(0, stop - start))

    def append(self, value: bytes) -> int:
        """Add bytes behind the file, at an even offset; return where."""
        self.data += b"\0" * (len(self.data) % 2)
        self.data += value
        return len(self.data) - len(value)

    def place(self, value: bytes, start: int, size: int) -> int:
        """Write bytes where there is room for so many, or behind the file; return where."""
        if len(value) > size:
            return self.append(value)
        self.data[start : start + len(value)] = value
        return start

    def set_numbers(self, entry: IfdEntry, values: list[int]) -> None:
        """Overwrite a list of offsets or counts, which may have to become wider."""
        if entry.kind == 4 or max(values) < 65536:
            form = "I" if entry.kind == 4 else "H"
            self.put(entry, struct.pack(f"{self.order}{len(values)}{form}", *values))
            return
        wide = struct.pack(f"{self.order}{len(values)}I", *values)
        value = wide if len(wide) <= 4 else struct.pack(f"{self.order}I", self.append(wide))
        head = struct.pack(f"{self.order}HHI", entry.tag, 4, len(values))
        self.data[entry.at : entry.at + 12] = head + value


def reached(grid: Grid, rows: slice) -> slice:
    """Return the rows of all strips that a change of `rows` has to pack anew."""
    if grid.compression == NONE:
        return rows
    last = -(-rows.stop // grid.tall) * grid.tall
    return slice(rows.start // grid.tall * grid.tall, min(last, grid.height))


def write(
    file: File,
    main: Directory,
    grid: Grid,
    samples: Samples,
    *,
    top: int,
    window: tuple[slice, slice],
) -> None:
    """Pack the touched strips anew, into their own place where they fit.

    `samples` are the picture's rows from `top` on, as far as `reached` asks for them. Strips that
    are not compressed may be as large as the photo; of these it is only rows that change.
    """
    stored = flipped(samples, grid)
    offsets, counts = list(grid.offsets), list(grid.counts)
    for index, rows, columns, channels, tall in grid.cells():
        if not (_overlap(rows, window[0]) and _overlap(columns, window[1])):
            continue
        if grid.compression == NONE:
            first, last = max(rows.start, window[0].start), min(rows.stop, window[0].stop)
            packed = pack(stored[first - top : last - top, columns, channels], grid, last - first)
            row = len(packed) // (last - first)
            at = offsets[index] + (first - rows.start) * row
            file.data[at : at + len(packed)] = packed
            continue
        part = stored[rows.start - top : rows.stop - top, columns, channels]
        packed = pack(part, grid, tall)
        file.blank(offsets[index], counts[index])
        offsets[index] = file.place(packed, offsets[index], counts[index])
        counts[index] = len(packed)
    _point(file, main, grid, offsets, counts)


def trim(file: File, main: Directory, grid: Grid) -> Grid:
    """Overwrite what strips hold behind their rows; where that cannot be told, pack them anew.

    Returns where they lie then.
    """
    offsets, counts = list(grid.offsets), list(grid.counts)
    width = grid.wide * grid.depth * grid.bits // 8
    for index, _, _, _, tall in grid.cells():
        start, size = offsets[index], counts[index]
        with memoryview(file.data) as whole, whole[start : start + size] as strip:
            end = strips.taken(strip, grid.compression, tall, width)
            rows = strips.unpack(strip, grid.compression, tall, width) if end is None else None
        if rows is not None:
            packed = strips.pack(rows, grid.compression)
            file.blank(start, size)
            offsets[index], counts[index] = file.place(packed, start, size), len(packed)
        elif end is not None and end < size:
            file.blank(start + end, size - end)
    _point(file, main, grid, offsets, counts)
    return replace(grid, offsets=tuple(offsets), counts=tuple(counts))


def _point(file: File, main: Directory, grid: Grid, offsets: list[int], counts: list[int]) -> None:
    """Write where strips lie now."""
    names = (TILE_OFFSETS, TILE_COUNTS) if grid.tiled else (STRIP_OFFSETS, STRIP_COUNTS)
    for tag, values, before in zip(
        names, (offsets, counts), (grid.offsets, grid.counts), strict=True
    ):
        if tuple(values) != before:
            file.set_numbers(main.entries[tag], values)


def _overlap(a: slice, b: slice) -> bool:
    return bool(a.start < b.stop and b.start < a.stop)


def cut(file: File, tiff: Tiff, main: Directory) -> None:
    """Overwrite the pictures of all other directories, and unlink these."""
    struct.pack_into(f"{tiff.order}I", file.data, 4, main.at)
    own = stretches(tiff, main)
    for directory in tiff.directories:
        if directory is main or directory.name in METADATA:
            continue
        for start, size in stretches(tiff, directory):
            if not any(start < a + n and a < start + size for a, n in own):
                file.blank(start, size)
        for entry in directory.entries.values():
            if entry.size > 4 and entry.tag != ICC:
                file.blank(entry.start, entry.size)
        file.blank(directory.at, 2 + 12 * len(directory.entries) + 4)
    count = struct.unpack_from(f"{tiff.order}H", file.data, main.at)[0]
    end = main.at + 2 + 12 * count
    if SUB_IFDS in main.entries:
        at = main.entries[SUB_IFDS].at
        file.data[at : end - 12] = file.data[at + 12 : end]
        file.blank(end - 12, 16)
        struct.pack_into(f"{tiff.order}H", file.data, main.at, count - 1)
    else:
        file.blank(end, 4)


def stretches(tiff: Tiff, directory: Directory) -> list[tuple[int, int]]:
    """Return (offset, size) of the picture data of a directory."""
    result: list[tuple[int, int]] = []
    pairs = ((STRIP_OFFSETS, STRIP_COUNTS), (TILE_OFFSETS, TILE_COUNTS))
    for offsets, counts in (*pairs, (THUMBNAIL, THUMBNAIL_LENGTH)):
        starts = tiff.numbers(directory.entries.get(offsets))
        result += zip(starts, tiff.numbers(directory.entries.get(counts)), strict=False)
    return result
