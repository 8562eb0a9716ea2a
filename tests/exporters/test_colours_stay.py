"""What says how colours are meant never goes silently: it is written otherwise, or held back."""

import io
import struct
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from photocloak import exporters
from photocloak.core import OutputError
from photocloak.exporters.containers import chunks
from tests.exporters.files import coded, profile

Image = NDArray[np.uint8]
KEEP = exporters.load_policy("keep")
NOISE = np.random.default_rng(5).bytes(3000)
HELD = r"the colours would change.*export it again"


def kept(data: bytes, *, change: bool) -> exporters.Photo:
    """Write a file under `keep`, and read it again."""
    photo = exporters.read_bytes(data, "a")
    cloaked = photo.pixels.copy()
    if change:
        cloaked[10:20, 10:20] ^= 8
    encoded = exporters.encode(photo, photo.pixels, cloaked, KEEP)
    after = exporters.read_bytes(encoded.data, "a")
    assert after.raster.icc == photo.raster.icc
    assert after.raster.mode == photo.raster.mode
    return after


def with_tag(name: bytes, value: bytes) -> bytes:
    """Return Display P3 with one of its tags another one's value."""
    plain = profile("Display P3")
    at = next(at for at in range(132, 400, 12) if plain[at : at + 4] == name)
    row = struct.pack(">4sII", name, len(plain), len(value))
    whole = plain[:at] + row + plain[at + 12 :] + value
    return struct.pack(">I", len(whole)) + whole[4:]


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP", "HEIF", "AVIF"])
def test_a_profile_whose_colours_must_go_holds_the_photo_back(face: Image, form: str) -> None:
    curve = b"curv\0\0\0\0" + struct.pack(">I", 1500) + NOISE
    image = np.ascontiguousarray(face[:64, :64])
    data = coded(image, form, icc_profile=with_tag(b"rTRC", curve))
    photo = exporters.read_bytes(data, "a.photo")
    with pytest.raises(OutputError, match=HELD):
        exporters.encode(photo, photo.pixels, photo.pixels, KEEP)


@pytest.mark.parametrize("change", [False, True])
def test_what_else_a_profile_holds_goes_and_its_colours_stay(face: Image, change: bool) -> None:
    data = coded(face, "PNG", icc_profile=with_tag(b"cprt", b"priv\0\0\0\0" + NOISE))
    photo = exporters.read_bytes(data, "a")
    cloaked = photo.pixels.copy()
    cloaked[10:20, 10:20] ^= 8 * change
    after = exporters.encode(photo, photo.pixels, cloaked, KEEP)
    again = exporters.read_bytes(after.data, "a")
    assert np.abs(again.pixels.astype(int) - cloaked).max() <= 1
    assert NOISE not in b"".join(map(unpacked, chunks.split(after.data)[0]))


def unpacked(chunk: chunks.Chunk) -> bytes:
    return zlib.decompress(chunk.body.partition(b"\0")[2][1:]) if chunk.name == b"iCCP" else b""


@pytest.mark.parametrize("change", [False, True])
@pytest.mark.parametrize("how", ["name", "behind"])
def test_a_profile_with_something_beside_it_is_packed_anew(
    face: Image, how: str, change: bool
) -> None:
    parts, _ = chunks.split(coded(face, "PNG"))
    name = b"qX7vKz9pW2mR4tY8" * 4 + b"bN3cL6" if how == "name" else b"ICC"
    body = name + b"\0\0" + zlib.compress(profile("Display P3"))
    body += NOISE if how == "behind" else b""
    parts.insert(1, chunks.Chunk(b"iCCP", body))
    after = kept(chunks.join(parts), change=change)
    assert after.raster.icc == profile("Display P3")
    assert NOISE[:24] not in after.data
    assert name == b"ICC" or name[:24] not in after.data


@pytest.mark.parametrize("change", [False, True])
def test_a_palette_with_soft_edges_keeps_its_transparency(face: Image, change: bool) -> None:
    """256 values of alpha look like a drawn picture: they become an alpha channel."""
    few = Pillow.fromarray(face).quantize(256)
    alpha = bytes(np.random.default_rng(2).permutation(256).astype(np.uint8))
    file = io.BytesIO()
    few.save(file, "PNG", transparency=alpha)
    source = exporters.read_bytes(file.getvalue(), "a")
    assert source.raster.mode == "RGBA"
    after = kept(file.getvalue(), change=change)
    assert np.array_equal(after.raster.samples[..., 3], source.raster.samples[..., 3])
    assert alpha[:24] not in after.data


def test_a_refused_colour_chunk_holds_the_photo_back(face: Image) -> None:
    """A gAMA too long for what it is, in a file whose account is overdrawn, is no silent loss."""
    parts, _ = chunks.split(coded(face, "PNG"))
    parts.insert(1, chunks.Chunk(b"cICP", b"\x0c\x0d\0\1" + NOISE[:8]))
    photo = exporters.read_bytes(chunks.join(parts), "a.png")
    with pytest.raises(OutputError, match=HELD):
        exporters.encode(photo, photo.pixels, photo.pixels, KEEP)


def test_a_tiff_tag_of_colours_that_must_go_holds_the_photo_back(face: Image) -> None:
    data = coded(face, "TIFF", tiffinfo={318: tuple(NOISE[:2])})
    photo = exporters.read_bytes(data, "a.tif")
    assert exporters.encode(photo, photo.pixels, photo.pixels, KEEP)
    noise = tuple(int(one) for one in np.frombuffer(NOISE[:1400], "<u2"))
    photo = exporters.read_bytes(coded(face, "TIFF", tiffinfo={301: noise}), "a.tif")
    with pytest.raises(OutputError, match=HELD):
        exporters.encode(photo, photo.pixels, photo.pixels, KEEP)
