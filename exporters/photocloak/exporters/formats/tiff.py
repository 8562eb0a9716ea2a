"""TIFF: 8 and 16 bits, gray, colour, CMYK and alpha, in strips or tiles.

The file is changed where it lies: only strips that the cloak touches are packed anew, into their
own place or behind the file. Further pages and SubIFDs are cut off and overwritten. Every other
byte, and so every tag, stays.
"""

import io
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import TiffImagePlugin

from photocloak.core import InputError
from photocloak.exporters.containers import strips
from photocloak.exporters.formats.base import Draft, Format, Plate, check_size, damaged
from photocloak.exporters.ifd import (
    STRIP_COUNTS,
    STRIP_OFFSETS,
    SUB_IFDS,
    THUMBNAIL,
    THUMBNAIL_LENGTH,
    TILE_COUNTS,
    TILE_OFFSETS,
    Directory,
    Entry,
    Tiff,
    exif_orientation,
)
from photocloak.exporters.leaks import xmp
from photocloak.exporters.leaks.jpeg import clean_resources
from photocloak.exporters.leaks.previews import Previews
from photocloak.exporters.mapping import patch, patched
from photocloak.exporters.model import Image, Photo, Raster, Samples
from photocloak.exporters.orientation import stored

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 0x100, 0x101, 0x102, 0x103, 0x106
_SAMPLES, _ROWS, _PLANAR, _PREDICTOR = 0x115, 0x116, 0x11C, 0x13D
_TILE_WIDTH, _TILE_HEIGHT, _FORMAT, _FILL = 0x142, 0x143, 0x153, 0x10A
_XMP, _IPTC, _RESOURCES, _ICC, _LAYERS, _DNG = 0x2BC, 0x83BB, 0x8649, 0x8773, 0x935C, 0xC612
_MODES = {(0, 1): "L", (1, 1): "L", (0, 2): "LA", (1, 2): "LA"}
_MODES |= {(2, 3): "RGB", (2, 4): "RGBA", (5, 4): "CMYK"}
_CFA, _INVERTED = 32803, 0


@dataclass(frozen=True)
class _Grid:
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


def _sniff(head: bytes) -> bool:
    return head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def _tiff(data: bytes, name: str) -> tuple[Tiff, Directory]:
    if data[2:4] in (b"+\0", b"\0+"):
        raise InputError(f"{name}: BigTIFF is not supported; save it as a plain TIFF.")
    try:
        tiff = Tiff(data)
    except (ValueError, struct.error) as error:
        raise damaged(name, "TIFF", error) from error
    main = tiff.directory("IFD0")
    if main is None:
        raise InputError(f"{name}: this TIFF file has no directory; it is damaged: copy it again.")
    if _DNG in main.entries or tiff.number(main, _PHOTOMETRIC) == _CFA:
        raise InputError(
            f"{name}: this is a RAW file; develop it in your photo manager and cloak what it "
            "exports."
        )
    return tiff, main


def _grid(tiff: Tiff, main: Directory) -> _Grid:
    """Return the layout of the primary picture.

    Raises:
        ValueError: it is of a kind that is not written; half a sentence why.

    """
    number = tiff.number
    width, height = number(main, _WIDTH), number(main, _HEIGHT)
    channels = number(main, _SAMPLES, 1)
    bits = set(tiff.numbers(main.entries.get(_BITS))) or {1}
    kind = number(main, _PHOTOMETRIC, 1)
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
    grid = _Grid(
        width,
        height,
        channels,
        bits.pop(),
        tiff.order,
        compression,
        predictor if compression != strips.NONE else 1,
        number(main, _PLANAR, 1) == 2 and channels > 1,
        number(main, _TILE_HEIGHT) if tiled else min(number(main, _ROWS, height), height),
        number(main, _TILE_WIDTH) if tiled else width,
        tiled,
        offsets,
        counts,
    )
    cells = len(list(grid.cells())) if grid.tall and grid.wide else 0
    if not cells == len(offsets) == len(counts):
        raise ValueError("its strips do not add up")
    return grid


def decode(data: bytes, name: str) -> Raster:
    """Read the first page."""
    tiff, main = _tiff(data, name)
    width, height = tiff.number(main, _WIDTH), tiff.number(main, _HEIGHT)
    check_size(name, width, height, data, densest=8300)
    icc = tiff.raw(main.entries[_ICC]) if _ICC in main.entries else None
    turn, notes = exif_orientation(data), _notes(tiff)
    try:
        grid = _grid(tiff, main)
    except ValueError as reason:
        return _foreign(data, name, tiff, icc, str(reason))
    try:
        samples = _read(data, grid)
    except ValueError as error:
        raise damaged(name, "TIFF", error) from error
    kind = tiff.number(main, _PHOTOMETRIC, 1)
    if kind == _INVERTED:
        samples[..., 0] = np.iinfo(samples.dtype).max - samples[..., 0]
    return Raster(samples, _MODES[kind, grid.channels], icc, turn, notes=notes)


