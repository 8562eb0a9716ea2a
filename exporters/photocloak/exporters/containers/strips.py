"""The strips and tiles of a TIFF: unpacked and packed with Pillow's libtiff, one by one.

Pillow reads 16-bit colour as 8 bits and cannot write it, but it packs bytes like any other: a
strip is wrapped as a gray picture of its row length.
"""

import io
import struct
import zlib

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import TiffImagePlugin

from photocloak.exporters.containers import lzw
from photocloak.exporters.containers.ifd import Tiff

NONE, LZW, DEFLATE, OLD_DEFLATE, PACKBITS = 1, 5, 8, 32946, 32773
COMPRESSIONS = {
    NONE: "raw",
    LZW: "tiff_lzw",
    DEFLATE: "zip",
    OLD_DEFLATE: "zip",
    PACKBITS: "packbits",
}

Rows = NDArray[np.uint8]


def unpack(data: memoryview, compression: int, rows: int, width: int) -> Rows:
    """Return the (rows, width) bytes of a strip.

    Raises:
        ValueError: it is damaged.

    """
    size = rows * width
    plain: bytes | memoryview
    if compression == NONE:
        plain = data[:size]
    elif compression in (DEFLATE, OLD_DEFLATE):
        try:
            plain = zlib.decompressobj().decompress(data, size)
        except zlib.error as error:
            raise ValueError("a strip is damaged") from error
    else:
        return _through_pillow(data, compression, rows, width)
    if len(plain) < size:
        raise ValueError("a strip is too short")
    return np.frombuffer(plain, np.uint8).reshape(rows, width)


def taken(data: memoryview, compression: int, rows: int, width: int) -> int | None:
    """Return how many bytes of a strip its rows take; None where more is packed with them."""
    size = rows * width
    if compression == NONE:
        return min(size, len(data))
    if compression in (DEFLATE, OLD_DEFLATE):
        return _deflate_end(data, size)
    return (lzw.end_of if compression == LZW else _packbits_end)(data, size)


def _deflate_end(data: memoryview, size: int) -> int | None:
    unpacker = zlib.decompressobj()
    try:
        unpacker.decompress(data, size)
        more = b"" if unpacker.eof else unpacker.decompress(unpacker.unconsumed_tail, 1)
    except zlib.error:
        return None  # behind the rows
    return None if more else len(data) - len(unpacker.unused_data)


def _packbits_end(data: memoryview, size: int) -> int | None:
    """Return where runs of bytes have given just as many (TIFF 6.0, section 9)."""
    position = found = 0
    while position < len(data) and found < size:
        head = data[position]
        found += head + 1 if head < 128 else 257 - head if head > 128 else 0
        position += 2 + head if head < 128 else 2 if head > 128 else 1
    return min(position, len(data)) if found <= size else None


def _through_pillow(data: memoryview, compression: int, rows: int, width: int) -> Rows:
    tags = [
        (0x0100, width),
        (0x0101, rows),
        (0x0102, 8),
        (0x0103, compression),
        (0x0106, 1),
        (0x0111, 8 + 2 + 12 * 9 + 4),
        (0x0115, 1),
        (0x0116, rows),
        (0x0117, len(data)),
    ]
    head = b"II*\0" + struct.pack("<IH", 8, len(tags))
    head += b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags) + bytes(4)
    try:
        return np.asarray(TiffImagePlugin.TiffImageFile(io.BytesIO(head + bytes(data))))
    except (OSError, SyntaxError, TypeError, KeyError) as error:
        raise ValueError("a strip is damaged") from error


def pack(rows: Rows, compression: int) -> bytes:
    """Return a strip, packed."""
    plain = np.ascontiguousarray(rows)
    if compression == NONE:
        return plain.tobytes()
    if compression in (DEFLATE, OLD_DEFLATE):
        return zlib.compress(plain.tobytes())
    file = io.BytesIO()
    Pillow.fromarray(plain).save(
        file, "TIFF", compression=COMPRESSIONS[compression], strip_size=plain.size + 1
    )
    data = file.getvalue()
    tiff = Tiff(data)
    main = tiff.directory("IFD0")
    if main is None:
        raise ValueError("libtiff wrote no directory")
    start, size = tiff.number(main, 0x0111), tiff.number(main, 0x0117)
    return data[start : start + size]
