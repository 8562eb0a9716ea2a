"""Files of every format, small, with room for a planted picture at any place of their grammar."""

import io
import struct
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from PIL import Image as Pillow

from photocloak.exporters.containers import chunks, riff, segments
from photocloak.exporters.leaks.tables import table
from tests.exporters.files import coded as file_of
from tests.exporters.leaks import places

FACE = str(Path(__file__).parents[2] / "data/astronaut.png")
_EDGE = 40
_JPEG = (
    "exif",
    "xmp",
    "resources",
    "icc",
    "segment",
    "known",
    "comment",
    "trailer",
    "split",
    "scan",
    "tables",
)
_PNG = ("exif", "xmp", "resources", "icc", "chunk", "text", "numbers", "trailer", "pixels")
_WEBP = ("exif", "xmp", "icc", "chunk", "trailer")
_TIFF = ("tag", "description", "xmp", "resources", "icc", "gap", "page", "trailer")
_HEIF = ("exif", "xmp", "trailer")
PLACES = {"JPEG": _JPEG, "PNG": _PNG, "WEBP": _WEBP, "TIFF": _TIFF, "HEIF": _HEIF}
SHARES = ["JPEG"] * 12 + ["PNG"] * 8 + ["WEBP"] * 4 + ["TIFF"] * 4 + ["HEIF"]


@cache
def host(form: str) -> bytes:
    small = Pillow.open(FACE).convert("RGB").resize((_EDGE, _EDGE))
    options: dict[str, Any] = {"quality": 90} if form in ("JPEG", "WEBP", "HEIF") else {}
    return file_of(np.asarray(small), form, **options)


