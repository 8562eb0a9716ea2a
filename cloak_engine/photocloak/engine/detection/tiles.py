"""A photo as a pyramid of tiles, and square looks at single faces; bounded memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

TILE = 640
"""Longest side of a tile: small enough to bound the network's memory at about 100 MB."""

OVERLAP = 64
"""Pixels shared by neighbouring tiles; larger faces are found whole on the next level."""

FULL_SCALE = 13_000_000
"""Photos of more pixels are scanned from half their size on."""

COARSEST = 192
"""The pyramid ends at the level whose longer side is at most this."""

_DIVISOR = 32  # the network's coarsest stride
_STRIP = 512  # rows halved at a time; even


@dataclass(frozen=True, eq=False)
class Tile:
    """`pixels` (H, W, 3), whose first pixel is (x, y) of a level `scale` times as coarse.

    `finest` and `coarsest` tell whether its level is the pyramid's first or last.
    """

    pixels: Pixels
    x: int
    y: int
    scale: int
    finest: bool
    coarsest: bool


def halvings(image: Pixels, *, last: int | None = None) -> list[Pixels]:
    """Return `image` (H, W, 3), its half, the half of that, and so on down to `COARSEST`.

    All but the photo itself take a third of its bytes. `last` is the coarsest level that is needed,
    0 being the photo; None: all are.
    """
    levels = [image]
    while max(levels[-1].shape[:2]) > COARSEST and len(levels) - 1 != last:
        levels.append(halved(levels[-1]))
    return levels


def level_for(side: float, size: int) -> int:
    """Return the level that a square of `side` pixels of the photo is brought to `size` from."""
    return max(int(np.log2(max(side, 1) / size / 2)), 0)


def tiles(levels: Sequence[Pixels]) -> Iterator[Tile]:
    """Cut a photo's halvings into tiles whose sides are multiples of 32.

    Tiles are padded with black at the right and at the bottom, as in OpenCV. The cost is bound by
    leaving out the full scale of large photos: YuNet finds 98 % of faces of 18 px
    (docs/lab/detection.md), so 36 px suffice after halving.
    """
    finest = 1 if levels[0].shape[0] * levels[0].shape[1] > FULL_SCALE else 0
    for number, image in enumerate(levels[finest:], finest):
        height, width = image.shape[:2]
        for y, rows in _cuts(height):
            for x, columns in _cuts(width):
                yield Tile(
                    _padded(image[y : y + rows, x : x + columns]),
                    x,
                    y,
                    2**number,
                    number == finest,
                    number == len(levels) - 1,
                )


def halved(image: Pixels) -> Pixels:
    """Average 2 × 2 pixels, strip by strip; an odd last row or column averages what there is."""
    height, width = image.shape[:2]
    half = np.empty(((height + 1) // 2, (width + 1) // 2, 3), np.uint8)
    for top in range(0, height, _STRIP):
        strip = Image.fromarray(np.ascontiguousarray(image[top : top + _STRIP]))
        half[top // 2 : (top + _STRIP) // 2] = np.asarray(strip.reduce(2))
    return half


def turned_square(
    levels: Sequence[Pixels], middle: complex, side: float, tilt: float, size: int
) -> Pixels:
    """Resample the square of `side` pixels around `middle` (x + iy) to (size, size, 3).

    It is taken from a photo's halvings: the coarsest that has twice the pixels each way, which
    saves most of the work with large faces and cannot be told from the photo itself afterwards.
    The square is tilted clockwise by `tilt` radians, so what is tilted by it comes out upright.
    Coordinates are continuous (the first pixel spans 0 to 1) and the photo's; beyond it is black.
    """
    level = min(level_for(side, size), len(levels) - 1)
    image, middle, side = levels[level], middle / 2**level, side / 2**level
    if tilt == 0:
        return _square(image, middle, side, size)
    # First to the right scale, filtered, then turned: a turn alone would alias.
    cos, sin = float(np.cos(tilt)), float(np.sin(tilt))
    wide = size + 2 * int(np.ceil(size * 0.21))
    straight = _square(image, middle, side * wide / size, wide)
    across, down = wide / 2 - (cos - sin) * size / 2, wide / 2 - (sin + cos) * size / 2
    turned = Image.fromarray(straight).transform(
        (size, size),
        Image.Transform.AFFINE,
        (cos, -sin, across, sin, cos, down),
        Image.Resampling.BICUBIC,
    )
    return np.asarray(turned)


def _square(image: Pixels, middle: complex, side: float, size: int) -> Pixels:
    left, top = middle.real - side / 2, middle.imag - side / 2
    x, y = int(np.floor(left)), int(np.floor(top))
    edge = int(np.ceil(side)) + 1
    piece = np.zeros((edge, edge, 3), np.uint8)
    height, width = image.shape[:2]
    rows = slice(min(max(y, 0), height), max(min(y + edge, height), 0))
    columns = slice(min(max(x, 0), width), max(min(x + edge, width), 0))
    part = image[rows, columns]
    if part.size:
        down, right = rows.start - y, columns.start - x
        piece[down : down + part.shape[0], right : right + part.shape[1]] = part
    box = (left - x, top - y, left - x + side, top - y + side)
    return np.asarray(Image.fromarray(piece).resize((size, size), Image.Resampling.BILINEAR, box))


def _cuts(length: int) -> list[tuple[int, int]]:
    """Cover `length` by (start, size) of at most TILE, neighbours sharing at least OVERLAP."""
    count = max(1, -(-(length - OVERLAP) // (TILE - OVERLAP)))
    shared = length + (count - 1) * OVERLAP
    size = min(-(-shared // (count * _DIVISOR)) * _DIVISOR, length)
    starts = np.linspace(0, length - size, count).round().astype(int)
    return [(int(start), size) for start in starts]


def _padded(piece: Pixels) -> Pixels:
    height, width = piece.shape[:2]
    below, right = -height % _DIVISOR, -width % _DIVISOR
    if not below and not right:
        return piece
    return np.pad(piece, ((0, below), (0, right), (0, 0)))
