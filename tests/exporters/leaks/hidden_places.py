"""Places that no reader shows: names of XMP, tables that nothing uses, the ends of strips."""

import base64
import io
import struct
import zlib
from collections.abc import Callable
from random import Random

import numpy as np
import pillow_heif
from PIL import Image as Pillow

from photocloak.exporters.containers import chunks, riff, segments
from tests.exporters.leaks import places
from tests.exporters.leaks.hosts import FACE, host

DC = "http://purl.org/dc/elements/1.1/"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
HIDDEN = {
    "JPEG": ("names", "tables", "lines", "scans"),
    "PNG": ("names", "palette"),
    "WEBP": ("names",),
    "TIFF": ("names", "slack"),
    "HEIF": ("names",),
}


def names(data: bytes, rng: Random) -> tuple[bytes, bytes, float]:
    """Return a packet with bytes in names or around it, how they are written, bytes a character."""
    letters = base64.b32encode(data[:30_000]).decode().rstrip("=")
    size = rng.choice([20, 30, 60, len(letters)])
    parts = [f"{letters[i : i + size]}" for i in range(0, len(letters), size)]
    ways: list[Callable[[], bytes]] = [
        lambda: places.packet("".join(f"<d:{one}>a</d:{one}>" for one in parts), f'xmlns:d="{DC}"'),
        lambda: places.packet("", f'xmlns:d="{DC}" ' + " ".join(f'd:{one}="a"' for one in parts)),
        lambda: places.packet("", " ".join(f'xmlns:{one}="{DC}"' for one in parts)),
        lambda: places.packet("".join(f"<rdf:{one}>a</rdf:{one}>" for one in parts)),
        lambda: places.packet("", " ".join(f'xml:{one}="a"' for one in parts)),
        lambda: places.packet("", behind="".join(f"<?xpacket id='{one}'?>" for one in parts)),
        lambda: places.packet(
            "", behind="<?xpacket " + " ".join(f"id='{one}'" for one in parts) + "?>"
        ),
        lambda: places.packet("".join(f"<N{one}:source/>" for one in parts)),
        lambda: places.packet("", before=f'<?xml version="{letters}"?>'),
        lambda: places.packet("", before=f'<?xml version="1.0" encoding="{letters}"?>'),
    ]
    return rng.choice(ways)(), letters.encode(), 5 / 8


def huffman(data: bytes, rng: Random) -> list[segments.Segment]:
    """Return Huffman tables that a baseline picture of ours does not use, or that come twice."""
    found = []
    for i in range(0, len(data), 200):
        counts = [0] * 8 + [100, 100] + [0] * 6
        number = rng.choice([0x00, 0x01, 0x02, 0x03, 0x10, 0x11, 0x12, 0x13])
        body = bytes([number, *counts]) + data[i : i + 200].ljust(200, b"\1")
        found.append(segments.Segment(0xC4, body))
    return found


