"""Every way of saying what a photo's numbers mean, with formulas of its own to check them by."""

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from photocloak.exporters.containers import chunks, isobmff
from photocloak.exporters.formats import png_pixels
from photocloak.exporters.model import Samples
from tests.exporters.files import coded, profile

Image = NDArray[np.uint8]
Doubles = NDArray[np.float64]
Curve = Callable[[Doubles], Doubles]
Point = tuple[float, float]
Corners = tuple[Point, Point, Point]
D65 = (0.3127, 0.3290)
BT709 = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
P3 = ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06))
BT2020 = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
ADOBE = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))


def srgb_to_light(v: Doubles) -> Doubles:
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def light_to_srgb(x: Doubles) -> Doubles:
    x = np.clip(x, 0, 1)
    return np.where(x <= 0.0031308, x * 12.92, 1.055 * x ** (1 / 2.4) - 0.055)


def video_to_light(v: Doubles) -> Doubles:
    return np.where(v < 0.081, v / 4.5, ((v + 0.0993) / 1.0993) ** (1 / 0.45))


def light_to_video(x: Doubles) -> Doubles:
    return np.where(x < 0.018, 4.5 * x, 1.0993 * np.maximum(x, 0) ** 0.45 - 0.0993)


def _matrix(primaries: Corners) -> Doubles:
    """Return the matrix from light of these primaries to XYZ, white D65."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in primaries]).T
    white = np.array([D65[0] / D65[1], 1, (1 - D65[0] - D65[1]) / D65[1]])
    return columns * np.linalg.solve(columns, white)


@dataclass(frozen=True)
class Space:
    """Primaries with white D65, and a curve with its inverse."""

    primaries: Corners
    to_light: Curve
    to_value: Curve

    def numbers(self, scene: Image, peak: int = 255) -> NDArray[np.uint16]:
        """Return an sRGB scene in this space's numbers."""
        matrix = np.linalg.inv(_matrix(self.primaries)) @ _matrix(BT709)
        light = np.clip(srgb_to_light(scene / 255) @ matrix.T, 0, 1)
        return np.rint(np.clip(self.to_value(light), 0, 1) * peak).astype(np.uint16)

    def shown(self, numbers: NDArray[np.integer], peak: int = 255) -> Image:
        """Return the sRGB picture that numbers of this space show."""
        matrix = np.linalg.inv(_matrix(BT709)) @ _matrix(self.primaries)
        light = self.to_light(numbers / peak) @ matrix.T
        return np.rint(light_to_srgb(light) * 255).astype(np.uint8)


SRGB = Space(BT709, srgb_to_light, light_to_srgb)
DISPLAY_P3 = Space(P3, srgb_to_light, light_to_srgb)
REC2020 = Space(BT2020, video_to_light, light_to_video)
REC709 = Space(BT709, video_to_light, light_to_video)
LINEAR = Space(BT709, lambda v: v, lambda x: x)
ADOBE_RGB = Space(ADOBE, lambda v: v ** (563 / 256), lambda x: x ** (256 / 563))
P3_GAMMA = Space(P3, lambda v: v**2.2, lambda x: x ** (1 / 2.2))


@dataclass(frozen=True)
class Way:
    """A space, how a file says so, and what re-encoding may cost under `keep`."""

    space: Space
    write: Callable[[Image], bytes]
    keep: float = 0.5
    peak: int = 255


def exif(space: int, interop: bytes = b"") -> bytes:
    """Return EXIF with a ColorSpace, and DCF's interoperability index."""
    rows = [(0xA001, 3, 1, struct.pack("<HH", space, 0))]
    start = 26 + 2 + 12 * (1 + bool(interop)) + 4
    if interop:
        rows.append((0xA005, 4, 1, struct.pack("<I", start)))
    block = b"II*\0\x08\0\0\0" + struct.pack("<HHHII", 1, 0x8769, 4, 1, 26) + bytes(4)
    block += struct.pack("<H", len(rows))
    block += b"".join(struct.pack("<HHI", *row[:3]) + row[3] for row in rows) + bytes(4)
    if interop:
        block += struct.pack("<HHHI", 1, 1, 2, 4) + interop + b"\0" + bytes(4)
    return block


def png(numbers: NDArray[np.integer], *signs: tuple[bytes, bytes], deep: bool = False) -> bytes:
    """Return a PNG with chunks before its picture."""
    samples: Samples = numbers.astype(np.uint16) if deep else numbers.astype(np.uint8)
    height, width = samples.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, 16 if deep else 8, 2, 0, 0, 0)
    parts = [(b"IHDR", header), *signs, (b"IDAT", png_pixels.encode(samples)), (b"IEND", b"")]
    return chunks.join([chunks.Chunk(*part) for part in parts])


def gama(value: float) -> tuple[bytes, bytes]:
    return b"gAMA", struct.pack(">I", round(value * 100_000))


