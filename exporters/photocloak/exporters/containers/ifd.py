"""TIFF structure, as in EXIF blocks, TIFF files and MakerNotes: a bounded, read-only walker.

TIFF 6.0, EXIF 2.32. Never follows a directory twice, never reads beyond the block.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from photocloak.exporters.containers.texts import decoded

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 129: 1}
_NUMBERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I"}
MAX_DIRECTORIES, MAX_ENTRIES = 256, 4096

ORIENTATION, EXIF, GPS, INTEROP, SUB_IFDS = 0x0112, 0x8769, 0x8825, 0xA005, 0x014A
THUMBNAIL, THUMBNAIL_LENGTH = 0x0201, 0x0202
STRIP_OFFSETS, STRIP_COUNTS, TILE_OFFSETS, TILE_COUNTS = 0x0111, 0x0117, 0x0144, 0x0145
_POINTERS = {EXIF: "Exif", GPS: "GPS", INTEROP: "Interop", SUB_IFDS: "SubIFD"}


@dataclass(frozen=True)
class IfdEntry:
    """One entry of a directory.

    Attributes:
        tag: number.
        kind: TIFF type, 1 to 13, or 129, UTF-8 text of EXIF 3.0.
        count: of values.
        at: offset of the 12-byte entry.
        start: offset of its value.
        size: of the value in bytes.

    """

    tag: int
    kind: int
    count: int
    at: int
    start: int
    size: int


@dataclass(frozen=True)
class Directory:
    """One IFD: `name` is IFD0, IFD1, Exif, GPS, Interop or SubIFD; `at` its offset."""

    name: str
    at: int
    entries: dict[int, IfdEntry]


class Tiff:
    """The directories of a TIFF structure.

    Args:
        data: begins with the byte order mark.

    Raises:
        ValueError: it does not begin as TIFF.

    """

    def __init__(self, data: bytes | bytearray) -> None:
        marks = {b"II*\0": "<", b"MM\0*": ">", b"IIU\0": "<"}
        mark = bytes(data[:4])
        if len(data) < 8 or mark not in marks:
            raise ValueError("not a TIFF structure")
        self.data, self.order = data, marks[mark]
        self.directories = list(self._walk())

    def directory(self, name: str) -> Directory | None:
        """Return the first directory of that name."""
        return next((one for one in self.directories if one.name == name), None)

    def numbers(self, entry: IfdEntry | None) -> tuple[int, ...]:
        """Return the integers of an entry; empty where it holds none."""
        if entry is None or entry.kind not in _NUMBERS:
            return ()
        form = f"{self.order}{entry.count}{_NUMBERS[entry.kind]}"
        return struct.unpack_from(form, self.data, entry.start)

    def number(self, directory: Directory | None, tag: int, default: int = 0) -> int:
        """Return the first integer of a tag."""
        found = self.numbers(directory.entries.get(tag)) if directory else ()
        return found[0] if found else default

    def raw(self, entry: IfdEntry) -> bytes:
        """Return the bytes of a value."""
        return bytes(self.data[entry.start : entry.start + entry.size])

    def text(self, directory: Directory | None, tag: int) -> str:
        """Return a text value without its zero, empty where there is none."""
        entry = directory.entries.get(tag) if directory else None
        if entry is None:
            return ""
        return decoded(self.raw(entry).split(b"\0")[0]).strip()

    def _walk(self) -> Iterator[Directory]:
        queue = [("IFD0", struct.unpack_from(f"{self.order}I", self.data, 4)[0])]
        seen: set[int] = set()
        while queue and len(seen) < MAX_DIRECTORIES:
            name, at = queue.pop(0)
            if at in seen or not 8 <= at <= len(self.data) - 2:
                continue
            seen.add(at)
            directory, following = read_directory(self.data, self.order, name, at)
            yield directory
            for tag, child in _POINTERS.items():
                offsets = self.numbers(directory.entries.get(tag))
                queue.extend((child, offset) for offset in offsets[:64])
            if name.startswith("IFD") and following:
                queue.append((f"IFD{int(name[3:]) + 1}", following))


def read_directory(
    data: bytes | bytearray, order: str, name: str, at: int, base: int = 0
) -> tuple[Directory, int]:
    """Read one directory, and the offset of the one that follows it, 0 where there is none.

    Args:
        data: the whole block.
        order: of its bytes, < or >.
        name: of the directory.
        at: its offset in the block.
        base: what its values' offsets count from.

    """
    count = struct.unpack_from(f"{order}H", data, at)[0]
    entries: dict[int, IfdEntry] = {}
    end = at + 2 + 12 * count
    for position in range(at + 2, min(end, at + 2 + 12 * MAX_ENTRIES), 12):
        if position + 12 > len(data):
            break
        tag, kind, many = struct.unpack_from(f"{order}HHI", data, position)
        size = SIZES.get(kind, 0) * many
        start = position + 8
        if size > 4:
            start = struct.unpack_from(f"{order}I", data, start)[0] + base
        if kind in SIZES and start + size <= len(data):
            entries.setdefault(tag, IfdEntry(tag, kind, many, position, start, size))
    following = 0
    if end + 4 <= len(data):
        following = struct.unpack_from(f"{order}I", data, end)[0]
    return Directory(name, at, entries), following


def exif_orientation(block: bytes) -> int | None:
    """Return the orientation an EXIF block (from its byte order mark) states, 1 to 8, or None."""
    try:
        tiff = Tiff(block)
    except ValueError:
        return None
    value = tiff.number(tiff.directory("IFD0"), ORIENTATION)
    return value if 1 <= value <= 8 else None


def exif_start(body: bytes, *, offset: bool = False) -> int:
    """Return where the byte order mark lies in EXIF data; -1 where there is none.

    Writers put them into PNG, WebP and HEIF plain, behind `Exif` and two zeros, and behind the
    head of a JPEG segment as well; readers take all of these.

    Args:
        body: of the chunk or item.
        offset: whether it should begin with the mark's distance in four bytes, as in HEIF, which
            some writers leave out, and some leave at zero.

    """
    starts = [0]
    if offset and len(body) >= 4:
        starts = [4 + struct.unpack_from(">I", body)[0], 4, 0]
    for start in starts:
        at = start + 4 if body[start : start + 2] == b"\xff\xe1" else start
        at += 6 if body[at : at + 6] == b"Exif\0\0" else 0
        if body[at : at + 4] in (b"II*\0", b"MM\0*"):
            return at
    return -1


def exif_of(body: bytes, *, offset: bool = False) -> bytes:
    """Return the EXIF block from its byte order mark, empty where there is none; see above."""
    start = exif_start(body, offset=offset)
    return body[start:] if start >= 0 else b""
