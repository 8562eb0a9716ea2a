"""PNG's own pixel coding, for the 16-bit pictures that Pillow reads as 8 bits, and for writing.

PNG, third edition, clause 9 (filters) and 8 (interlacing).
"""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from photocloak.exporters.model import Samples

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
COLOUR_TYPES = {"L": 0, "RGB": 2, "LA": 4, "RGBA": 6}
_ADAM7 = (
    (0, 0, 8, 8),
    (0, 4, 8, 8),
    (4, 0, 8, 4),
    (0, 2, 4, 4),
    (2, 0, 4, 2),
    (0, 1, 2, 2),
    (1, 0, 2, 1),
)

Bytes = NDArray[np.uint8]


def decode16(
    packed: bytes, width: int, height: int, colour_type: int, *, interlaced: bool
) -> NDArray[np.uint16]:
    """Return the (H, W, C) uint16 samples of the joined IDAT bodies.

    Raises:
        ValueError: the stream is damaged or too short.

    """
    channels = CHANNELS[colour_type]
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    expected = 0
    for top, left, down, right in passes:
        rows, columns = -(-(height - top) // down), -(-(width - left) // right)
        if rows > 0 and columns > 0:
            expected += rows * (1 + columns * channels * 2)
    try:
        raw = zlib.decompressobj().decompress(packed, expected)
    except zlib.error as error:
        raise ValueError(f"its compressed data are damaged: {error}") from error
    if len(raw) < expected:
        raise ValueError("its picture data end too early")
    result = np.empty((height, width, channels), np.uint16)
    position = 0
    for top, left, down, right in passes:
        rows, columns = -(-(height - top) // down), -(-(width - left) // right)
        if rows <= 0 or columns <= 0:
            continue
        size = rows * (1 + columns * channels * 2)
        block = np.frombuffer(raw, np.uint8, size, position).reshape(rows, -1)
        position += size
        plain = _unfilter(block[:, 0], block[:, 1:], channels * 2)
        result[top::down, left::right] = plain.view(">u2").reshape(rows, columns, channels)
    return result


def packed_size(header: bytes) -> int:
    """Return how many bytes the pixels of a file unpack to, by its IHDR."""
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    bits = depth * CHANNELS.get(kind, 1)
    size = 0
    for top, left, down, right in _ADAM7 if interlaced else ((0, 0, 1, 1),):
        rows, columns = -(-(height - top) // down), -(-(width - left) // right)
        if rows > 0 and columns > 0:
            size += rows * (1 + -(-columns * bits // 8))
    return size


def _unfilter(kinds: Bytes, rows: Bytes, step: int) -> Bytes:
    """Undo the row filters, a diagonal of pixels at a time: each needs left, above and corner."""
    if kinds.max(initial=0) > 4:
        raise ValueError("a row filter is unknown")
    height, width = rows.shape[0], rows.shape[1] // step
    data = rows.reshape(height, width, step).astype(np.int16)
    plain = np.zeros((height + 1, width + 1, step), np.int16)
    kind = kinds[:, None]
    for diagonal in range(height + width - 1):
        y = np.arange(max(0, diagonal - width + 1), min(height, diagonal + 1))
        x = diagonal - y
        left, above, corner = plain[y + 1, x], plain[y, x + 1], plain[y, x]
        guess = np.where(kind[y] == 1, left, 0)
        guess = np.where(kind[y] == 2, above, guess)
        guess = np.where(kind[y] == 3, (left + above) >> 1, guess)
        guess = np.where(kind[y] == 4, _paeth(left, above, corner), guess)
        plain[y + 1, x + 1] = (data[y, x] + guess) & 255
    return np.ascontiguousarray(plain[1:, 1:].astype(np.uint8).reshape(height, -1))


def _paeth(
    left: NDArray[np.int16], above: NDArray[np.int16], corner: NDArray[np.int16]
) -> NDArray[np.int16]:
    by_left, by_above = np.abs(above - corner), np.abs(left - corner)
    by_corner = np.abs(left + above - 2 * corner)
    return np.where(
        (by_left <= by_above) & (by_left <= by_corner),
        left,
        np.where(by_above <= by_corner, above, corner),
    )


def encode(samples: Samples) -> bytes:
    """Return the IDAT body of (H, W, C) samples, each row with the filter that suits it best."""
    height = samples.shape[0]
    wide = samples.astype(">u2").view(np.uint8) if samples.dtype == np.uint16 else samples
    rows = np.ascontiguousarray(wide).view(np.uint8).reshape(height, -1)
    step = samples.shape[2] * samples.dtype.itemsize
    packer = zlib.compressobj(6)
    parts = []
    above = np.zeros_like(rows[:1])
    for start in range(0, height, 256):  # bands keep the filtered copies small
        band = rows[start : start + 256]
        up = np.concatenate([above, band[:-1]])
        left, corner = np.zeros_like(band), np.zeros_like(band)
        left[:, step:], corner[:, step:] = band[:, :-step], up[:, :-step]
        wideband = [one.astype(np.int16) for one in (left, up, corner)]
        guesses = [np.zeros_like(band), left, up, _paeth(*wideband).astype(np.uint8)]
        tried = np.stack([band - guess for guess in guesses])
        cost = np.abs(tried.view(np.int8).astype(np.int16)).sum(axis=2)
        best = cost.argmin(axis=0)
        filtered = np.empty((len(band), rows.shape[1] + 1), np.uint8)
        filtered[:, 0] = np.array([0, 1, 2, 4], np.uint8)[best]
        filtered[:, 1:] = tried[best, np.arange(len(band))]
        parts.append(packer.compress(filtered.tobytes()))
        above = band[-1:]
    return b"".join(parts) + packer.flush()
