"""Which way up a photo is, and the eight EXIF orientations as views of arrays.

One rule for all formats: HEIF (HEIC, AVIF) is turned by its own `irot` and `imir` and by nothing
else (ISO/IEC 23008-12); any other photo by EXIF, and where that says nothing, by XMP.
"""

import re
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from photocloak.exporters.containers.ifd import ORIENTATION, Tiff, exif_orientation
from photocloak.exporters.leaks import xmp

Pixels = TypeVar("Pixels", bound=NDArray[np.generic])

# orientation: (transpose first, then flip rows, then flip columns) turns stored into upright
_TURNS = {
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


def upright(stored: Pixels, orientation: int) -> Pixels:
    """Return (H, W, …) pixels as they are to be seen; a view."""
    transpose, rows, columns = _TURNS[orientation]
    seen: Any = np.swapaxes(stored, 0, 1) if transpose else stored
    return cast("Pixels", seen[:: -1 if rows else 1, :: -1 if columns else 1])


def stored(seen: Pixels, orientation: int) -> Pixels:
    """Return upright pixels as the file stores them; a view, the inverse of `upright`."""
    transpose, rows, columns = _TURNS[orientation]
    turned = seen[:: -1 if rows else 1, :: -1 if columns else 1]
    return cast("Pixels", np.swapaxes(turned, 0, 1) if transpose else turned)


def stated(block: bytes, packet: bytes) -> int:
    """Return the orientation of a photo that is no HEIF, 1 to 8.

    Args:
        block: EXIF from its byte order mark, or empty.
        packet: XMP, or empty.

    """
    found = exif_orientation(block)
    if found is None and b"Orientation" in packet:
        match = _in_xmp(packet.decode("utf-8", "replace"))
        found = int(match[2]) if match else None
    return found or 1


def turned(properties: list[tuple[bytes, bytes]]) -> int:
    """Return the orientation that a HEIF item's properties amount to, in their order."""
    start = np.arange(6).reshape(2, 3)
    seen: Any = start
    for kind, body in properties:
        if kind == b"irot" and body:
            seen = np.rot90(seen, body[0] & 3)
        elif kind == b"imir" and body:
            seen = seen[:, ::-1] if body[0] & 1 else seen[::-1]
    return next(one for one in _TURNS if np.array_equal(upright(start, one), seen))


def set_upright(block: bytes, packet: bytes) -> tuple[bytes, bytes]:
    """Return EXIF and XMP that say 1 where they state an orientation: the pixels are turned."""
    match = _in_xmp(packet.decode("utf-8", "surrogateescape"))
    if match:
        text = packet.decode("utf-8", "surrogateescape")
        text = text[: match.start(2)] + "1" + text[match.end(2) :]
        packet = text.encode("utf-8", "surrogateescape")
    try:
        tiff = Tiff(block)
    except ValueError:
        return block, packet
    directory = tiff.directory("IFD0")
    entry = directory.entries.get(ORIENTATION) if directory else None
    if entry is not None and entry.kind == 3:
        value = b"\1\0" if tiff.order == "<" else b"\0\1"
        block = block[: entry.start] + value + block[entry.start + 2 :]
    return block, packet


def _in_xmp(text: str) -> re.Match[str] | None:
    """Find tiff:Orientation, as an attribute or an element; group 2 is its value."""
    for prefix in xmp.prefixes(text, "http://ns.adobe.com/tiff/1.0/"):
        match = re.search(rf"""{re.escape(prefix)}:Orientation(\s*=\s*["']|>\s*)([1-8])\b""", text)
        if match:
            return match
    return None
