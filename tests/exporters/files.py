"""Files to test with: every format and mode photocloak takes, made of one picture."""

import io
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from photocloak.exporters.containers import chunks
from photocloak.exporters.formats import png_pixels, tiff_pixels

Image = NDArray[np.uint8]

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


def coded(image: Image, form: str = "JPEG", mode: str | None = None, **options: Any) -> bytes:
    """Return a picture as a file, with Pillow's options."""
    file = io.BytesIO()
    picture = Pillow.fromarray(image).convert(mode)
    if form == "HEIF":
        import pillow_heif

        pillow_heif.from_pillow(picture).save(file, **options)
    else:
        picture.save(file, form, **options)
    return file.getvalue()


def wide(face: Image) -> NDArray[np.uint16]:
    """Return 16-bit samples whose low bytes are not the high ones again."""
    return face.astype(np.uint16) * 257 + np.arange(256, dtype=np.uint16)[:, None, None] % 97


def png16(face: Image, kind: int) -> bytes:
    deep = wide(face)
    alpha = np.full((*face.shape[:2], 1), 40_000, np.uint16)
    samples = {
        0: deep[..., :1],
        2: deep,
        4: np.dstack([deep[..., 0], alpha]),
        6: np.dstack([deep, alpha]),
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
    grid = tiff_pixels.Grid(
        width=width,
        height=height,
        channels=channels,
        bits=bits,
        order=order,
        compression=compression,
        predictor=2 if compression != 1 else 1,
        planar=False,
        tall=32,
        wide=width,
        tiled=False,
        offsets=(),
        counts=(),
        mode="",
        inverted=False,
    )
    head = {"<": b"II*\0", ">": b"MM\0*"}[order]
    data, offsets, counts = head + bytes(4), [], []
    for _, rows, _, _, tall in grid.cells():
        packed = tiff_pixels.pack(samples[rows], grid, tall)
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


def heic(samples: NDArray[Any], icc_profile: bytes | None = None) -> bytes:
    """Return a HEIC of 8 or 16-bit samples, with alpha or without."""
    import pillow_heif

    mode = ("RGB" if samples.shape[2] == 3 else "RGBA") + ";16" * (samples.dtype == np.uint16)
    size = samples.shape[1], samples.shape[0]
    picture = pillow_heif.from_bytes(mode, size, np.ascontiguousarray(samples).tobytes())
    if icc_profile:
        picture.info["icc_profile"] = icc_profile
    file = io.BytesIO()
    picture.save(file, quality=80)
    return file.getvalue()


# written so that nothing changes outside the cloak
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


# encoded anew, in part or as a whole
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
