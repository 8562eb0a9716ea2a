"""Bad files: a clear error for that file, in bounded time and memory."""

import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from photocloak import exporters
from photocloak.core import InputError
from photocloak.exporters.containers import chunks
from photocloak.exporters.containers.ifd import Tiff
from photocloak.exporters.formats.base import samples_of
from tests.exporters.files import coded

Image = NDArray[np.uint8]
FORMS = ("JPEG", "PNG", "TIFF", "WEBP", "AVIF", "HEIF")


def png_of(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1000))
    parts = [(b"IHDR", header), (b"IDAT", body), (b"IEND", b"")]
    return chunks.join([chunks.Chunk(*part) for part in parts])


BAD = {
    "empty": (b"", "is empty"),
    "text": (b"hello, this is not a photo\n" * 30, "is a text"),
    "noise": (bytes(range(256)) * 20, "no photo"),
    "gif": (b"GIF89a" + bytes(90), "a GIF"),
    "film": (b"\0\0\0\x18ftypmp42" + bytes(80), "is a film"),
    "raw": (b"II*\0\x10\0\0\0CR\x02\0" + bytes(80), "is a RAW"),
    "fuji": (b"FUJIFILMCCD-RAW 0201" + bytes(80), "is a RAW"),
    "bomb": (png_of(60_000, 60_000), "megapixels"),
    "lying": (png_of(14_000, 14_000), "cannot hold"),
    "no pixels": (png_of(0, 10), "without pixels"),
    "cut PNG": (png_of(10, 10)[:-20], "cannot be decoded"),
    "JPEG without a frame": (b"\xff\xd8\xff\xe0\0\x04ab\xff\xd9", "holds no picture"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_bytes_are_refused_by_name_with_a_remedy(kind: str) -> None:
    data, message = BAD[kind]
    with pytest.raises(InputError, match=message) as caught:
        exporters.read_bytes(data, "holiday.jpg")
    assert str(caught.value).startswith("holiday.jpg: ")


@pytest.mark.parametrize("form", FORMS)
def test_a_truncated_file_is_refused(form: str, face: Image) -> None:
    data = coded(face, form)
    for share in (0.02, 0.3, 0.7):
        with pytest.raises(InputError):
            exporters.read_bytes(data[: int(len(data) * share)], "cut")


@pytest.mark.parametrize("form", FORMS)
def test_a_pixel_and_a_strip_are_photos_too(form: str) -> None:
    for shape in ((1, 1), (1, 3000), (2000, 1)):
        if form in ("AVIF", "HEIF") and min(shape) == 1:
            continue  # the encoders do not write those
        image = np.full((*shape, 3), 90, np.uint8)
        photo = exporters.read_bytes(coded(image, form), "a")
        assert photo.pixels.shape == image.shape
        keep = exporters.load_policy("keep")
        changed = image.copy()
        changed[0, 0] += 9
        exporters.encode(photo, photo.pixels, changed, keep)


def test_the_widest_jpeg_is_read(face: Image) -> None:
    image = np.full((8, 65_500, 3), 90, np.uint8)
    assert exporters.read_bytes(coded(image, "JPEG"), "wide").pixels.shape == image.shape


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a file"):
        exporters.read(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        exporters.read(tmp_path / "missing.jpg")
    pipe = tmp_path / "pipe.jpg"
    os.mkfifo(pipe)
    with pytest.raises(InputError, match="not a file"):
        exporters.read(pipe)


def test_the_kind_is_told_by_the_bytes(face: Image) -> None:
    assert exporters.read_bytes(coded(face, "PNG"), "photo.jpg").format == "PNG"
    with pytest.raises(InputError, match="RAW"):
        exporters.read_bytes(coded(face, "TIFF"), "photo.nef")


def test_directories_that_point_at_each_other_end() -> None:
    block = b"II*\0\x08\0\0\0" + struct.pack("<HHHIII", 1, 0x8769, 4, 1, 8, 8)
    assert len(Tiff(block).directories) == 1
    many = b"II*\0\x08\0\0\0" + struct.pack("<H", 65535) + bytes(100)
    assert len(Tiff(many).directories[0].entries) < 10


def test_a_huge_packet_takes_no_time(face: Image) -> None:
    xmp = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta " + b"<a:b " * 12_000
    data = coded(face, "JPEG")
    segment = b"\xff\xe1" + struct.pack(">H", len(xmp) + 2) + xmp
    photo = exporters.read_bytes(data[:2] + segment * 20 + data[2:], "a")
    exporters.encode(photo, photo.pixels, photo.pixels, exporters.load_policy("keep"))
    exporters.scan(photo.data)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "CMYK"])
@pytest.mark.parametrize("height", [1, 256, 700])
def test_samples_are_the_pictures(mode: str, height: int) -> None:
    rng = np.random.default_rng(height)
    wanted = rng.integers(0, 256, (height, 31, len(Pillow.new(mode, (1, 1)).getbands())), np.uint8)
    picture = Pillow.frombytes(mode, (31, height), wanted.tobytes())
    assert np.array_equal(samples_of(picture), wanted)


@pytest.mark.parametrize("name", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_photo_brings_the_decoder_of_its_own_format_alone(
    face: Image, name: str, tmp_path: Path
) -> None:
    path = tmp_path / "photo"
    path.write_bytes(coded(face, name))
    code = (
        "import sys; from pathlib import Path; from photocloak import exporters\n"
        "exporters.suffixes(); exporters.read(Path(sys.argv[1])); print(*sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    formats = "photocloak.exporters.formats"
    wanted = {f"{formats}.{one}" for one in ("jpeg", "png", "tiff", "webp", "avif", "heic")}
    brought = wanted & set(ran.stdout.split())
    assert brought == {f"{formats}.{name.lower()}"}
    assert "PIL.AvifImagePlugin" not in ran.stdout.split()