def chrm(primaries: Corners) -> tuple[bytes, bytes]:
    corners = [value for point in (D65, *primaries) for value in point]
    return b"cHRM", struct.pack(">8I", *(round(value * 100_000) for value in corners))


def iccp(name: str) -> tuple[bytes, bytes]:
    import zlib

    return b"iCCP", b"x\0\0" + zlib.compress(profile(name))


def cicp(primaries: int, transfer: int, full: int = 1) -> tuple[bytes, bytes]:
    return b"cICP", bytes([primaries, transfer, 0, full])


def limited(numbers: NDArray[np.integer]) -> NDArray[np.uint16]:
    return np.rint(16 + numbers * 219 / 255).astype(np.uint16)


def heic(numbers: NDArray[np.integer], *points: int, deep: bool = False) -> bytes:
    """Return a HEIC with code points: primaries, transfer, matrix, full range."""
    import pillow_heif

    samples = numbers.astype(np.uint16 if deep else np.uint8)
    size = samples.shape[1], samples.shape[0]
    names = ("color_primaries", "transfer_characteristics", "matrix_coefficients")
    options = dict(zip((*names, "full_range_flag"), points, strict=False))
    file = io.BytesIO()
    picture = pillow_heif.from_bytes("RGB;16" if deep else "RGB", size, samples.tobytes())
    picture.save(file, quality=95, save_nclx_profile=bool(points), **options)
    return file.getvalue()


def heic_grid(numbers: NDArray[np.integer], icc: bytes) -> bytes:
    """Return a HEIC of tiles with a profile on the tiles and none on their grid."""
    import pillow_heif

    picture = pillow_heif.from_pillow(Pillow.fromarray(numbers.astype(np.uint8)))
    picture.info["icc_profile"] = icc
    file = io.BytesIO()
    before = pillow_heif.options.GRID_TILE_SIZE
    pillow_heif.options.GRID_TILE_SIZE = 128
    try:
        picture.save(file, quality=95)
    finally:
        pillow_heif.options.GRID_TILE_SIZE = before
    return without(file.getvalue(), b"colr")


def without(data: bytes, kind: bytes) -> bytes:
    """Return a HEIF whose primary item has no property of a kind: its associations become 0."""
    heif = isobmff.read(data)
    meta = next(one for one in heif.boxes if one.kind == b"meta")
    inner = {one.kind: one for one in isobmff.boxes(data, meta.body + 4, meta.end)}
    parts = {one.kind: one for one in isobmff.boxes(data, inner[b"iprp"].body, inner[b"iprp"].end)}
    store, table = parts[b"ipco"], parts[b"ipma"]
    kinds = [one.kind for one in isobmff.boxes(data, store.body, store.end)]
    result, at = bytearray(data), table.body + 8
    assert data[table.body : table.body + 4] == bytes(4), "version 0, narrow indices"
    for _ in range(struct.unpack_from(">I", data, table.body + 4)[0]):
        number, count = struct.unpack_from(">HB", data, at)
        for place in range(at + 3, at + 3 + count):
            if number == heif.primary and kinds[(data[place] & 127) - 1] == kind:
                result[place] = 0
        at += 3 + count
    return bytes(result)


def avif(numbers: NDArray[np.integer], primaries: int, transfer: int) -> bytes:
    data = coded(numbers.astype(np.uint8), "AVIF", quality=95, subsampling="4:4:4")
    own, wanted = (struct.pack(">4sHH", b"nclx", *two) for two in ((1, 13), (primaries, transfer)))
    assert data.count(own) == 1
    return data.replace(own, wanted)


def _jpeg(space: Space, block: bytes = b"", **options: Any) -> Callable[[Image], bytes]:
    def write(scene: Image) -> bytes:
        numbers = space.numbers(scene).astype(np.uint8)
        exif_: dict[str, Any] = {"exif": b"Exif\0\0" + block} if block else {}
        return coded(numbers, quality=97, subsampling=0, **exif_, **options)

    return write


def _png(space: Space, *signs: tuple[bytes, bytes]) -> Callable[[Image], bytes]:
    return lambda scene: png(space.numbers(scene), *signs)


def _heic(space: Space, *points: int) -> Callable[[Image], bytes]:
    return lambda scene: heic(space.numbers(scene), *points)


