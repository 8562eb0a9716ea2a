"""What the chunks of a PNG say of its colours and its orientation (PNG, third edition, 11.3.2)."""

import struct
import zlib

from photocloak.exporters.colour.signs import Points, Signs
from photocloak.exporters.containers.chunks import Chunk
from photocloak.exporters.containers.ifd import exif_of
from photocloak.exporters.leaks.png import XMP_KEYWORD, unpack

_PQ_NAME = b"ITUR_2100_PQ_FULL"  # W3C: a profile of this name stands for BT.2100 PQ
_PQ = Points(9, 16)


def signs(chunks: list[Chunk]) -> Signs:
    """Return the signs of colour; those behind the picture's first data count for nothing."""
    first = next((i for i, one in enumerate(chunks) if one.name == b"IDAT"), len(chunks))
    before = {one.name: one.body for one in reversed(chunks[:first])}
    cicp, gama, chrm = (before.get(name, b"") for name in (b"cICP", b"gAMA", b"cHRM"))
    points = Points(cicp[0], cicp[1], full=cicp[3] != 0) if len(cicp) == 4 else None
    name, _, packed = before.get(b"iCCP", b"").partition(b"\0")
    if points is None and name == _PQ_NAME:
        points = _PQ
    gamma = struct.unpack(">I", gama)[0] / 100_000 if len(gama) == 4 else None
    corners = struct.unpack(">8I", chrm) if len(chrm) == 32 else ()
    return Signs(
        icc=_unpacked(packed[1:]),
        points=points,
        points_first=True,
        srgb=b"sRGB" in before,
        gamma=gamma,
        chromaticities=tuple(one / 100_000 for one in corners) or None,
        exif=exif_of(next((one.body for one in chunks if one.name == b"eXIf"), b"")),
    )


def _unpacked(packed: bytes) -> bytes | None:
    try:
        return zlib.decompressobj().decompress(packed, 1 << 24) or None
    except zlib.error:
        return None


def packet(chunks: list[Chunk]) -> bytes:
    """Return the XMP packet, empty where there is none that can be read."""
    for one in chunks:
        if one.name == b"iTXt" and one.body.startswith(XMP_KEYWORD):
            try:
                return unpack(one).text
            except ValueError:
                return b""
    return b""
