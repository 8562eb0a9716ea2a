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
_SHORT, _LONG = 3, 4
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

    def set_numbers(self, entry: IfdEntry, values: list[int]) -> None:
        """Overwrite a list of offsets or counts, which may have to become wider."""
        if entry.kind == _LONG or (entry.kind == _SHORT and max(values) < 1 << 16):
            form = "I" if entry.kind == _LONG else "H"
            self.put(entry, struct.pack(f"{self.order}{len(values)}{form}", *values))
            return
        wide = struct.pack(f"{self.order}{len(values)}I", *values)
        value = wide if len(wide) <= 4 else struct.pack(f"{self.order}I", self.append(wide))
        head = struct.pack(f"{self.order}HHI", entry.tag, _LONG, len(values))
        self.data[entry.at : entry.at + 12] = head + value


def reached(grid: Grid, rows: slice) -> slice:
    """Return the rows of all strips that a change of `rows` has to pack anew."""
    if grid.compression == NONE:
        return rows
    last = -(-rows.stop // grid.tall) * grid.tall
    return slice(rows.start // grid.tall * grid.tall, min(last, grid.height))


def write(
    file: File, grid: Grid, samples: Samples, *, top: int, window: tuple[slice, slice]
) -> Grid:
    """Pack the touched strips anew, into their own place where they fit; return where they lie.

    `samples` are the picture's rows from `top` on, as far as `reached` asks for them. Strips that
    are not compressed may be as large as the photo; of these it is only rows that change.

    Raises:
        ValueError: rows that change belong to several strips.

    """
    stored = flipped(samples, grid)
    offsets, counts = list(grid.offsets), list(grid.counts)
    shared = _shared(grid)
    for index, rows, columns, channels, tall in grid.cells():
        if not (_overlap(rows, window[0]) and _overlap(columns, window[1])):
            continue
        start, size = offsets[index], counts[index]
        if grid.compression == NONE:
            if index in shared:
                raise ValueError("its strips share their bytes")
            first, last = max(rows.start, window[0].start), min(rows.stop, window[0].stop)
            packed = pack(stored[first - top : last - top, columns, channels], grid, last - first)
            at = start + (first - rows.start) * (len(packed) // (last - first))
            file.data[at : at + len(packed)] = packed
            continue
        part = stored[rows.start - top : rows.stop - top, columns, channels]
        packed = pack(part, grid, tall)
        if index not in shared:
            file.blank(start, size)
        if index in shared or len(packed) > size:
            offsets[index] = file.append(packed)
        else:
            file.data[start : start + len(packed)] = packed
        counts[index] = len(packed)
    return replace(grid, offsets=tuple(offsets), counts=tuple(counts))


def _shared(grid: Grid) -> set[int]:
    """Return the strips that have bytes in common with another."""
    places = sorted(
        (start, start + size, i)
        for i, (start, size) in enumerate(zip(grid.offsets, grid.counts, strict=True))
    )
    found: set[int] = set()
    end, last = 0, -1
    for start, stop, index in places:
        if start < end:
            found |= {index, last}
        if stop > end:
            end, last = stop, index
    return found


def trim(file: File, grid: Grid) -> Grid:
    """Let strips end where their rows do, and return where they lie then.

    What is packed behind the rows themselves cannot be cut off: those strips are packed anew.
    """
    offsets, counts = list(grid.offsets), list(grid.counts)
    width = grid.wide * grid.depth * grid.bits // 8
    shared = _shared(grid)
    for index, _, _, _, tall in grid.cells():
        start, size = offsets[index], counts[index]
        with memoryview(file.data) as whole, whole[start : start + size] as strip:
            end = strips.taken(strip, grid.compression, tall, width)
            rows = strips.unpack(strip, grid.compression, tall, width) if end is None else None
        if rows is not None:
            packed = strips.pack(rows, grid.compression)
            if index not in shared:
                file.blank(start, size)
            offsets[index], counts[index] = file.append(packed), len(packed)
        elif end is not None:
            counts[index] = end
    return replace(grid, offsets=tuple(offsets), counts=tuple(counts))


def point(file: File, main: Directory, before: Grid, after: Grid) -> None:
    """Write where strips lie now."""
    names = (TILE_OFFSETS, TILE_COUNTS) if before.tiled else (STRIP_OFFSETS, STRIP_COUNTS)
    for tag, values, old in zip(
        names, (after.offsets, after.counts), (before.offsets, before.counts), strict=True
    ):
        if values != old:
            file.set_numbers(main.entries[tag], list(values))


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