SRGB_CHUNK = (b"sRGB", b"\0")
WAYS: dict[str, Way] = {
    "JPEG without anything": Way(SRGB, _jpeg(SRGB)),
    "JPEG, EXIF sRGB": Way(SRGB, _jpeg(SRGB, exif(1))),
    "JPEG, DCF R03": Way(ADOBE_RGB, _jpeg(ADOBE_RGB, exif(0xFFFF, b"R03"))),
    "JPEG, EXIF ColorSpace 2": Way(ADOBE_RGB, _jpeg(ADOBE_RGB, exif(2))),
    "JPEG, ICC before R03": Way(
        P3_GAMMA, _jpeg(P3_GAMMA, exif(0xFFFF, b"R03"), icc_profile=profile("Display P3"))
    ),
    "WebP, DCF R03": Way(
        ADOBE_RGB,
        lambda s: coded(
            ADOBE_RGB.numbers(s).astype(np.uint8), "WEBP", lossless=True, exif=exif(0xFFFF, b"R03")
        ),
    ),
    "PNG, cICP P3": Way(DISPLAY_P3, _png(DISPLAY_P3, cicp(12, 13))),
    "PNG, cICP BT.2020": Way(REC2020, _png(REC2020, cicp(9, 14))),
    "PNG, cICP BT.709 limited": Way(
        REC709, lambda s: png(limited(REC709.numbers(s)), cicp(1, 1, 0))
    ),
    "PNG, cICP before iCCP": Way(DISPLAY_P3, _png(DISPLAY_P3, iccp("Adobe RGB"), cicp(12, 13))),
    "PNG, iCCP before gAMA": Way(P3_GAMMA, _png(P3_GAMMA, iccp("Display P3"), gama(1.0))),
    "PNG, sRGB before gAMA": Way(SRGB, _png(SRGB, gama(1.0), chrm(P3), SRGB_CHUNK)),
    "PNG, gAMA before EXIF": Way(LINEAR, _png(LINEAR, gama(1.0), (b"eXIf", exif(2)))),
    "PNG, gAMA and cHRM": Way(P3_GAMMA, _png(P3_GAMMA, gama(1 / 2.2), chrm(P3))),
    "PNG 16 bit, gAMA 1.0": Way(
        LINEAR, lambda s: png(LINEAR.numbers(s, 65535), gama(1.0), deep=True), peak=65535
    ),
    "PNG without anything": Way(SRGB, _png(SRGB)),
    "HEIC, nclx P3": Way(DISPLAY_P3, _heic(DISPLAY_P3, 12, 13, 6, 1)),
    "HEIC, nclx P3 limited": Way(DISPLAY_P3, _heic(DISPLAY_P3, 12, 13, 1, 0)),
    "HEIC, nclx BT.2020": Way(REC2020, _heic(REC2020, 9, 14, 9, 0)),
    "HEIC, nclx BT.709": Way(REC709, _heic(REC709, 1, 1, 1, 1)),
    "HEIC without anything": Way(SRGB, _heic(SRGB)),
    "HEIC, ICC on its tiles": Way(
        P3_GAMMA, lambda s: heic_grid(P3_GAMMA.numbers(s), profile("Display P3"))
    ),
    "HEIC 10 bit, nclx P3": Way(
        DISPLAY_P3,
        lambda s: heic(DISPLAY_P3.numbers(s, 65535), 12, 13, 6, 1, deep=True),
        peak=65535,
    ),
    "AVIF, nclx P3": Way(DISPLAY_P3, lambda s: avif(DISPLAY_P3.numbers(s), 12, 13), keep=1.0),
    "AVIF without anything": Way(SRGB, lambda s: avif(SRGB.numbers(s), 2, 2), keep=1.0),
}

HDR: dict[str, Callable[[Image], bytes]] = {
    "PNG, cICP PQ": lambda s: png(s, cicp(9, 16)),
    "PNG, cICP HLG before iCCP": lambda s: png(s, iccp("Display P3"), cicp(9, 18)),
    "PNG, iCCP of BT.2100's name": lambda s: png(s, (b"iCCP", b"ITUR_2100_PQ_FULL\0\0x")),
    "HEIC, nclx PQ": lambda s: heic(s, 9, 16, 9, 1),
    "HEIC, nclx HLG limited": lambda s: heic(s, 9, 18, 9, 0),
    "HEIC 10 bit, nclx PQ": lambda s: heic(s.astype(np.uint16) * 257, 9, 16, 9, 1, deep=True),
    "AVIF, nclx PQ": lambda s: avif(s, 9, 16),
    "JPEG, ICC with code points": lambda s: coded(s, icc_profile=_with_points(9, 16)),
    "JPEG, ICC by its name": lambda s: coded(s, icc_profile=_named(b"BT.2100 PQ")),
}


def _named(name: bytes) -> bytes:
    return profile("Display P3").replace(b"Display P3", name)


def _with_points(primaries: int, transfer: int) -> bytes:
    """Return a profile with a `cicp` tag (ICC.1:2022, 9.2.17) in place of its copyright."""
    made = profile("Display P3")
    at = made.index(b"cprt", 128)
    start = struct.unpack_from(">I", made, at + 4)[0]
    tag = b"cicp\0\0\0\0" + bytes([primaries, transfer, 0, 1])
    made = made[:at] + b"cicp" + made[at + 4 :]
    return made[:start] + tag + made[start + len(tag) :]
