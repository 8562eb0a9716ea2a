"""Uncompressed pixels are no settings, whatever their depth, and however dark the picture."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from photocloak.exporters.leaks.binary import binary_cost
from photocloak.exporters.leaks.drawn import looks_drawn

Pixels = NDArray[np.uint8]
PORTRAIT = Path(__file__).parents[2] / "data/astronaut.png"
FACE = (170, 60, 290, 200)


def levels(pixels: Pixels, count: int) -> Pixels:
    """Return which of so many equally large shares of the pixels each one is in."""
    edges = np.quantile(pixels, np.linspace(0, 1, count + 1)[1:-1])
    return np.digitize(pixels, edges).astype(np.uint8)


def packed(values: Pixels, bits: int) -> bytes:
    """Return values of so many bits each, one behind the other."""
    single = [(values.ravel() >> place) & 1 for place in reversed(range(bits))]
    return np.packbits(np.stack(single, 1)).tobytes()


FORMS: dict[str, Callable[[Pixels], bytes]] = {
    "bytes": lambda pixels: pixels.tobytes(),
    "words": lambda pixels: pixels.astype("<u2").tobytes(),
    "words of 16 bits": lambda pixels: (pixels.astype(">u2") * 257).tobytes(),
    "an odd byte before": lambda pixels: b"\1" + pixels.astype(">u2").tobytes(),
    "4 levels": lambda pixels: levels(pixels, 4).tobytes(),
    "6 levels": lambda pixels: (levels(pixels, 6) * 51).tobytes(),
    "in the dark": lambda pixels: np.where(pixels < np.median(pixels), 0, pixels).tobytes(),
    "mirrored": lambda pixels: pixels[::-1, ::-1].tobytes(),
    "4 bits": lambda pixels: packed(levels(pixels, 16), 4),
    "2 bits": lambda pixels: packed(levels(pixels, 4), 2),
    "black and white": lambda pixels: packed(levels(pixels, 2), 1),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("edge", [32, 40, 48, 64, 90])
def test_a_face_is_drawn(form: str, edge: int) -> None:
    face = Pillow.open(PORTRAIT).convert("L").crop(FACE).resize((edge, edge))
    data = FORMS[form](np.asarray(face))
    assert looks_drawn(data) and binary_cost(data).opaque == len(data)


@pytest.mark.parametrize("edge", [24, 32, 64])
def test_a_face_in_colour_is_drawn(edge: int) -> None:
    face = Pillow.open(PORTRAIT).convert("RGB").crop(FACE).resize((edge, edge))
    assert looks_drawn(np.asarray(face).tobytes())
    assert looks_drawn(np.moveaxis(np.asarray(face), 2, 0).tobytes())


def test_settings_are_not() -> None:
    rng = np.random.default_rng(4)
    for size in range(100, 3000, 100):
        sparse = rng.integers(0, 256, size) * (rng.random(size) < 0.3)
        assert not looks_drawn(sparse.astype(np.uint8).tobytes())
        assert not looks_drawn(rng.integers(0, 40, size).astype("<u4").tobytes())
    assert not looks_drawn(bytes(5000)) and not looks_drawn(b"\xff" * 5000)
    assert not looks_drawn(b"")
