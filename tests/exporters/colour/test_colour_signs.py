"""Colours come out as they went in, whichever sign of a file says what its numbers mean."""

import io
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageCms

from photocloak import exporters
from photocloak.core import InputError
from photocloak.exporters.colour import icc as icc_profiles
from photocloak.exporters.colour.conversion import Colours
from photocloak.exporters.containers import chunks
from photocloak.plugin.evaluation.colour import ciede2000
from tests.exporters import exiftool
from tests.exporters.colour.spaces import (
    ADOBE_RGB,
    D65,
    HDR,
    SRGB,
    WAYS,
    Space,
    exif,
    gama,
    srgb_to_light,
)
from tests.exporters.files import coded

Image = NDArray[np.uint8]
Reader = Callable[[bytes, Path], NDArray[np.integer]]
KEEP, WEB = exporters.load_policy("keep"), exporters.load_policy("web")
FACE = np.s_[64:192, 64:192]  # of the scene
# what says how the colours are meant, as ExifTool has it
SIGNS = (
    "PNG:Gamma",
    "PNG:WhitePoint",
    "PNG:Red",
    "PNG:SRGBRendering",
    "PNG-cICP:",
    "ICC_Profile",
    "ICC-header",
    "ColorPrimaries",
    "TransferCharacteristics",
    "ColorSpace",
    "InteropIndex",
    "ColorProfiles",
)


@pytest.fixture(scope="module")
def scene(face: Image) -> Image:
    """(256, 384, 3) sRGB: the face, and beside it a chart of 32 colours."""
    rng = np.random.default_rng(3)
    chart = rng.integers(30, 226, (8, 4, 3)).astype(np.uint8)
    return np.hstack([face, np.kron(chart, np.ones((32, 32, 1), np.uint8))])


def pillow(data: bytes, _folder: Path) -> NDArray[np.integer]:
    """Read the numbers with Pillow or pillow-heif."""
    import pillow_heif

    if data[4:8] == b"ftyp" and b"avif" not in data[:32]:
        return np.asarray(pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False))
    return np.asarray(Pillow.open(io.BytesIO(data)).convert("RGB"))