def _foreign(data: bytes, name: str, tiff: Tiff, icc: bytes | None, reason: str) -> Raster:
    """Read what is not written as it is, through Pillow."""
    try:
        picture: Pillow.Image = TiffImagePlugin.TiffImageFile(io.BytesIO(data))
        picture.load()
        if picture.mode not in ("L", "RGB", "RGBA", "CMYK"):
            picture = picture.convert("RGB")
    except (OSError, ValueError, SyntaxError, TypeError, KeyError, struct.error) as error:
        raise damaged(name, "TIFF", error) from error
    samples = np.asarray(picture)
    samples = samples[..., None] if samples.ndim == 2 else samples
    # Pillow ≥ 11 may have turned it already while loading
    turn = 1 if picture.getexif().get(0x0112, 1) == 1 else exif_orientation(data)
    return Raster(samples, picture.mode, icc, turn, refusal=reason, notes=_notes(tiff))


def _notes(tiff: Tiff) -> tuple[str, ...]:
    pages = sum(one.name.startswith("IFD") for one in tiff.directories)
    notes = [f"only the first of {pages} pages is kept"] if pages > 1 else []
    if any(one.name == "SubIFD" for one in tiff.directories):
        notes.append("left out: previews in SubIFDs")
    return tuple(notes)


def _read(data: bytes, grid: _Grid) -> Samples:
    kind = np.uint8 if grid.bits == 8 else np.uint16
    samples = np.empty((grid.height, grid.width, grid.channels), kind)
    for index, rows, columns, channels, tall in grid.cells():
        start, size = grid.offsets[index], grid.counts[index]
        if start + size > len(data):
            raise ValueError("a strip lies beyond the end of the file")
        width = grid.wide * grid.depth * grid.bits // 8
        cell = _unpredicted(
            strips.unpack(data[start : start + size], grid.compression, tall, width), grid
        )
        target = samples[rows, columns, channels]
        target[...] = cell[: target.shape[0], : target.shape[1]]
    return samples


def _unpredicted(packed: NDArray[np.uint8], grid: _Grid) -> Samples:
    """Return the (rows, columns, channels) samples of an unpacked strip."""
    kind = f"{grid.order}u{grid.bits // 8}"
    cell = np.ascontiguousarray(packed).view(kind).reshape(len(packed), grid.wide, grid.depth)
    if grid.predictor == 2:
        cell = np.cumsum(cell, axis=1, dtype=np.dtype(kind).newbyteorder("="))
    return cell


def _predicted(cell: Samples, grid: _Grid) -> NDArray[np.uint8]:
    """Return the bytes of a strip, ready to be packed."""
    if grid.predictor == 2:
        first = np.zeros_like(cell[:, :1])
        cell = np.diff(cell, axis=1, prepend=first)
    stored_ = np.ascontiguousarray(cell.astype(f"{grid.order}u{grid.bits // 8}"))
    return stored_.reshape(len(cell), -1).view(np.uint8)


def keep(photo: Photo, base: Image, cloaked: Image) -> Draft:
    """Write the source with the cloak in it."""
    tiff, main = _tiff(photo.data, photo.name)
    previews = Previews(np.ascontiguousarray(stored(cloaked, photo.raster.orientation)))
    file = _File(bytearray(photo.data), tiff.order)
    for tag in (_RESOURCES, _XMP, _IPTC, _LAYERS):
        if tag in main.entries:
            file.put(main.entries[tag], _cleaned(tag, tiff.raw(main.entries[tag]), previews))
    _clean_inner(file, tiff, previews)
    change = patch(photo.raster, base, cloaked)
    if change is not None:
        raster = patched(photo.raster, change)
        samples = raster.samples
        if tiff.number(main, _PHOTOMETRIC, 1) == _INVERTED:
            samples[..., 0] = np.iinfo(samples.dtype).max - samples[..., 0]
        _write(file, main, _grid(tiff, main), samples, change.window)
    _cut(file, tiff, main)
    return Draft(bytes(file.data), photo.raster.notes, frozenset(previews.written))


def _cleaned(tag: int, raw: bytes, previews: Previews) -> bytes:
    """Return a value of the same length without a picture."""
    if tag == _XMP:
        return xmp.clean(raw).ljust(len(raw))
    return bytes(len(raw)) if tag == _LAYERS else clean_resources(raw, previews)


def _clean_inner(file: "_File", tiff: Tiff, previews: Previews) -> None:
    """Replace previews in the EXIF directory's values, such as MakerNotes."""
    for directory in tiff.directories:
        if directory.name in ("Exif", "GPS", "Interop"):
            for entry in directory.entries.values():
                if entry.size > 400:
                    file.put(entry, previews.overwrite(tiff.raw(entry)))


