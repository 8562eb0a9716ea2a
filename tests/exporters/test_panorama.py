"""Photos of all around are told by what they say of themselves, in every format with XMP."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from photocloak import exporters
from photocloak.core import InputError
from photocloak.exporters.containers import segments
from tests.exporters.files import coded
from tests.exporters.leaks.places import packet

Image = NDArray[np.uint8]
GPANO = 'xmlns:GPano="http://ns.google.com/photos/1.0/panorama/"'
ROUND = f'{GPANO} GPano:ProjectionType="equirectangular"'
SPHERICAL = (
    'xmlns:s="http://ns.google.com/videos/1.0/spherical/" s:ProjectionType="equirectangular"'
)
SCENE = np.random.default_rng(1).integers(0, 256, (32, 64, 3), np.uint8)
FORMS = ("JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF")


def photo(said: bytes, form: str = "JPEG", **options: Any) -> exporters.Photo:
    """Return a photo with a packet."""
    if form == "PNG":
        from PIL import PngImagePlugin

        chunks = PngImagePlugin.PngInfo()
        chunks.add_itxt("XML:com.adobe.xmp", said.decode())
        return exporters.read_bytes(coded(SCENE, form, pnginfo=chunks), "a.png")
    if form == "TIFF":
        return exporters.read_bytes(coded(SCENE, form, tiffinfo={700: said}), "a.tif")
    return exporters.read_bytes(coded(SCENE, form, xmp=said, **options), "a.jpg")


@pytest.mark.parametrize("form", FORMS)
def test_all_formats_tell_that_their_edges_touch(form: str) -> None:
    assert exporters.wraps(photo(packet("", ROUND), form))
    assert not exporters.wraps(photo(packet("", 'xmlns:a="http://a.example/" a:b="c"'), form))


@pytest.mark.parametrize(
    ("full", "part", "wraps"), [(8000, 8000, True), (8000, 3000, False), (8000, 7999, False)]
)
def test_a_part_of_a_panorama_has_no_seam(full: int, part: int, wraps: bool) -> None:
    sizes = f'GPano:FullPanoWidthPixels="{full}" GPano:CroppedAreaImageWidthPixels="{part}"'
    assert exporters.wraps(photo(packet("", f"{ROUND} {sizes}"))) is wraps
    elements = "".join(
        f"<GPano:{name}>{value}</GPano:{name}>"
        for name, value in (
            ("ProjectionType", "equirectangular"),
            ("FullPanoWidthPixels", full),
            ("CroppedAreaImageWidthPixels", part),
        )
    )
    assert exporters.wraps(photo(packet(elements, GPANO))) is wraps


def test_what_films_say_counts_too() -> None:
    assert exporters.wraps(photo(packet("", SPHERICAL)))
    assert exporters.wraps(photo(packet("", f'{SPHERICAL} s:StereoMode="mono"')))


@pytest.mark.parametrize(
    "said",
    [
        f'{GPANO} GPano:ProjectionType="cubemap"',
        f'{GPANO} GPano:ProjectionType="cubestrip"',
        f'{GPANO} GPano:ProjectionType="fisheye"',
        f'{SPHERICAL} s:StereoMode="top-bottom"',
        f'{SPHERICAL} s:StereoMode="left-right"',
    ],
)
def test_faces_that_nobody_joins_hold_a_photo_back(said: str) -> None:
    with pytest.raises(InputError, match=r"a\.jpg: this is a 360° photo as .* equirectangular"):
        exporters.wraps(photo(packet("", said)))


def test_a_panorama_on_its_side_is_held_back() -> None:
    from PIL import Image as Pillow

    exif = Pillow.Exif()
    exif[0x0112] = 6
    with pytest.raises(InputError, match="on its side"):
        exporters.wraps(photo(packet("", ROUND), exif=exif.tobytes()))


def test_two_discs_are_told_by_the_camera() -> None:
    from PIL import Image as Pillow

    discs = coded(SCENE) + bytes(40) + b"8db42d694ccc418790edff439fe026bf"
    exif = Pillow.Exif()
    exif[0x010F], exif[0x0110] = "SAMSUNG", "SM-C200"
    for data in (discs, coded(SCENE, exif=exif.tobytes())):
        with pytest.raises(InputError, match="not stitched"):
            exporters.wraps(exporters.read_bytes(data, "a.jpg"))
    stitched = photo(packet("", ROUND), exif=exif.tobytes())
    assert exporters.wraps(stitched)
    whole = segments.split(stitched.data).segments
    assert any(b"GPano" in one.payload for one in whole)
    cropped = coded(np.ascontiguousarray(SCENE[:, :40]), exif=exif.tobytes())
    assert not exporters.wraps(exporters.read_bytes(cropped, "a.jpg"))
