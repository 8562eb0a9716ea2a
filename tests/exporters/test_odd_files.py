"""Files that are odd but shown by every viewer are taken; others are refused in one sentence."""

import io
import re
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from photocloak import exporters
from photocloak.core import InputError, OutputError
from photocloak.exporters import formats
from photocloak.exporters.containers import chunks, segments
from photocloak.exporters.containers.ifd import Tiff
from tests.exporters.files import coded, heic

Image = NDArray[np.uint8]
KEEP, WEB = exporters.load_policy("keep"), exporters.load_policy("web")


@pytest.fixture(scope="module")
def small(face: Image) -> Image:
    """(48, 64, 3): part of a face."""
    return np.asarray(Pillow.fromarray(face).resize((64, 48)))


def kept(data: bytes) -> tuple[exporters.Photo, exporters.Encoded]:
    photo = exporters.read_bytes(data, "a")
    changed = photo.pixels.copy()
    changed[10:20, 10:20] ^= 8
    return photo, exporters.encode(photo, photo.pixels, changed, KEEP)


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_without_an_end_is_taken_while_it_is_whole(small: Image, progressive: bool) -> None:
    data = coded(small, quality=90, progressive=progressive)
    for cut in (1, 2):
        photo, encoded = kept(data[:-cut])
        assert np.array_equal(photo.pixels, exporters.read_bytes(data, "a").pixels)
        assert "the file ended without an end marker" in encoded.notes
        assert encoded.data.endswith(b"\xff\xd9")
    for cut in (12, 40, 400):
        with pytest.raises(InputError, match="damaged or incomplete"):
            exporters.read_bytes(data[:-cut], "a")


def test_a_scan_is_missing(small: Image) -> None:
    stream = segments.split(coded(small, quality=90, progressive=True))
    scans = [one for one in stream.segments if one.marker == segments.SOS]
    less = [one for one in stream.segments if one is not scans[-1]]
    with pytest.raises(InputError, match="data end too early"):
        exporters.read_bytes(segments.join(less)[:-2], "a")


@pytest.mark.parametrize("stray", [b"\0\x11\x22\x33", b"\xff\0\x07", b"\xff\xd0", b"x" * 3000])
def test_bytes_between_segments_are_passed_over(small: Image, stray: bytes) -> None:
    data = coded(small, quality=90)
    stream = segments.split(data)
    for one in stream.segments[1:]:
        odd = data[: one.at] + stray + data[one.at :]
        photo, encoded = kept(odd)
        assert np.array_equal(photo.pixels, exporters.read_bytes(data, "a").pixels)
        assert f"{len(stray)} bytes between its segments are left out" in encoded.notes
        assert segments.split(encoded.data).complete
    picture = data[: stream.segments[1].at] + data + data[stream.segments[1].at :]
    with pytest.raises(InputError):
        exporters.read_bytes(picture, "a")
    hidden = data[: stream.segments[1].at] + b"\0" + small.tobytes() + data[stream.segments[1].at :]
    assert small.tobytes()[:200] not in kept(hidden)[1].data


def test_a_long_packed_text_is_no_damage(small: Image) -> None:
    parts, _ = chunks.split(coded(small, "PNG"))
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:description>'
        + b"The castle above the river in the evening. " * 50_000
        + b"</dc:description></rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    text = b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(packet)
    data = chunks.join([parts[0], chunks.Chunk(b"iTXt", text), *parts[1:]])
    assert text in kept(data)[1].data


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_a_transparent_gray_stays_transparent(depth: int) -> None:
    levels = (1 << depth) - 1
    gray = (np.arange(32 * 32).reshape(32, 32) * 7 % (levels + 1)).astype(np.uint16)
    key = int(gray[5, 9])
    if depth == 16:
        rows = gray.astype(">u2").view(np.uint8).reshape(32, -1)
    else:
        bits = np.unpackbits(gray.astype(np.uint8)[..., None], axis=2)[..., 8 - depth :]
        rows = np.packbits(bits.reshape(32, -1), axis=1)
    packed = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    header = struct.pack(">IIBBBBB", 32, 32, depth, 0, 0, 0, 0)
    parts = [(b"IHDR", header), (b"tRNS", struct.pack(">H", key)), (b"bKGD", struct.pack(">H", 1))]
    parts += [(b"IDAT", packed), (b"IEND", b"")]
    data = chunks.join([chunks.Chunk(*one) for one in parts])
    photo, encoded = kept(data)
    assert np.array_equal(photo.raster.samples[..., 1] == 0, gray == key)
    written = exporters.read_bytes(encoded.data, "b").raster
    assert np.array_equal(written.samples[..., 1], photo.raster.samples[..., 1])
    assert "its transparent colour became an alpha channel" in encoded.notes
    same = exporters.encode(photo, photo.pixels, photo.pixels, KEEP)
    assert same.data == data


def test_a_transparent_colour_stays_transparent(small: Image) -> None:
    parts, _ = chunks.split(coded(small, "PNG"))
    key = small[3, 4]
    mark = chunks.Chunk(b"tRNS", struct.pack(">3H", *map(int, key)))
    photo, encoded = kept(chunks.join([parts[0], mark, *parts[1:]]))
    hole = (small == key).all(axis=2)
    for raster in (photo.raster, exporters.read_bytes(encoded.data, "b").raster):
        assert np.array_equal(raster.samples[..., 3] == 0, hole)


