"""Every format and mode comes out as it came in: exactly outside the cloak, or nearly, if lossy."""

import io
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from photocloak import exporters
from photocloak.core import InputError
from photocloak.exporters.containers import chunks, strips
from photocloak.exporters.formats import png_pixels, tiff
from photocloak.plugin.evaluation.colour import ciede2000, difference

Image = NDArray[np.uint8]
KEEP = exporters.load_policy("keep")
Cloak = Callable[..., Image]

_D50 = {
    "Display P3": (
        (0.51512, 0.24120, -0.00105),
        (0.29198, 0.69225, 0.04189),
        (0.15710, 0.06657, 0.78407),
    ),
    "Adobe RGB": (
        (0.60974, 0.31111, 0.01947),
        (0.20528, 0.62567, 0.06087),
        (0.14919, 0.06322, 0.74457),
    ),
}


def profile(name: str) -> bytes:
    """Return a matrix profile (ICC.1:2010) with the primaries of a space and a gamma of 2.2."""

    def xyz(values: tuple[float, ...]) -> bytes:
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in values))

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(2.2 * 256)) + b"\0\0"
    text = b"desc\0\0\0\0" + struct.pack(">I", len(name) + 1) + name.encode() + bytes(90)
    text += b"\0" * (-len(text) % 4)
    white = (0.9642, 1.0, 0.8249)
    tags = dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), map(xyz, _D50[name]), strict=True))
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    tags |= {b"wtpt": xyz(white), b"desc": text, b"cprt": b"text\0\0\0\0none\0\0\0\0"}
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for key, value in tags.items():
        table += struct.pack(">4sII", key, start + len(body), len(value))
        body += value
    head = struct.pack(
        ">I4sI4s4s4s", start + len(body), b"none", 0x02400000, b"mntr", b"RGB ", b"XYZ "
    )
    head += struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    return head + struct.pack(">3i", *(round(v * 65536) for v in white)) + bytes(48) + table + body


def coded(image: Image, form: str, mode: str = "RGB", **options: Any) -> bytes:
    file = io.BytesIO()
    Pillow.fromarray(image).convert(mode).save(file, form, **options)
    return file.getvalue()


def png16(face: Image, kind: int) -> bytes:
    wide = face.astype(np.uint16) * 257 + np.arange(256, dtype=np.uint16)[:, None, None] % 97
    alpha = np.full((*face.shape[:2], 1), 40_000, np.uint16)
    samples = {
        0: wide[..., :1],
        2: wide,
        4: np.dstack([wide[..., 0], alpha]),
        6: np.dstack([wide, alpha]),
    }[kind]
    header = struct.pack(">IIBBBBB", 256, 256, 16, kind, 0, 0, 0)
    body = png_pixels.encode(samples)
    return chunks.join(
        [chunks.Chunk(b"IHDR", header), chunks.Chunk(b"IDAT", body), chunks.Chunk(b"IEND", b"")]
    )


def tiff_of(samples: NDArray[Any], photometric: int, compression: int, order: str = "<") -> bytes:
    """Write one strip a 32 rows, without a library."""
    height, width, channels = samples.shape
    bits = samples.dtype.itemsize * 8
    grid = tiff._Grid(
        width,
        height,
        channels,
        bits,
        order,
        compression,
        2 if compression != 1 else 1,
        False,
        32,
        width,
        False,
        (),
        (),
    )
    head = {"<": b"II*\0", ">": b"MM\0*"}[order]
    data, offsets, counts = head + bytes(4), [], []
    for _, rows, _, _, _ in grid.cells():
        packed = strips.pack(tiff._predicted(samples[rows], grid), compression)
        offsets.append(len(data))
        counts.append(len(packed))
        data += packed + b"\0" * (len(packed) % 2)
    values = [
        (0x100, (width,)),
        (0x101, (height,)),
        (0x102, (bits,) * channels),
        (0x103, (compression,)),
        (0x106, (photometric,)),
        (0x111, tuple(offsets)),
        (0x115, (channels,)),
        (0x116, (32,)),
        (0x117, tuple(counts)),
        (0x13D, (grid.predictor,)),
    ]
    at = len(data)
    extra = at + 2 + 12 * len(values) + 4
    rows_, body = struct.pack(f"{order}H", len(values)), b""
    for tag, numbers in values:
        rows_ += struct.pack(f"{order}HHI", tag, 4, len(numbers))
        packed = struct.pack(f"{order}{len(numbers)}I", *numbers)
        if len(numbers) == 1:
            rows_ += packed
        else:
            rows_ += struct.pack(f"{order}I", extra + len(body))
            body += packed
    data = data[:4] + struct.pack(f"{order}I", at) + data[8:]
    return data + rows_ + bytes(4) + body


