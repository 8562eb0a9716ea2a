"""A palette keeps the colours that are shown, and no other bytes."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from photocloak import exporters
from photocloak.exporters.containers import chunks

PORTRAIT = Path(__file__).parents[2] / "data/astronaut.png"
KEEP = exporters.load_policy("keep")


def indexed(colours: int, *, transparent: bool) -> bytes:
    picture = Pillow.open(PORTRAIT).convert("RGB").resize((60, 60)).quantize(colours)
    used = (picture.getpalette() or [])[: 3 * colours]
    picture.putpalette([*used, *range(1, 121)])
    file = io.BytesIO()
    options = {"transparency": bytes([0] + [255] * (colours - 1))} if transparent else {}
    picture.save(file, "PNG", **options)
    return file.getvalue()


@pytest.mark.parametrize("transparent", [False, True])
@pytest.mark.parametrize("colours", [2, 16, 100])
def test_colours_that_no_pixel_has_are_not_written(colours: int, transparent: bool) -> None:
    data = indexed(colours, transparent=transparent)
    photo = exporters.read_bytes(data, "a.png")
    encoded = exporters.encode(photo, photo.pixels, photo.pixels, KEEP)
    secret = bytes(range(1, 121))
    assert secret[:30] in data
    assert not any(secret[i : i + 12] in encoded.data for i in range(0, 108, 12))
    before = np.asarray(Pillow.open(io.BytesIO(data)).convert("RGBA"))
    after = np.asarray(Pillow.open(io.BytesIO(encoded.data)).convert("RGBA"))
    assert np.array_equal(before, after)


def test_true_colour_has_no_palette() -> None:
    file = io.BytesIO()
    Pillow.open(PORTRAIT).convert("RGB").resize((60, 60)).save(file, "PNG")
    parts, _ = chunks.split(file.getvalue())
    suggested = chunks.Chunk(b"PLTE", bytes(range(1, 241)))
    photo = exporters.read_bytes(chunks.join([parts[0], suggested, *parts[1:]]), "a.png")
    cloaked = photo.pixels.copy()
    cloaked[10:20, 10:20] = 255 - cloaked[10:20, 10:20]
    for after in (photo.pixels, cloaked):
        encoded = exporters.encode(photo, photo.pixels, after, KEEP)
        assert suggested.body[:30] not in encoded.data
