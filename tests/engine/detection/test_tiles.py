"""A photo as a pyramid of tiles: nothing is cut, and squares show what was there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from photocloak.engine.detection.tiles import halved, halvings, tiles, turned_square

Pixels = NDArray[np.uint8]

# The drawn face: 220 of 400 x 480 pixels wide; its landmarks where YuNet puts them.
ONE = np.ones(1, np.float32)
WIDTH, CANVAS = 220, (400, 480)
LANDMARKS = np.array([[149, 211], [253, 211], [201, 280], [158, 330], [244, 330]])


@given(st.integers(1, 2500), st.integers(1, 1500), st.data())
def test_every_face_of_64_pixels_lies_whole_in_a_tile(
    width: int, height: int, data: st.DataObject
) -> None:
    image = np.zeros((height, width, 3), np.uint8)
    finest = [tile for tile in tiles(halvings(image)) if tile.finest]
    right, below = min(64, width), min(64, height)
    x = data.draw(st.integers(0, width - right))
    y = data.draw(st.integers(0, height - below))
    assert any(
        tile.x <= x
        and tile.y <= y
        and x + right <= tile.x + tile.pixels.shape[1]
        and y + below <= tile.y + tile.pixels.shape[0]
        for tile in finest
    )
    assert all(side % 32 == 0 and side <= 640 for tile in finest for side in tile.pixels.shape[:2])


def test_halving_averages_across_strips() -> None:
    image = np.random.default_rng(1).integers(0, 256, (1403, 37, 3), np.uint8)
    half = halved(image)
    assert half.shape == (702, 19, 3)
    inner = image[:1402, :36].reshape(701, 2, 18, 2, 3).mean(axis=(1, 3))
    assert np.abs(half[:701, :18] - inner).max() <= 0.5
    assert np.abs(half[701, :18] - image[1402, :36].reshape(18, 2, 3).mean(axis=1)).max() <= 0.5


@pytest.mark.parametrize("tilt", [0.0, 0.4, np.pi / 2, -2.5])
def test_a_turned_square_shows_what_was_there(tilt: float) -> None:
    """On a plane of colour, each pixel tells where it came from."""
    rows, columns = np.mgrid[:256, :256]
    image = np.stack([columns, rows, np.zeros_like(rows)], axis=2).astype(np.uint8)
    seen = turned_square([image], complex(130, 120), 90.0, tilt, 45).astype(float)
    grid = np.arange(45) + 0.5 - 22.5
    there = complex(130, 120) + 2 * np.exp(1j * tilt) * (grid[None, :] + 1j * grid[:, None])
    assert np.abs(seen[..., 0] - (there.real - 0.5)).max() < 1.5
    assert np.abs(seen[..., 1] - (there.imag - 0.5)).max() < 1.5


@pytest.mark.parametrize("tilt", [0.0, 0.7, -2.5])
def test_a_square_of_a_large_face_is_the_same_from_the_halvings(tilt: float) -> None:
    """Odd sizes, so that the halvings do not fall on pixels; a seventh of the scale."""
    rng = np.random.default_rng(2)
    coarse = Image.fromarray(rng.integers(0, 256, (22, 27, 3), np.uint8))
    image = np.asarray(coarse.resize((1083, 879), Image.Resampling.BICUBIC))
    where = complex(501.3, 422.7), 700.0, tilt, 100
    plain, levels = turned_square([image], *where), halvings(image)
    assert len(levels) == 4
    assert np.abs(turned_square(levels, *where).astype(int) - plain).mean() < 0.5
    levels[0] = np.zeros_like(image)
    assert np.abs(turned_square(levels, *where).astype(int) - plain).mean() < 0.5, "not from there"


def test_beyond_the_photo_is_black() -> None:
    image = np.full((50, 50, 3), 200, np.uint8)
    seen = turned_square([image], complex(0, 25), 40.0, 0.0, 40)
    assert not seen[:, :19].any()
    assert (seen[:, 21:] == 200).all()
    assert not turned_square([image], complex(-500, 900), 40.0, 0.3, 40).any()