@dataclass
class _File:
    """A file that is changed in place."""

    data: bytearray
    order: str

    def put(self, entry: Entry, value: bytes) -> None:
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

    def set_numbers(self, entry: Entry, values: list[int]) -> None:
        """Overwrite a list of offsets or counts, which may have to become wider."""
        if entry.kind == 4 or max(values) < 65536:
            form = "I" if entry.kind == 4 else "H"
            self.put(entry, struct.pack(f"{self.order}{len(values)}{form}", *values))
            return
        wide = struct.pack(f"{self.order}{len(values)}I", *values)
        value = wide if len(wide) <= 4 else struct.pack(f"{self.order}I", self.append(wide))
        head = struct.pack(f"{self.order}HHI", entry.tag, 4, len(values))
        self.data[entry.at : entry.at + 12] = head + value


def _write(
    file: _File, main: Directory, grid: _Grid, samples: Samples, window: tuple[slice, slice]
) -> None:
    """Pack the touched strips anew, into their own place where they fit."""
    offsets, counts = list(grid.offsets), list(grid.counts)
    for index, rows, columns, channels, tall in grid.cells():
        if not (_overlap(rows, window[0]) and _overlap(columns, window[1])):
            continue
        cell = np.zeros((tall, grid.wide, grid.depth), samples.dtype)
        part = samples[rows, columns, channels]
        cell[: part.shape[0], : part.shape[1]] = part
        packed = strips.pack(_predicted(cell, grid), grid.compression)
        file.blank(offsets[index], counts[index])
        if len(packed) <= counts[index]:
            file.data[offsets[index] : offsets[index] + len(packed)] = packed
        else:
            offsets[index] = file.append(packed)
        counts[index] = len(packed)
    names = (TILE_OFFSETS, TILE_COUNTS) if grid.tiled else (STRIP_OFFSETS, STRIP_COUNTS)
    for tag, values, before in zip(
        names, (offsets, counts), (grid.offsets, grid.counts), strict=True
    ):
        if tuple(values) != before:
            file.set_numbers(main.entries[tag], values)


def _overlap(a: slice, b: slice) -> bool:
    return bool(a.start < b.stop and b.start < a.stop)


def _cut(file: _File, tiff: Tiff, main: Directory) -> None:
    """Overwrite the pictures of all other directories, and unlink these."""
    own = _stretches(tiff, main)
    for directory in tiff.directories:
        if directory is main or directory.name in ("Exif", "GPS", "Interop"):
            continue
        for start, size in _stretches(tiff, directory):
            if not any(start < a + n and a < start + size for a, n in own):
                file.blank(start, size)
        for entry in directory.entries.values():
            if entry.size > 4 and entry.tag not in (_ICC,):
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


def _stretches(tiff: Tiff, directory: Directory) -> list[tuple[int, int]]:
    """Return (offset, size) of the picture data of a directory."""
    result: list[tuple[int, int]] = []
    pairs = ((STRIP_OFFSETS, STRIP_COUNTS), (TILE_OFFSETS, TILE_COUNTS))
    for offsets, counts in (*pairs, (THUMBNAIL, THUMBNAIL_LENGTH)):
        starts = tiff.numbers(directory.entries.get(offsets))
        result += zip(starts, tiff.numbers(directory.entries.get(counts)), strict=False)
    return result


def new(plate: Plate) -> bytes:
    """Write a new file, deflated."""
    file = io.BytesIO()
    tags = Pillow.Exif()
    if plate.exif:
        tags.load(plate.exif)
    if plate.xmp:
        tags[_XMP] = plate.xmp
    Pillow.fromarray(plate.pixels).save(
        file, "TIFF", compression="tiff_adobe_deflate", icc_profile=plate.icc, exif=tags
    )
    return file.getvalue()


def strip(data: bytes) -> Iterable[tuple[str, bytes]]:
    """Yield the file without the first page's strips, and its packets by themselves."""
    tiff = Tiff(data)
    main = tiff.directory("IFD0")
    if main is None:
        yield "file", data
        return
    own = sorted(_stretches(tiff, main))
    rest = bytearray(data)
    for start, size in own:
        rest[start : start + size] = bytes(len(rest[start : start + size]))
    yield "TIFF", bytes(rest)
    for tag, name in ((_XMP, "XMP"), (_RESOURCES, "Photoshop resources"), (_IPTC, "IPTC")):
        if tag in main.entries:
            yield name, tiff.raw(main.entries[tag])


def pictures(data: bytes) -> Iterable[tuple[str, bytes]]:
    """Yield further pages and SubIFDs."""
    tiff = Tiff(data)
    main = tiff.directory("IFD0")
    for number, directory in enumerate(tiff.directories):
        if directory is main:
            continue
        inner = b"".join(data[at : at + size] for at, size in _stretches(tiff, directory))
        if inner.strip(b"\0"):
            yield f"{directory.name} {number}", inner


FORMAT = Format("TIFF", (".tif", ".tiff"), _sniff, decode, keep, new, strip, pictures)