def test_gray_heic_of_ten_bits(small: Image) -> None:
    import pillow_heif

    gray = small[..., 0].astype(np.uint16) * 257
    file = io.BytesIO()
    pillow_heif.from_bytes("L;16", (64, 48), gray.tobytes()).save(file, quality=90)
    photo, encoded = kept(file.getvalue())
    assert photo.raster.mode == "L"
    assert photo.raster.samples.dtype == np.uint16
    assert np.abs(photo.pixels[..., 0].astype(int) - small[..., 0]).mean() < 3
    assert exporters.read_bytes(encoded.data, "b").raster.mode == "L"


def pages(small: Image, *kinds: int) -> bytes:
    """Return a TIFF of pages, the first half as large, with a NewSubfileType each."""
    first, *rest = [Pillow.fromarray(small) for _ in kinds]
    file = io.BytesIO()
    first.resize((32, 24)).save(file, "TIFF", save_all=True, append_images=rest, tiffinfo={0xFE: 1})
    data = bytearray(file.getvalue())
    for directory, kind in zip(Tiff(bytes(data)).directories, kinds, strict=True):
        at = directory.entries[0xFE].start
        data[at : at + 4] = struct.pack("<I", kind)
    return bytes(data)


def test_a_tiff_behind_a_smaller_copy_keeps_its_page(small: Image) -> None:
    data = pages(small, 1, 0)
    photo, encoded = kept(data)
    assert np.array_equal(photo.pixels, small)
    assert encoded.notes == ("left out: smaller copies or masks of the picture",)
    written = Pillow.open(io.BytesIO(encoded.data))
    assert (written.size, getattr(written, "n_frames", 1)) == ((64, 48), 1)
    assert exporters.scan(encoded.data) == []
    tiny = np.asarray(Pillow.fromarray(small).resize((32, 24))).tobytes()
    assert tiny in data
    assert tiny not in encoded.data


def test_a_tiff_of_pages_is_refused(small: Image) -> None:
    for kinds in ((0, 0), (2, 2, 2), (1, 0, 0)):
        with pytest.raises(InputError, match=r"has [23] pages, and photocloak takes one; save"):
            exporters.read_bytes(pages(small, *kinds), "a")


def _framed(small: Image, form: str) -> bytes:
    second = Pillow.fromarray(small).rotate(9)
    return coded(small, form, save_all=True, append_images=[second])


def _marker(old: int, new: int) -> Callable[[Image], bytes]:
    return lambda image: coded(image).replace(bytes([0xFF, old]), bytes([0xFF, new]), 1)


def _size(width: int, height: int) -> Callable[[Image], bytes]:
    """Return a HEIC whose header announces a size."""
    stated = b"ispe\0\0\0\0" + struct.pack(">II", width, height)
    return lambda image: re.sub(rb"ispe\0{4}.{8}", lambda _: stated, heic(image), flags=re.DOTALL)


def _uncoded(image: Image) -> bytes:
    """Return a HEIC whose picture lacks the settings of its decoder: readers pass it over."""
    return re.sub(rb"(ipma\x00{4}.{4}\x00\x01.)\x81", b"\\g<1>\x02", heic(image), flags=re.DOTALL)


REFUSED: dict[str, tuple[Callable[[Image], bytes], str]] = {
    "lossless JPEG": (_marker(0xC0, 0xC3), "coded without loss"),
    "arithmetic JPEG": (_marker(0xC0, 0xC9), "coded arithmetically"),
    "hierarchical JPEG": (_marker(0xC0, 0xC5), "hierarchical"),
    "JPEG of 12 bits": (
        lambda image: coded(image).replace(b"\xff\xc0\0\x11\x08", b"\xff\xc1\0\x11\x0c"),
        "has 12 bits a channel",
    ),
    "animated PNG": (lambda image: _framed(image, "PNG"), "animation"),
    "animated WebP": (lambda image: _framed(image, "WEBP"), "animation"),
    "animated AVIF": (lambda image: _framed(image, "AVIF"), "animation"),
    "GIF": (lambda image: coded(image, "GIF"), "GIF"),
    "huge HEIC": (_size(20_000, 20_000), "250 megapixels"),
    "empty HEIC": (_size(0, 48), "without pixels"),
    "HEIC without a picture": (_uncoded, "shows no picture"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_refusal_names_reason_and_remedy_in_one_sentence(kind: str, small: Image) -> None:
    make, reason = REFUSED[kind]
    with pytest.raises(InputError, match=re.escape(reason)) as caught:
        exporters.read_bytes(make(small), "a")
    assert re.fullmatch(r"a: [^.]+[;:.] ?[^.]+\.", str(caught.value))


@pytest.mark.parametrize("error", [KeyError(3), MemoryError(), Pillow.DecompressionBombError("x")])
def test_whatever_a_decoder_raises_is_about_the_file(
    error: Exception, small: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> Any:
        raise error

    data = coded(small)
    photo = exporters.read_bytes(data, "a")
    old = formats.FORMATS["JPEG"]
    broken = type(old)(**{**old.__dict__, "decode": fails, "keep": fails})
    monkeypatch.setitem(formats.FORMATS, "JPEG", broken)
    with pytest.raises(InputError, match=r"^a: "):
        exporters.read_bytes(data, "a")
    with pytest.raises(OutputError, match=r"^a: "):
        exporters.encode(photo, photo.pixels, photo.pixels, KEEP)
