"""The chunks of a PNG that are not its picture: kept byte for byte but for embedded pictures."""

import binascii
import re
import zlib
from dataclasses import dataclass

from photocloak.exporters.containers.chunks import Chunk
from photocloak.exporters.ifd import exif_start
from photocloak.exporters.leaks import exif, xmp
from photocloak.exporters.leaks.jpeg import clean_resources
from photocloak.exporters.leaks.previews import Previews
from photocloak.exporters.leaks.signatures import embedded

XMP_KEYWORD = b"XML:com.adobe.xmp"
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_MAX_TEXT = 1 << 26
_GONE = {
    b"acTL": "animation",
    b"fcTL": "animation",
    b"fdAT": "animation",
    b"caBX": "content credentials",
    b"iDOT": "",  # where Apple's decoder splits the old picture data
}


@dataclass(frozen=True)
class Text:
    """A text chunk: its keyword, what stands between, its text, and whether that is packed."""

    keyword: bytes
    between: bytes
    text: bytes
    packed: bool


def clean(chunks: list[Chunk], previews: Previews) -> tuple[list[Chunk], tuple[str, ...]]:
    """Return the chunks that may be written, the picture's own included, and what is left out."""
    kept, gone = [], []
    for chunk in chunks:
        fresh = _one(chunk, previews)
        if fresh is None:
            gone.append(
                _GONE.get(chunk.name, f"{chunk.name.decode('latin-1')} with a picture in it")
            )
        else:
            kept.append(fresh)
    names = [name for name in dict.fromkeys(gone) if name]
    return kept, (f"left out: {', '.join(names)}",) if names else ()


def _one(chunk: Chunk, previews: Previews) -> Chunk | None:
    if chunk.name in _GONE:
        return None
    if chunk.name in (b"IHDR", b"IDAT", b"IEND", b"PLTE"):
        return chunk
    if chunk.name == b"eXIf":
        start = max(0, exif_start(chunk.body))
        return Chunk(b"eXIf", chunk.body[:start] + exif.clean(chunk.body[start:], previews))
    if chunk.name in _TEXTS:
        return _text(chunk, previews)
    return None if any(embedded(chunk.body)) else chunk


def _text(chunk: Chunk, previews: Previews) -> Chunk | None:
    try:
        parts = unpack(chunk)
    except ValueError:
        return None  # what cannot be read cannot be vouched for
    if parts.keyword == XMP_KEYWORD:
        fresh = xmp.clean(parts.text)
    elif parts.keyword.startswith(b"Raw profile type "):
        fresh = _raw_profile(parts.text, previews)
    else:
        fresh = parts.text
    if any(one.data not in previews.written for one in embedded(fresh)):
        return None
    return chunk if fresh == parts.text else pack(chunk.name, parts, fresh)


def unpack(chunk: Chunk) -> Text:
    """Take a text chunk apart (PNG, third edition, 11.3.3).

    Raises:
        ValueError: it is malformed, or unpacks to something huge.

    """
    keyword, zero, rest = chunk.body.partition(b"\0")
    if not zero:
        raise ValueError("no keyword")
    if chunk.name == b"tEXt":
        return Text(keyword, b"", rest, packed=False)
    if chunk.name == b"zTXt":
        return Text(keyword, rest[:1], _inflate(rest[1:]), packed=True)
    language = rest.find(b"\0", 2)
    translated = rest.find(b"\0", language + 1)
    if language < 0 or translated < 0:
        raise ValueError("a text chunk ends too early")
    body, packed = rest[translated + 1 :], rest[:1] == b"\1"
    return Text(keyword, rest[: translated + 1], _inflate(body) if packed else body, packed)


def pack(name: bytes, parts: Text, text: bytes) -> Chunk:
    """Put a text chunk together with another text."""
    body = zlib.compress(text) if parts.packed else text
    return Chunk(name, parts.keyword + b"\0" + parts.between + body)


def _inflate(data: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(data, _MAX_TEXT)
    except zlib.error as error:
        raise ValueError("a packed text is damaged") from error
    if unpacker.unconsumed_tail:
        raise ValueError("a packed text is huge")
    return text


def raw_profile(text: bytes) -> bytes:
    """Return the bytes of an ImageMagick `Raw profile`: name, length, then hexadecimal.

    Raises:
        ValueError: it is none.

    """
    found = re.match(rb"\s*(\w+)\s+(\d+)\s+((?:[0-9a-fA-F]|\s)*)\Z", text)
    if not found:
        raise ValueError("not a raw profile")
    return binascii.unhexlify(re.sub(rb"\s", b"", found[3]))


def _raw_profile(text: bytes, previews: Previews) -> bytes:
    """Clean a raw profile at its length; digits and line breaks keep their places."""
    try:
        block = raw_profile(text)
    except ValueError:
        return text
    if block.startswith(b"Exif\0\0"):
        fresh = block[:6] + exif.clean(block[6:], previews)
    elif b"8BIM" in block[:64]:
        fresh = clean_resources(block, previews)
    else:
        fresh = xmp.clean(previews.overwrite(block)).ljust(len(block))
    if fresh == block:
        return text
    head = re.match(rb"\s*\w+\s+\d+\s+", text)
    start = head.end() if head else 0
    digits = iter(binascii.hexlify(fresh))
    return text[:start] + bytes(
        byte if byte in b" \t\r\n" else next(digits) for byte in text[start:]
    )