def wide(face: Image) -> NDArray[np.uint16]:
    return face.astype(np.uint16) * 257 + np.arange(256, dtype=np.uint16)[:, None, None] % 97


EXACT: dict[str, Callable[[Image], bytes]] = {
    "PNG RGB": lambda f: coded(f, "PNG"),
    "PNG gray": lambda f: coded(f, "PNG", "L"),
    "PNG gray alpha": lambda f: coded(f, "PNG", "LA"),
    "PNG alpha": lambda f: coded(np.dstack([f, f[..., 0]]), "PNG", "RGBA"),
    "PNG Display P3": lambda f: coded(f, "PNG", icc_profile=profile("Display P3")),
    "PNG Adobe RGB": lambda f: coded(f, "PNG", icc_profile=profile("Adobe RGB")),
    "PNG 16 bit RGB": lambda f: png16(f, 2),
    "PNG 16 bit gray": lambda f: png16(f, 0),
    "PNG 16 bit gray alpha": lambda f: png16(f, 4),
    "PNG 16 bit alpha": lambda f: png16(f, 6),
    "WebP lossless": lambda f: coded(f, "WEBP", lossless=True),
    "WebP lossless alpha": lambda f: coded(
        np.dstack([f, f[..., 0]]), "WEBP", "RGBA", lossless=True, exact=True
    ),
    "TIFF 8 bit": lambda f: tiff_of(f, 2, 1),
    "TIFF 16 bit": lambda f: tiff_of(wide(f), 2, 1),
    "TIFF 16 bit LZW": lambda f: tiff_of(wide(f), 2, 5),
    "TIFF 16 bit deflate, big endian": lambda f: tiff_of(wide(f), 2, 8, ">"),
    "TIFF 8 bit PackBits": lambda f: tiff_of(f, 2, 32773),
    "TIFF gray 16": lambda f: tiff_of(wide(f)[..., :1], 1, 5),
    "TIFF gray inverted": lambda f: tiff_of(f[..., :1], 0, 5),
    "TIFF CMYK": lambda f: coded(f, "TIFF", "CMYK"),
}


@pytest.mark.parametrize("kind", EXACT)
def test_lossless_formats_are_exact_outside_the_cloak(kind: str, face: Image, cloak: Cloak) -> None:
    data = EXACT[kind](face)
    photo = exporters.read_bytes(data, "a")
    cloaked = cloak(photo.pixels)
    encoded = exporters.encode(photo, photo.pixels, cloaked, KEEP)
    written = exporters.read_bytes(encoded.data, "b")
    before, after = photo.raster, written.raster
    assert (before.mode, before.samples.dtype, before.icc) == (
        after.mode,
        after.samples.dtype,
        after.icc,
    )
    changed = np.any(photo.pixels != cloaked, axis=2)
    assert np.array_equal(before.samples[~changed], after.samples[~changed])
    if before.mode.endswith("A"):
        assert np.array_equal(before.samples[..., -1], after.samples[..., -1])
    assert np.abs(written.pixels.astype(int) - cloaked)[changed].mean() < 1.6
    assert encoded.notes == ()


