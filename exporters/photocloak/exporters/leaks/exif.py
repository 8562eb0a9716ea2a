"""EXIF blocks: previews replaced where they lie, not one other byte changed."""

import struct

import numpy as np

from photocloak.exporters.containers.ifd import (
    STRIP_COUNTS,
    STRIP_OFFSETS,
    THUMBNAIL,
    THUMBNAIL_LENGTH,
    Directory,
    Tiff,
)
from photocloak.exporters.leaks.directories import Span, sweep
from photocloak.exporters.leaks.ledger import Ledger
from photocloak.exporters.leaks.previews import Previews

_WIDTH, _HEIGHT, _COMPRESSION, _SAMPLES, _PHOTOMETRIC = 0x0100, 0x0101, 0x0103, 0x0115, 0x0106
_RGB = 2


def clean(block: bytes, ledger: Ledger, where: str = "EXIF") -> bytes:
    """Return an EXIF block of the same length with our pictures in it and nothing unknown.

    Args:
        block: from its byte order mark on.
        ledger: the account of the file; its previews stand in the old pictures' places.
        where: name of the block.

    """
    previews = ledger.previews
    result = previews.overwrite(block)
    try:
        tiff = Tiff(result)
        strips: list[Span] = []
        for directory in tiff.directories:
            result = _uncompressed(result, tiff, directory, previews, strips)
            result = _undecodable(result, tiff, directory, previews)
        return sweep(result, ledger, where, strips)
    except (ValueError, struct.error):
        ledger.drop(where, len(block), "none that can be read")
        return b""


def _uncompressed(
    block: bytes, tiff: Tiff, directory: Directory, previews: Previews, strips: list[Span]
) -> bytes:
    """Overwrite a strip-wise thumbnail: RGB anew, anything else with zeros."""
    offsets = tiff.numbers(directory.entries.get(STRIP_OFFSETS))
    counts = tiff.numbers(directory.entries.get(STRIP_COUNTS))
    if not offsets or len(offsets) != len(counts):
        return block
    spans = list(zip(offsets, counts, strict=True))
    strips += [(start, start + size) for start, size in spans if start + size <= len(block)]
    there = b"".join(block[start : start + size] for start, size in spans)
    if there in previews.written or not there.strip(b"\0"):
        return block
    width, height = tiff.number(directory, _WIDTH), tiff.number(directory, _HEIGHT)
    fresh = bytes(sum(counts))
    raw = tiff.number(directory, _COMPRESSION, 1) == 1
    if raw and tiff.number(directory, _PHOTOMETRIC) == _RGB and width * height * 3 == len(fresh):
        fresh = np.ascontiguousarray(previews.render(width, height)).tobytes()
        previews.written.add(fresh)
        previews.replaced += 1
    else:
        previews.blanked += 1
    result, done = bytearray(block), 0
    for start, size in spans:
        if start + size <= len(block):
            result[start : start + size] = fresh[done : done + size]
        done += size
    return bytes(result)


def _undecodable(block: bytes, tiff: Tiff, directory: Directory, previews: Previews) -> bytes:
    """Blank a thumbnail that is announced but is no JPEG of ours: damaged, or of another kind."""
    start, size = tiff.number(directory, THUMBNAIL), tiff.number(directory, THUMBNAIL_LENGTH)
    there = block[start : start + size]
    if (
        not start
        or not there.strip(b"\0")
        or any(there.startswith(one) for one in previews.written)
    ):
        return block
    previews.blanked += 1
    return block[:start] + bytes(len(there)) + block[start + len(there) :]