def vips(data: bytes, folder: Path) -> NDArray[np.integer]:
    """Read the numbers with Debian's libvips, libheif, libpng, libjpeg, libwebp."""
    if shutil.which("vips") is None:
        pytest.skip("vips is not installed (libvips-tools)")
    source, raw = folder / "a", folder / "a.ppm"
    source.write_bytes(data)
    done = subprocess.run(["vips", "copy", source, raw], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = [one for one in raw.read_bytes().split(b"\n", 4) if not one.startswith(b"#")]
    size, peak = lines[1], lines[2]
    width, height = map(int, size.split())
    kind = np.dtype(">u2") if int(peak) > 255 else np.dtype(np.uint8)
    rest = raw.read_bytes()[-width * height * 3 * kind.itemsize :]
    return np.frombuffer(rest, kind).reshape(height, width, 3).astype(kind.newbyteorder("="))


READERS = {"pillow": pillow, "vips": vips}


def outside(image: NDArray[Any]) -> NDArray[Any]:
    """Return a scene without its face: the chart, and the rest of the portrait, as one row."""
    mask = np.ones(image.shape[:2], bool)
    mask[FACE] = False
    return image[mask][None]


def cloaked(base: Image) -> Image:
    result = base.copy()
    result[FACE] = np.clip(result[FACE].astype(int) + 6, 0, 255).astype(np.uint8)
    return result


def reachable(way: str, reader: str) -> bool:
    """Debian 12's libvips has no AV1, and reads 10 bits in another order."""
    return reader == "pillow" or not way.startswith(("AVIF", "HEIC 10"))


BOTH = [(way, reader) for way in WAYS for reader in READERS if reachable(way, reader)]


@pytest.mark.parametrize("name", WAYS)
def test_faces_are_looked_at_in_the_colours_that_are_meant(name: str, scene: Image) -> None:
    way = WAYS[name]
    photo = exporters.read_bytes(way.write(scene), "a")
    lossless = name.startswith(("PNG", "WebP"))
    assert ciede2000(photo.pixels, scene).mean() < (0.8 if lossless else 1.5)


@pytest.mark.parametrize(("name", "reader"), BOTH)
def test_keep_changes_no_colour_and_no_sign(
    name: str, reader: str, scene: Image, tmp_path: Path
) -> None:
    way = WAYS[name]
    data = way.write(scene)
    photo = exporters.read_bytes(data, "a")
    encoded = exporters.encode(photo, photo.pixels, cloaked(photo.pixels), KEEP)
    before, after = (READERS[reader](one, tmp_path) for one in (data, encoded.data))
    shown = [way.space.shown(outside(one), np.iinfo(one.dtype).max) for one in (before, after)]
    assert ciede2000(*shown).mean() < way.keep
    if reader != "pillow":
        return
    exiftool.require()
    files = [tmp_path / f"{part}{encoded.suffix}" for part in ("before", "after")]
    for file, content in zip(files, (data, encoded.data), strict=True):
        file.write_bytes(content)
    signs = [
        {tag: value for tag, value in row.items() if any(sign in tag for sign in SIGNS)}
        for row in exiftool.tags(files).values()
    ]
    assert signs[0] == signs[1]


@pytest.mark.parametrize(("name", "reader"), BOTH)
def test_web_shows_what_was_meant_in_srgb(
    name: str, reader: str, scene: Image, tmp_path: Path
) -> None:
    photo = exporters.read_bytes(WAYS[name].write(scene), "a")
    encoded = exporters.encode(photo, photo.pixels, cloaked(photo.pixels), WEB)
    numbers = READERS[reader](encoded.data, tmp_path).astype(np.uint8)
    with Pillow.open(io.BytesIO(encoded.data)) as picture:
        icc = ImageCms.ImageCmsProfile(io.BytesIO(picture.info["icc_profile"]))
    to_srgb = ImageCms.buildTransform(icc, ImageCms.createProfile("sRGB"), "RGB", "RGB")
    shown = np.asarray(ImageCms.applyTransform(Pillow.fromarray(numbers), to_srgb))
    assert ciede2000(outside(shown), outside(scene)).mean() < 1.5


@pytest.mark.parametrize("name", HDR)
def test_hdr_is_refused_by_any_sign(name: str, scene: Image) -> None:
    with pytest.raises(InputError, match=r"^a: this is an HDR picture \((PQ|HLG)\), .*\.$"):
        exporters.read_bytes(HDR[name](scene), "a")


def test_a_damaged_profile_counts_for_nothing(face: Image) -> None:
    numbers = ADOBE_RGB.numbers(face).astype(np.uint8)
    options: dict[str, Any] = {"quality": 97, "exif": b"Exif\0\0" + exif(2)}
    without = exporters.read_bytes(coded(numbers, **options), "a")
    photo = exporters.read_bytes(coded(numbers, icc_profile=b"\0" * 400, **options), "a")
    assert np.array_equal(photo.pixels, without.pixels)
    assert photo.raster.icc == without.raster.icc
    assert photo.raster.icc is not None


@pytest.mark.parametrize("value", [1.0, 1 / 1.8])
def test_gray_has_a_curve_as_well(value: float, face: Image) -> None:
    gray = np.asarray(Pillow.fromarray(face).convert("L"))
    numbers = np.rint(srgb_to_light(gray / 255) ** value * 255).astype(np.uint8)
    parts, _ = chunks.split(coded(numbers, "PNG"))
    data = chunks.join([parts[0], chunks.Chunk(*gama(value)), *parts[1:]])
    photo = exporters.read_bytes(data, "a")
    assert np.abs(photo.pixels[..., 0].astype(int) - gray).mean() < 2
    wanted = cloaked(photo.pixels)
    after = exporters.encode(photo, photo.pixels, wanted, KEEP)
    shown = exporters.written_pixels(after, photo.pixels.shape, "a")
    assert np.abs(shown.astype(int) - wanted)[FACE].mean() < 2.5
    assert np.array_equal(outside(shown), outside(photo.pixels))


@given(
    st.sampled_from(sorted(WAYS)),
    st.integers(0, 255),
    st.integers(0, 255),
    st.integers(0, 255),
)
def test_the_way_back_is_the_way_there(name: str, red: int, green: int, blue: int) -> None:
    """What a cloak changes by comes out as that change, in any space, up to its own steps."""
    numbers = np.array([[[red, green, blue]]], np.uint8)
    space = WAYS[name].space
    icc = _profile_of(space)
    colours = Colours("RGB", icc)
    base = colours.to_srgb(numbers)
    wanted = np.clip(base.astype(int) + 5, 0, 255).astype(np.uint8)
    fresh = np.clip(np.rint(numbers + colours.delta(numbers, base, wanted)), 0, 255)
    shown = colours.to_srgb(fresh.astype(np.uint8))
    reached = np.abs(shown.astype(int) - wanted).max()
    steps = np.abs(
        colours.to_srgb(np.clip(fresh.astype(int) + 1, 0, 255).astype(np.uint8)).astype(int) - shown
    )
    inside = base.min() > 0 and base.max() < 250
    assert not inside or reached <= max(3, 2 * int(steps.max()))


def _profile_of(space: Space) -> bytes | None:
    if space is SRGB:
        return None
    return icc_profiles.made(space.primaries, D65, space.to_light)
