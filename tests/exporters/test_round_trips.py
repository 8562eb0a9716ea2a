"""Every format and mode comes out as it came in: exactly outside the cloak, or nearly, if lossy."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from photocloak import exporters
from photocloak.core import InputError
from photocloak.plugin.evaluation.colour import ciede2000, difference
from tests.exporters.files import EXACT, LOSSY, coded

Image = NDArray[np.uint8]
KEEP = exporters.load_policy("keep")
Cloak = Callable[..., Image]


def there_and_back(
    photo: exporters.Photo, cloaked: Image
) -> tuple[exporters.Encoded, exporters.Photo]:
    """Write a photo with a cloak and read it again, in the mode, depth and profile it had."""
    encoded = exporters.encode(photo, photo.pixels, cloaked, KEEP)
    written = exporters.read_bytes(encoded.data, "b")
    before, after = photo.raster, written.raster
    assert (before.mode, before.samples.dtype, before.icc) == (
        after.mode,
        after.samples.dtype,
        after.icc,
    )
    return encoded, written


@pytest.mark.parametrize("kind", EXACT)
def test_lossless_formats_are_exact_outside_the_cloak(kind: str, face: Image, cloak: Cloak) -> None:
    photo = exporters.read_bytes(EXACT[kind](face), "a")
    cloaked = cloak(photo.pixels)
    encoded, written = there_and_back(photo, cloaked)
    before, after = photo.raster, written.raster
    changed = np.any(photo.pixels != cloaked, axis=2)
    assert np.array_equal(before.samples[~changed], after.samples[~changed])
    if before.mode.endswith("A"):
        assert np.array_equal(before.samples[..., -1], after.samples[..., -1])
    assert np.abs(written.pixels.astype(int) - cloaked)[changed].mean() < 1.6
    assert encoded.notes == ()


@pytest.mark.parametrize("kind", LOSSY)
def test_lossy_formats_stay_near(kind: str, face: Image, cloak: Cloak) -> None:
    photo = exporters.read_bytes(LOSSY[kind](face), "a")
    cloaked = cloak(photo.pixels)
    _, written = there_and_back(photo, cloaked)
    assert ciede2000(written.pixels, cloaked).mean() <= 1.0


def test_ciede2000_agrees_with_published_values() -> None:
    """Pairs 1, 7 and 17 of the test data of Sharma, Wu and Dalal."""
    pairs = [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ]
    for one, other, expected in pairs:
        found = difference(*(tuple(np.array(v, float) for v in lab) for lab in (one, other)))
        assert float(found) == pytest.approx(expected, abs=1e-4)


def test_a_palette_stays_one_while_it_has_room(face: Image, cloak: Cloak) -> None:
    few = np.asarray(Pillow.fromarray(face).quantize(40).convert("RGB"))
    data = coded(few, "PNG", "P", palette=1, colors=64)
    photo = exporters.read_bytes(data, "a.png")
    assert photo.raster.palette
    one = photo.pixels.copy()
    one[100:110, 100:110] += 1
    kept = exporters.encode(photo, photo.pixels, one, KEEP)
    written = exporters.read_bytes(kept.data, "b.png")
    assert written.raster.palette
    assert np.array_equal(written.pixels, one)
    many = cloak(photo.pixels)
    spread = exporters.encode(photo, photo.pixels, many, KEEP)
    written = exporters.read_bytes(spread.data, "b.png")
    assert np.array_equal(written.pixels, many)
    assert written.raster.palette or any("palette" in note for note in spread.notes)


def test_what_cannot_be_written_is_refused_with_the_reason(face: Image) -> None:
    data = coded(face, "TIFF", compression="jpeg")
    photo = exporters.read_bytes(data, "a.tif")
    with pytest.raises(InputError, match="cannot be written as it is, since its co"):
        exporters.encode(photo, photo.pixels, photo.pixels, KEEP)
    web = exporters.load_policy("web")
    assert exporters.encode(photo, photo.pixels, photo.pixels, web).format == "JPEG"