def _pieces(data: bytes, rng: Random, most: int) -> list[bytes]:
    size = max(1, min(most, len(data) // rng.choice([1, 1, 2, 3, 8])))
    return [data[i : i + size] for i in range(0, len(data), size)]


def _jpeg(place: str, data: bytes, text: str, rng: Random) -> bytes:
    first, *rest = segments.split(host("JPEG")).segments
    forms = list(table("jpeg")["segments"].values())
    numbers = list(range(0xE0, 0xF0))
    head, marker = rng.choice([b"", b"VENDOR\0", bytes(rng.randbytes(6))]), rng.choice(numbers)
    made: list[tuple[int, bytes]] = []
    pieces = _pieces(data, rng, 60_000)
    if place == "exif":
        block = places.exif(data, rng)
        made = [(0xE1, b"Exif\0\0" + block[i : i + 65_000]) for i in range(0, len(block), 65_000)]
    elif place == "xmp":
        packet = places.xmp(text, rng)
        if rng.random() < 0.2 or len(packet) > 65_000:
            made = _extended(packet)
        else:
            cut = rng.choice([0, len(packet) // 2])
            made = [(0xE1, places_head(one)) for one in (packet[:cut], packet[cut:]) if one]
    elif place == "resources":
        body = places.resources(data, rng)
        heads = b"Photoshop 3.0\0"
        made = [(0xED, heads + body[i : i + 65_000]) for i in range(0, len(body), 65_000)]
    elif place == "icc":
        body = places.icc(data, rng)
        parts = [body[i : i + 65_000] for i in range(0, len(body), 65_000)]
        made = [
            (0xE2, b"ICC_PROFILE\0" + bytes([i + 1, len(parts)]) + one)
            for i, one in enumerate(parts)
        ]
    elif place in ("segment", "split"):
        made = [(marker, head + one) for one in pieces]
    elif place == "known":
        form = rng.choice(forms)
        marker = 0xFE if form["marker"] == "COM" else 0xE0 + int(form["marker"][3:])
        heap = form["kind"] == "ciff" and rng.random() < 0.7
        bodies = [places.heap(data, rng)] if heap else pieces
        made = [(marker, form["head"].encode("latin-1") + one) for one in bodies]
    elif place == "comment":
        made = [(0xFE, one) for one in pieces]
    new = [segments.Segment(number, body) for number, body in made]
    if place == "split":
        new = [one for part in new for one in (part, segments.Segment(0xFE, b"between"))]
    elif place == "tables":
        sized = [
            data[i : i + 64].ljust(64, b"\1").replace(b"\0", b"\1") for i in range(0, 9000, 64)
        ]
        new = [segments.Segment(0xDB, b"\0" + one) for one in sized if one.strip(b"\1")]
    elif place == "scan":
        last = rest[-1]
        rest[-1] = segments.Segment(
            last.marker, last.payload, 0, last.scan + data.replace(b"\xff", b"\xff\0")
        )
    tail = data if place == "trailer" else b""
    return segments.join([first, *new, *rest]) + tail


def places_head(body: bytes) -> bytes:
    return b"http://ns.adobe.com/xap/1.0/\0" + body


def _extended(packet: bytes) -> list[tuple[int, bytes]]:
    digest = b"0123456789ABCDEF0123456789ABCDEF"
    main = places.packet(
        "", f'xmlns:n="http://ns.adobe.com/xmp/note/" n:HasExtendedXMP="{digest.decode()}"'
    )
    head = b"http://ns.adobe.com/xmp/extension/\0" + digest + struct.pack(">I", len(packet))
    step = max(1000, min(60_000, len(packet) // 2))
    parts = [
        (0xE1, head + struct.pack(">I", i) + packet[i : i + step])
        for i in range(0, len(packet), step)
    ]
    return [(0xE1, places_head(main)), *parts]


def _png(place: str, data: bytes, text: str, rng: Random) -> bytes:
    parts, _ = chunks.split(host("PNG"))
    first, rest = parts[0], parts[1:]
    body, name = data, rng.choice([b"teSt", b"prVt", b"fdAT", b"caBX", b"dSIG", b"sPLT"])
    made: list[chunks.Chunk] = []
    if place == "exif":
        made = [chunks.Chunk(b"eXIf", places.exif(data, rng))]
    elif place in ("xmp", "text", "resources"):
        keyword = rng.choice([b"Comment", b"Software", b"Author", b"Raw profile type APP1"])
        inner = data
        if place == "xmp":
            keyword, inner = b"XML:com.adobe.xmp", places.xmp(text, rng)
        elif place == "resources":
            raw = places.resources(data, rng)
            keyword, inner = b"Raw profile type 8bim", f"\n8bim\n{len(raw)}\n{raw.hex()}\n".encode()
        ways: list[Callable[[], list[chunks.Chunk]]] = [
            lambda: [chunks.Chunk(b"tEXt", keyword + b"\0" + inner)],
            lambda: [chunks.Chunk(b"zTXt", places.packed_text(keyword, inner))],
            lambda: [chunks.Chunk(b"zTXt", places.packed_text(keyword, b"a", data))],
            lambda: [chunks.Chunk(b"iTXt", keyword + b"\0\0\0\0\0" + inner)],
            lambda: [chunks.Chunk(b"iTXt", keyword + b"\0\1\0\0\0" + zlib.compress(inner))],
            lambda: [chunks.Chunk(b"iTXt", keyword + b"\0\0\0" + data[:9000] + b"\0\0a")],
            lambda: [
                chunks.Chunk(b"tEXt", keyword + b"\0" + one) for one in _pieces(data, rng, 99)
            ],
        ]
        made = rng.choice(ways)()
    elif place == "icc":
        made = [chunks.Chunk(b"iCCP", places.packed_text(b"ICC", places.icc(data, rng)))]
    elif place == "chunk":
        made = [chunks.Chunk(name, one) for one in _pieces(data, rng, 90_000)]
    elif place == "numbers":
        known = [key for key, form in table("png")["chunks"].items() if form["kind"] == "numbers"]
        made = [chunks.Chunk(rng.choice(known).encode(), one) for one in _pieces(body, rng, 512)]
        made = [one for one in made if one.name not in (b"IEND", b"tRNS")]
    elif place == "pixels":
        at = next(i for i, one in enumerate(rest) if one.name == b"IDAT")
        rest = [*rest[: at + 1], chunks.Chunk(b"IDAT", data), *rest[at + 1 :]]
    return chunks.join([first, *made, *rest]) + (data if place == "trailer" else b"")


def _webp(place: str, data: bytes, text: str, rng: Random) -> bytes:
    picture, _ = riff.split(host("WEBP"))
    head = riff.Chunk(b"VP8X", bytes([0x2C, 0, 0, 0]) + (_EDGE - 1).to_bytes(3, "little") * 2)
    ways: dict[str, Callable[[], list[riff.Chunk]]] = {
        "exif": lambda: [riff.Chunk(b"EXIF", places.exif(data, rng))],
        "xmp": lambda: [riff.Chunk(b"XMP ", places.xmp(text, rng))],
        "icc": lambda: [riff.Chunk(b"ICCP", places.icc(data, rng))],
        "chunk": lambda: [riff.Chunk(b"PRIV", one) for one in _pieces(data, rng, 90_000)],
        "trailer": lambda: [],
    }
    made = ways[place]()
    tail = data if place == "trailer" else b""
    return (
        riff.join(
            [
                head,
                *(picture[-1:] if place != "icc" else []),
                *made,
                *(picture[-1:] if place == "icc" else []),
            ]
        )
        + tail
    )


def _tiff(place: str, data: bytes, text: str, rng: Random) -> bytes:
    pixels = np.asarray(Pillow.open(FACE).convert("RGB").resize((_EDGE, _EDGE))).tobytes()
    tags: dict[str, list[tuple[int, int, bytes]]] = {
        "tag": [(rng.randrange(0xC000, 0xFFFF), rng.choice([1, 2, 3, 4, 7]), data)],
        "description": [(rng.choice([0x010E, 0x0131, 0x013B, 0x8298]), 2, data)],
        "xmp": [(0x02BC, 1, places.xmp(text, rng))],
        "resources": [(0x8649, 7, places.resources(data, rng))],
        "icc": [(0x8773, 7, places.icc(data, rng))],
    }
    gap = data if place in ("gap", "page") else b""
    start = 8 + len(pixels) + len(gap) + len(gap) % 2
    short, long = "<H", "<I"
    rows = [
        (0x100, 4, struct.pack(long, _EDGE)),
        (0x101, 4, struct.pack(long, _EDGE)),
        (0x102, 3, struct.pack("<3H", 8, 8, 8)),
        (0x103, 3, struct.pack(short, 1)),
        (0x106, 3, struct.pack(short, 2)),
        (0x111, 4, struct.pack(long, 8)),
        (0x115, 3, struct.pack(short, 3)),
        (0x116, 4, struct.pack(long, _EDGE)),
        (0x117, 4, struct.pack(long, len(pixels))),
        *tags.get(place, []),
    ]
    rows.sort(key=lambda row: row[0])
    main = places.directory(rows, start)
    if place == "page":
        strip = [(0x111, 4, struct.pack(long, 8 + len(pixels)))]
        second = [*rows[:5], *strip, *rows[6:8], (0x117, 4, struct.pack(long, len(gap)))]
        main = places.directory(rows, start, start + len(main)) + places.directory(
            second, start + len(main)
        )
    body = pixels + gap + b"\0" * (len(gap) % 2)
    tail = data if place == "trailer" else b""
    return b"II*\0" + struct.pack(long, start) + body + main + tail


def _heif(place: str, data: bytes, text: str, rng: Random) -> bytes:
    import pillow_heif

    picture = Pillow.open(FACE).convert("RGB").resize((_EDGE, _EDGE))
    file = io.BytesIO()
    options: dict[str, bytes] = {}
    if place == "exif":
        options["exif"] = b"Exif\0\0" + places.exif(data, rng)
    elif place == "xmp":
        options["xmp"] = places.xmp(text, rng)
    pillow_heif.from_pillow(picture).save(file, quality=80, **options)
    tail = struct.pack(">I4s", len(data) + 8, rng.choice([b"free", b"mdat", b"uuid"])) + data
    return file.getvalue() + (tail if place == "trailer" else b"")


BUILDERS: dict[str, Callable[[str, bytes, str, Random], bytes]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "WEBP": _webp,
    "TIFF": _tiff,
    "HEIF": _heif,
}
