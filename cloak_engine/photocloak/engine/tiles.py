"""A photo as a pyramid of equally large tiles, one strip in memory at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

TILE = 640
"""Side of a tile in pixels of its level."""

OVERLAP = 96
"""Pixels shared by neighbouring tiles: a face up to this size lies whole in one of them."""

COARSEST = 320
"""The pyramid ends at the level whose longer side is at most this."""


@dataclass(frozen=True, eq=False)
class Tile:
    """`pixels` (H, W, 3), whose corner lies at (x, y) of a level `scale` times as coarse."""

    pixels: Pixels
    x: int
    y: int
    scale: int


def pyramid(image: Pixels, *, divisor: int) -> Iterator[Tile]:
    """Cut `image` and its halvings into tiles whose sides are multiples of `divisor`.

    Tiles at the right and bottom are padded with black, as OpenCV does. Levels are averages of
    2 × 2 pixels, computed strip by strip; beyond `image` about a third of its bytes are held.
    """
    scale = 1
    while True:
        height, width = image.shape[:2]
        for y, rows in _cuts(height):
            for x, columns in _cuts(width):
                piece = image[y : y + rows, x : x + columns]
                yield Tile(_padded(piece, divisor), x, y, scale)
        if max(height, width) <= COARSEST:
            return
        image, scale = _halved(image), scale * 2


def _cuts(length: int) -> list[tuple[int, int]]:
    """Cover `length` by (start, size) of at most TILE, neighbours sharing at least OVERLAP."""
    if length <= TILE:
        return [(0, length)]
    count = -(-(length - OVERLAP) // (TILE - OVERLAP))
    starts = np.linspace(0, length - TILE, count).round().astype(int)
    return [(int(start), TILE) for start in starts]


def _padded(piece: Pixels, divisor: int) -> Pixels:
    height, width = piece.shape[:2]
    below, right = -height % divisor, -width % divisor
    if not below and not right:
        return piece
    return np.pad(piece, ((0, below), (0, right), (0, 0)))


def _halved(image: Pixels) -> Pixels:
    """Average 2 × 2 pixels; an odd last row or column is averaged with what there is."""
    height, width = image.shape[:2]
    half = np.empty((-(-height // 2), -(-width // 2), 3), np.uint8)
    strip = 512
    for top in range(0, height, strip):
        rows = np.ascontiguousarray(image[top : top + strip])
        half[top // 2 : (top + strip) // 2] = np.asarray(Image.fromarray(rows).reduce(2))
    return half