def strips(data: bytes, rng: Random) -> bytes:
    """Return a TIFF whose strips go on behind their rows."""
    edge, tall = 40, rng.choice([8, 20, 40])
    pixels = np.asarray(Pillow.open(FACE).convert("RGB").resize((edge, edge)))
    kind = rng.choice([1, 8])
    share = -(-len(data) // (edge // tall))
    made = []
    for i in range(edge // tall):
        rows, rest = pixels[i * tall : (i + 1) * tall].tobytes(), data[i * share : (i + 1) * share]
        inside = rng.random() < 0.3
        packed = zlib.compress(rows + rest * inside, 0) if kind == 8 else rows
        made.append(packed + rest * (not inside or kind == 1))
    body = b"".join(made)
    start = 8 + len(body) + len(body) % 2
    at = np.cumsum([8, *map(len, made)])[:-1]

    def long(*numbers: int) -> bytes:
        return struct.pack(f"<{len(numbers)}I", *numbers)

    rows_ = [
        (0x100, 4, long(edge)),
        (0x101, 4, long(edge)),
        (0x102, 3, struct.pack("<3H", 8, 8, 8)),
        (0x103, 3, struct.pack("<H", kind)),
        (0x106, 3, struct.pack("<H", 2)),
        (0x111, 4, long(*at.tolist())),
        (0x115, 3, struct.pack("<H", 3)),
        (0x116, 4, long(tall)),
        (0x117, 4, long(*map(len, made))),
    ]
    head = b"II*\0" + struct.pack("<I", start)
    return head + body.ljust(start - 8, b"\0") + places.directory(rows_, start)


def progressive(data: bytes, rng: Random) -> bytes:
    """Return a JPEG with bytes behind the blocks of one of its scans."""
    file = io.BytesIO()
    Pillow.open(FACE).convert("RGB").resize((40, 40)).save(file, "JPEG", progressive=True)
    parts = list(segments.split(file.getvalue()).segments)
    at = rng.choice([i for i, one in enumerate(parts) if one.marker == segments.SOS])
    scan = parts[at].scan + data.replace(b"\xff", b"\xff\0")
    parts[at] = segments.Segment(segments.SOS, parts[at].payload, 0, scan)
    return segments.join(parts)


def palette(data: bytes, rng: Random) -> bytes:
    """Return a PNG with a palette of colours that no pixel has."""
    picture = Pillow.open(FACE).convert("RGB").resize((40, 40))
    file = io.BytesIO()
    if rng.random() < 0.5:
        picture.save(file, "PNG")
        parts, _ = chunks.split(file.getvalue())
        plte = chunks.Chunk(b"PLTE", data[: min(768, len(data) // 3 * 3)])
        return chunks.join([parts[0], plte, *parts[1:]])
    few = picture.quantize(16)
    few.putpalette([*(few.getpalette() or [])[:48], *data[:700], *bytes(20)][:768])
    few.save(file, "PNG")
    return file.getvalue()


def hidden(form: str, place: str, data: bytes, rng: Random) -> tuple[bytes, bytes, float]:
    """Return a file with bytes at a hidden place, how they lie there, and bytes a character."""
    if place == "names":
        packet, planted, each = names(data, rng)
        return _WITH_XMP[form](packet), planted, each
    if place == "slack":
        return strips(data, rng), data, 1.0
    if place == "palette":
        return palette(data, rng), data[:700], 1.0
    if place == "scans":
        return progressive(data, rng), data.replace(b"\xff", b"\xff\0"), 1.0
    first, *rest = segments.split(host("JPEG")).segments
    if place == "tables":
        return segments.join([first, *huffman(data, rng), *rest]), data, 1.0
    line = segments.Segment(0xDC, data[:60_000])
    return segments.join([first, *rest, line]), data, 1.0


def jpeg_with(packet: bytes) -> bytes:
    first, *rest = segments.split(host("JPEG")).segments
    cut = range(0, len(packet), 65_000)
    made = [segments.Segment(0xE1, _XMP + packet[i : i + 65_000]) for i in cut]
    return segments.join([first, *made, *rest])


def _png(packet: bytes) -> bytes:
    parts, _ = chunks.split(host("PNG"))
    chunk = chunks.Chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet)
    return chunks.join([parts[0], chunk, *parts[1:]])


def _webp(packet: bytes) -> bytes:
    picture, _ = riff.split(host("WEBP"))
    head = riff.Chunk(b"VP8X", bytes([0x04, 0, 0, 0]) + (39).to_bytes(3, "little") * 2)
    return riff.join([head, picture[-1], riff.Chunk(b"XMP ", packet)])


def _tiff(packet: bytes) -> bytes:
    file = io.BytesIO()
    Pillow.open(FACE).convert("RGB").resize((40, 40)).save(file, "TIFF", tiffinfo={0x02BC: packet})
    return file.getvalue()


def _heif(packet: bytes) -> bytes:
    file = io.BytesIO()
    picture = Pillow.open(FACE).convert("RGB").resize((40, 40))
    pillow_heif.from_pillow(picture).save(file, quality=80, xmp=packet)
    return file.getvalue()


_WITH_XMP = {"JPEG": jpeg_with, "PNG": _png, "WEBP": _webp, "TIFF": _tiff, "HEIF": _heif}