def heic(samples: NDArray[Any], icc_profile: bytes | None = None) -> bytes:
    import pillow_heif

    mode = ("RGB" if samples.shape[2] == 3 else "RGBA") + ";16" * (samples.dtype == np.uint16)
    size = samples.shape[1], samples.shape[0]
    picture = pillow_heif.from_bytes(mode, size, np.ascontiguousarray(samples).tobytes())
    if icc_profile:
        picture.info["icc_profile"] = icc_profile
    file = io.BytesIO()
    picture.save(file, quality=80)
    return file.getvalue()


LOSSY: dict[str, Callable[[Image], bytes]] = {
    "JPEG": lambda f: coded(f, "JPEG", quality=95),
    "JPEG Display P3": lambda f: coded(f, "JPEG", quality=95, icc_profile=profile("Display P3")),
    "JPEG Adobe RGB": lambda f: coded(f, "JPEG", quality=95, icc_profile=profile("Adobe RGB")),
    "JPEG gray": lambda f: coded(f, "JPEG", "L", quality=95),
    "JPEG CMYK": lambda f: coded(f, "JPEG", "CMYK", quality=95),
    "WebP": lambda f: coded(f, "WEBP", quality=90),
    "WebP alpha": lambda f: coded(np.dstack([f, f[..., 0] // 2 + 127]), "WEBP", "RGBA", quality=90),
    "AVIF": lambda f: coded(f, "AVIF", quality=80),
    "AVIF gray": lambda f: coded(f, "AVIF", "L", quality=80),
    "AVIF alpha": lambda f: coded(np.dstack([f, f[..., 0] // 2 + 127]), "AVIF", "RGBA", quality=80),
    "HEIC": heic,
    "HEIC Display P3": lambda f: heic(f, icc_profile=profile("Display P3")),
    "HEIC alpha": lambda f: heic(np.dstack([f, f[..., 0] // 2 + 127])),
    "HEIC 10 bit": lambda f: heic(wide(f)),
}


@pytest.mark.parametrize("kind", LOSSY)
def test_lossy_formats_stay_near(kind: str, face: Image, cloak: Cloak) -> None:
    data = LOSSY[kind](face)
    photo = exporters.read_bytes(data, "a")
    cloaked = cloak(photo.pixels)
    if photo.raster.mode == "L":
        cloaked = np.repeat(cloaked[..., :1], 3, axis=2)
    encoded = exporters.encode(photo, photo.pixels, cloaked, KEEP)
    written = exporters.read_bytes(encoded.data, "b")
    before, after = photo.raster, written.raster
    assert (before.mode, before.samples.dtype, before.icc) == (
        after.mode,
        after.samples.dtype,
        after.icc,
    )
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


def test_sixteen_bit_png_reads_every_filter_and_interlacing(face: Image) -> None:
    rng = np.random.default_rng(3)
    rows = rng.integers(0, 256, (9, 7 * 6), dtype=np.uint8)
    for kind in range(5):
        filtered = rows.copy()
        for y in range(8, -1, -1):
            for x in range(41, -1, -1):
                left = int(rows[y, x - 6]) if x >= 6 else 0
                up = int(rows[y - 1, x]) if y else 0
                corner = int(rows[y - 1, x - 6]) if y and x >= 6 else 0
                guess = left + up - corner
                near = min(
                    (abs(guess - left), 0, left),
                    (abs(guess - up), 1, up),
                    (abs(guess - corner), 2, corner),
                )
                filtered[y, x] = (
                    int(rows[y, x]) - (0, left, up, (left + up) // 2, near[2])[kind]
                ) % 256
        plain = png_pixels._unfilter(np.full(9, kind, np.uint8), filtered, 6)
        assert np.array_equal(plain, rows)


def test_what_cannot_be_written_is_refused_with_the_reason(face: Image) -> None:
    data = coded(face, "TIFF", compression="jpeg")
    photo = exporters.read_bytes(data, "a.tif")
    with pytest.raises(InputError, match="cannot be written as it is, since its co"):
        exporters.encode(photo, photo.pixels, photo.pixels, KEEP)
    web = exporters.load_policy("web")
    assert exporters.encode(photo, photo.pixels, photo.pixels, web).format == "JPEG"
