"""The chunks of a PNG: those of a table stay, byte for byte where nothing has to go."""

import binascii
import re
import zlib
from contextlib import suppress
from dataclasses import dataclass

from photocloak.exporters.containers.chunks import Chunk
from photocloak.exporters.containers.ifd import exif_start
from photocloak.exporters.leaks import exif, icc, resources, xmp
from photocloak.exporters.leaks.binary import binary_cost
from photocloak.exporters.leaks.ledger import Ledger
from photocloak.exporters.leaks.tables import table
from photocloak.exporters.leaks.texts import admits_bytes, text_cost

XMP_KEYWORD = b"XML:com.adobe.xmp"
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_COLOURS = (b"gAMA", b"cHRM", b"sRGB", b"cICP")
_MAX_TEXT = 1 << 26
_EXIF = b"Exif\0\0"


@dataclass(frozen=True)
class Text:
    """A text chunk: its keyword, what stands between, its text, and whether that is packed."""

    keyword: bytes
    between: bytes
    text: bytes
    packed: bool


def clean(chunks: list[Chunk], ledger: Ledger) -> list[Chunk]:
    """Return the chunks that may be written, the picture's own included."""
    kept, seen = [], set[bytes]()
    for chunk in chunks:
        form = table("png")["chunks"].get(chunk.name.decode("latin-1"))
        again = chunk.name in seen and chunk.name not in (*_TEXTS, b"IDAT")
        seen.add(chunk.name)
        fresh = None if form is None or again else _one(chunk, form, ledger)
        if fresh is not None:
            kept.append(fresh)
        else:
            _drop(chunk, ledger, "unknown" if form is None or again else "not what it should be")
            if chunk.name in _COLOURS and not again:
                ledger.colours = f"{chunk.name.decode()} chunk"
    return kept


def _drop(chunk: Chunk, ledger: Ledger, why: str) -> None:
    name = chunk.name.decode("latin-1")
    called = table("png")["called"].get(name)
    what = f"{name} chunk" if called is None else called
    if not (name.isascii() and name.isalpha()):
        what = "a chunk"
    ledger.drop(what, len(chunk.body), why if called is None else "about pictures that go")


def _one(chunk: Chunk, form: dict[str, str], ledger: Ledger) -> Chunk | None:
    kind = form["kind"]
    if kind == "picture":
        return chunk
    if kind == "numbers":
        fits = len(chunk.body) <= int(form["bytes"]) and ledger.admits(binary_cost(chunk.body))
        return chunk if fits else None
    if kind == "exif":
        start = max(0, exif_start(chunk.body))
        block = exif.clean(chunk.body[start:], ledger)
        return Chunk(chunk.name, chunk.body[:start] + block) if block else None
    return _profile(chunk, ledger) if kind == "profile" else _text(chunk, ledger)


def _profile(chunk: Chunk, ledger: Ledger) -> Chunk | None:
    """Judge a profile; it is packed anew where its name, or something behind it, has to go."""
    name, _, rest = chunk.body.partition(b"\0")
    method, packed = rest[:1], rest[1:]
    try:
        profile = _inflate(packed, whole=False)
    except ValueError:
        return None
    fresh = icc.clean(profile, ledger)
    if not fresh:
        return None
    readable = ledger.admits(text_cost(name))
    if readable and fresh == profile and method == b"\0":
        with suppress(ValueError):  # something follows the profile
            _inflate(packed)
            return chunk
    return Chunk(chunk.name, (name if readable else b"ICC") + b"\0\0" + zlib.compress(fresh))


def _text(chunk: Chunk, ledger: Ledger) -> Chunk | None:
    try:
        parts = unpack(chunk)
    except ValueError:
        return None  # what cannot be read cannot be vouched for
    heads = parts.keyword + b" " + parts.between[2 if chunk.name == b"iTXt" else 1 :]
    if not ledger.admits(text_cost(heads)):
        return None
    if parts.keyword == XMP_KEYWORD:
        fresh = xmp.clean(parts.text, ledger)
    elif parts.keyword.startswith(b"Raw profile type "):
        fresh = _raw_profile(parts.text, ledger)
    else:
        series = f"{chunk.name!r} {parts.keyword!r}"
        fresh = parts.text if admits_bytes(parts.text, ledger, series) else b""
    if not fresh and parts.text:
        return None
    return chunk if fresh == parts.text else pack(chunk.name, parts, fresh)


def whole_picture(chunks: list[Chunk], size: int) -> list[Chunk]:
    """Return the chunks with nothing behind the pixels in their packed data.

    Args:
        chunks: of the file.
        size: bytes that the pixels unpack to.

    """
    packed = b"".join(one.body for one in chunks if one.name == b"IDAT")
    unpacker = zlib.decompressobj()
    pixels = unpacker.decompress(packed, size + 1)
    if unpacker.eof and not unpacker.unused_data and len(pixels) == size:
        return chunks
    first = next(i for i, one in enumerate(chunks) if one.name == b"IDAT")
    rest = [one for one in chunks if one.name != b"IDAT"]
    return [*rest[:first], Chunk(b"IDAT", zlib.compress(pixels[:size], 6)), *rest[first:]]


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


def _inflate(data: bytes, *, whole: bool = True) -> bytes:
    """Unpack a text; `whole`: nothing may follow it, nor may its end lack."""
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(data, _MAX_TEXT)
    except zlib.error as error:
        raise ValueError("a packed text is damaged") from error
    if unpacker.unconsumed_tail:
        raise ValueError("a packed text is huge")
    if whole and (not unpacker.eof or unpacker.unused_data):
        raise ValueError("a packed text is cut short, or something follows it")
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


def _raw_profile(text: bytes, ledger: Ledger) -> bytes:
    """Clean a raw profile at its length; digits and line breaks keep their places."""
    try:
        block = raw_profile(text)
    except ValueError:
        return b""
    if block.startswith(_EXIF):
        fresh = _EXIF + exif.clean(block[6:], ledger)
    elif block[:4] == b"8BIM":
        fresh = resources.clean(block, ledger)
    elif block[:1] == b"\x1c":
        fresh = resources.clean_datasets(block, ledger)
    elif block[36:40] == b"acsp":
        fresh = icc.clean(block, ledger)
    else:
        fresh = xmp.clean(block, ledger).ljust(len(block))
    if fresh == block:
        return text
    if not fresh.strip(b"\0 ") or fresh == _EXIF:
        return b""
    head = re.match(rb"\s*\w+\s+\d+\s+", text)
    start = head.end() if head else 0
    digits = iter(binascii.hexlify(fresh.ljust(len(block), b"\0")))
    return text[:start] + bytes(
        byte if byte in b" \t\r\n" else next(digits) for byte in text[start:]
    )
