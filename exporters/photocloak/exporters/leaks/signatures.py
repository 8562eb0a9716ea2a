"""Pictures and films in arbitrary bytes, told by how they begin: binary, base64 or hexadecimal."""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

from photocloak.exporters.leaks.previews import embedded_jpegs

# Each way begins with a letter of its own outside of its group, and none with zeros: only so are
# hundreds of megabytes, many of them zeros, searched in a second.
_BINARY = re.compile(
    rb"\x89(?P<PNG>PNG\r\n\x1a\n)|R(?P<WebP>IFF....WEBP)|G(?P<GIF>IF8[79]a)"
    rb"|f(?<=\0\0\0[\x08-\x80]f)(?P<HEIF>typ(?:hei|hev|mif1|msf1|avif|avis))"
    rb"|f(?<=\0\0\0[\x08-\x80]f)(?P<film>typ(?:mp4|isom|iso2|qt  |3gp|avc1|MSNV))"
    rb"|J(?<=\0\0\0\x0cJ)(?P<JXL>XL \r\n\x87\n)|j(?<=\0\0\0\x0cj)(?P<JP2>P  \r\n\x87\n)",
    re.DOTALL,
)
_BOXED = {"HEIF", "film", "JXL", "JP2"}  # four bytes with a box's length come before the letter
# What the heads of JPEG, PNG, WebP, GIF and ISOBMFF files look like in base64.
_BASE64 = re.compile(
    rb"(?:/9j/|iVBORw0KGgo|UklGR|R0lGOD|AAAA[A-Za-z0-9+/]{2}Z0eX)"
    rb"(?:[A-Za-z0-9+/=]|\s|&#x[aAdD];|\\n){100,}"
)
_HEX = re.compile(rb"(?:ff\s*d8\s*ff|89\s*50\s*4e\s*47\s*0d\s*0a)(?:[0-9a-fA-F]|\s){200,}", re.I)
_ENTITIES = re.compile(rb"&#x[aAdD];|\\n|\s")


@dataclass(frozen=True)
class Embedded:
    """A picture inside of something else.

    Attributes:
        kind: JPEG, PNG, WebP, GIF, HEIF, JXL, JP2 or film; with `base64` or `hex` before it.
        at: offset.
        data: its bytes; to the end of the block where their number is not known.

    """

    kind: str
    at: int
    data: bytes


def embedded(block: bytes) -> Iterator[Embedded]:
    """Yield every picture that begins somewhere in a block."""
    yield from _plain(block)
    for match in _BASE64.finditer(block):
        text = _ENTITIES.sub(b"", match[0]).replace(b"=", b"")
        data = base64.b64decode(text[: len(text) // 4 * 4])
        yield from (Embedded(f"base64 {one.kind}", match.start(), one.data) for one in _plain(data))
    for match in _HEX.finditer(block):
        digits = re.sub(rb"\s", b"", match[0])
        data = binascii.unhexlify(digits[: len(digits) // 2 * 2])
        yield from (Embedded(f"hex {one.kind}", match.start(), one.data) for one in _plain(data))


def _plain(block: bytes) -> Iterator[Embedded]:
    for start, stream in embedded_jpegs(block):
        yield Embedded("JPEG", start, block[start : stream.end])
    for match in _BINARY.finditer(block):
        kind = str(match.lastgroup)
        start = match.start() - 4 * (kind in _BOXED)
        yield Embedded(kind, start, block[start:])
