"""IPTC records (IIM 4.2), by themselves or in Photoshop's image resources."""

import re
import struct
from collections.abc import Iterator

from photocloak.exporters.containers.texts import decoded

_RESOURCE = b"8BIM\x04\x04"
_PHOTOSHOP = b"Photoshop 3.0\0"
# ISO 2022: ESC, then - . or / and the final byte of a set of 96 characters
_LATIN = re.compile(rb"\x1b[-./](.)", re.DOTALL)
_SETS = {
    b"A": "cp1252",  # ISO 8859-1, which in practice has Windows' quotation marks
    b"B": "iso8859-2",
    b"C": "iso8859-3",
    b"D": "iso8859-4",
    b"F": "iso8859-7",
    b"G": "iso8859-6",
    b"H": "iso8859-8",
    b"L": "iso8859-5",
    b"M": "iso8859-9",
    b"V": "iso8859-10",
    b"Y": "iso8859-13",
    b"_": "iso8859-14",
    b"b": "iso8859-15",
    b"f": "iso8859-16",
}


def records(parts: list[tuple[str, bytes]]) -> dict[int, list[str]]:
    """Return the texts of the application record by dataset number, in their order.

    Args:
        parts: of a file, as `Format.strip` yields them; resources may go over several.

    """
    heads = [part for _, part in parts if part.startswith(_PHOTOSHOP)]
    joined = b"".join(part.removeprefix(_PHOTOSHOP) for part in heads)
    others = [part for name, part in parts if part not in heads and name != "TIFF"]
    found: dict[int, list[str]] = {}
    for block in (joined, *others):
        rows = list(_datasets(_record(block)))
        declared = next((raw for record, number, raw in rows if (record, number) == (1, 90)), b"")
        encoding = _encoding(declared)
        for record, number, raw in rows:
            if record == 2:
                found.setdefault(number, []).append(decoded(raw, encoding))
    return found


def _record(block: bytes) -> bytes:
    """Return the records of a block of image resources, or the block that consists of them."""
    if block[:2] in (b"\x1c\x01", b"\x1c\x02"):
        return block
    at = block.find(_RESOURCE)
    if at < 0 or at + 7 > len(block):
        return b""
    name = block[at + 6] + 1
    body = at + 6 + name + name % 2 + 4
    size = int.from_bytes(block[body - 4 : body], "big")
    return block[body : body + size]


def _datasets(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield (record, dataset, bytes) as far as they make sense."""
    position = 0
    while data[position : position + 1] == b"\x1c" and position + 5 <= len(data):
        record, number, size = struct.unpack_from(">BBH", data, position + 1)
        position += 5
        if size & 0x8000:  # the length of the length
            width = size & 0x7FFF
            size = int.from_bytes(data[position : position + min(width, 8)], "big")
            position += width
        if position + size > len(data):
            return
        yield record, number, data[position : position + size]
        position += size


def _encoding(declared: bytes) -> str | None:
    """Return the codec that dataset 1:90 declares, None where it says nothing that is known."""
    if declared.startswith(b"\x1b%"):
        return "utf-8"
    found = _LATIN.search(declared)
    return _SETS.get(found[1]) if found else None
