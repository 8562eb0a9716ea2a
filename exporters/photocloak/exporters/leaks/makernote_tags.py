"""MakerNotes: serial numbers and names in the cameras' own tags, through libexiv2's tables."""

import re
from collections.abc import Iterator
from typing import Any

from photocloak.exporters.containers.ifd import Tiff
from photocloak.exporters.exiv2 import opened

_MAKER_NOTE = 0x927C
# libexiv2's names of tags that every photo of one camera, or of one owner, has in common
_TELLING = (
    ("serial", re.compile(r"\w*Serial(?:Number2?|NO)")),
    ("owner", re.compile(r"OwnerName")),
    ("person", re.compile(r"BabyName")),
)
_EMPTY = re.compile(r"(?:[0\s\W]|no lens)*", re.I)


def told(block: bytes, tiff: Tiff) -> Iterator[tuple[str, str]]:
    """Yield (kind, text) of what the MakerNote of an EXIF block tells, nothing if it is unknown.

    Args:
        block: from its byte order mark.
        tiff: the same, parsed.

    """
    notes = [one for one in tiff.directories if _MAKER_NOTE in one.entries]
    if not notes:
        return
    for key, detail in _details(block).items():
        _, group, name = key.split(".", 2)
        kind = next((kind for kind, known in _TELLING if known.fullmatch(name)), None)
        if kind and detail["ifdName"] == "Makernote":
            # a tag that is there twice has a list of values
            values = [detail["value"]] if isinstance(detail["value"], str) else detail["value"]
            for text in (_text(value, detail["typeName"]) for value in values):
                if not _EMPTY.fullmatch(text):
                    yield kind, f"{group} {name}: {text}"


def _details(block: bytes) -> dict[str, dict[str, Any]]:
    """Return name → value, type and directory of all tags; none where libexiv2 gives up."""
    try:
        with opened(block) as image:
            try:
                found: dict[str, dict[str, Any]] = image.read_exif_detail()
            except UnicodeDecodeError:
                found = image.read_exif_detail(encoding="latin-1")
    except Exception:  # a hostile block may make the binding raise anything
        return {}
    return found


def _text(value: str, form: str) -> str:
    """Return a value for people: bytes come as decimal numbers, and are text or hexadecimal."""
    numbers = value.split()
    if form in ("Byte", "Undefined") and all(one.isdecimal() for one in numbers):
        raw = bytes(int(one) & 0xFF for one in numbers)
        plain = raw.rstrip(b"\0").decode("latin-1")
        value = plain if plain.isascii() and plain.isprintable() else raw.hex()
    return value.strip("\0 ")
