"""ICC profiles: what one says, taken apart, and matrix profiles made of primaries and a curve.

ICC.1:2010 and ICC.1:2022. Nothing made here is ever written into a file: a profile is how the
exporters pass on what a photo's numbers mean, whichever sign of the file said so.
"""

import io
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageCms

Doubles = NDArray[np.float64]
Curve = Callable[[Doubles], Doubles]
Point = tuple[float, float]

SRGB_TO_XYZ_D50 = np.array(  # IEC 61966-2-1 adapted to D50 with Bradford, as in ICC profiles
    [
        [0.4360747, 0.3850649, 0.1430804],
        [0.2225045, 0.7168786, 0.0606169],
        [0.0139322, 0.0971045, 0.7141733],
    ]
)
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_D50 = np.array([0.9642, 1.0, 0.8249])
_SPACES = {"L": b"GRAY", "RGB": b"RGB ", "CMYK": b"CMYK"}
_STEPS = 4096  # of a curve that is written as a table
_HDR_NAMES = re.compile(r"\bPQ\b|_PQ_|\bHLG\b|_HLG_|\bST ?2084\b|\bBT\.?2100\b")


@dataclass(frozen=True)
class Model:
    """A profile in closed form.

    Attributes:
        curves: from a channel's value to light, both 0..1; one for gray, three for colour.
        matrix: (3, 3) from the profile's light to sRGB's; None for gray.

    """

    curves: tuple[Curve, ...]
    matrix: Doubles | None


def srgb_light(value: Doubles) -> Doubles:
    """Return the light of sRGB values, both 0..1 (IEC 61966-2-1)."""
    return np.where(value <= 0.04045, value / 12.92, ((np.abs(value) + 0.055) / 1.055) ** 2.4)


def srgb_value(light: Doubles) -> Doubles:
    """Return the sRGB values of light; the inverse of `srgb_light`."""
    light = np.maximum(light, 0)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


@lru_cache(maxsize=1)
def srgb_profile() -> bytes:
    """Return an sRGB profile, without the hour at which it was made."""
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    date = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    return made[:24] + date + made[36:]


@lru_cache(maxsize=8)
def transform(mode: str, icc: bytes) -> Any | None:
    """Return lcms's transform of 8-bit pixels to sRGB; None where the profile does not fit.

    Args:
        mode: L, RGB or CMYK.
        icc: the profile.

    """
    if icc[16:20] != _SPACES[mode]:
        return None
    try:
        return ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(icc)),
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None


@lru_cache(maxsize=8)
def is_srgb(mode: str, icc: bytes) -> bool:
    """Tell whether a profile means sRGB, or gray of its curve, within two levels of 255."""
    to_srgb = transform(mode, icc)
    if to_srgb is None or mode == "CMYK":
        return False
    if mode == "L":
        ramp = np.arange(256, dtype=np.uint8)[None]
        seen = np.asarray(ImageCms.applyTransform(Pillow.fromarray(ramp), to_srgb))
        return bool(np.abs(seen.astype(int) - ramp[..., None]).max() <= 2)
    steps = np.linspace(0, 255, 9).round().astype(np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(27, 27, 3)
    seen = np.asarray(ImageCms.applyTransform(Pillow.fromarray(grid), to_srgb))
    return bool(np.abs(seen.astype(int) - grid).max() <= 2)


@lru_cache(maxsize=8)
def model(icc: bytes) -> Model | None:
    """Return a gray or matrix profile in closed form; None for one of tables."""
    tags = _tags(icc)
    if b"A2B0" in tags or icc[20:24] != b"XYZ ":
        return None
    try:
        if icc[16:20] == b"GRAY":
            return Model((_curve(tags[b"kTRC"]),), None)
        columns = [_xyz(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
        curves = tuple(_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC"))
        own = np.stack(columns, axis=1)
        np.linalg.inv(own)
        return Model(curves, np.linalg.inv(SRGB_TO_XYZ_D50) @ own)
    except (KeyError, ValueError, struct.error, np.linalg.LinAlgError):
        return None


def hdr_of(icc: bytes) -> str:
    """Return PQ or HLG where a profile is of such a space, by its code points or its name."""
    tags = _tags(icc)
    points = tags.get(b"cicp", b"")
    if len(points) >= 12 and points[9] in (16, 18):
        return "PQ" if points[9] == 16 else "HLG"
    text = tags.get(b"desc", b"")[:400]
    for plain in (text.decode("latin-1"), text[text[:1] == b"m" :].decode("utf-16-be", "replace")):
        if _HDR_NAMES.search(plain):
            return "HLG" if "HLG" in plain else "PQ"
    return ""


def made(primaries: tuple[Point, Point, Point], white: Point, curve: Curve) -> bytes:
    """Return a matrix profile.

    Args:
        primaries: x and y of red, green and blue (CIE 1931).
        white: x and y of white.
        curve: from values to light, both 0..1.

    Raises:
        ValueError: no colours can be mixed of these.

    """
    corners = np.stack([_from_xy(point) for point in primaries], axis=1)
    light = _from_xy(white)
    try:
        columns = corners * np.linalg.solve(corners, light)
    except np.linalg.LinAlgError as error:
        raise ValueError("the primaries lie on a line") from error
    cones = (_BRADFORD @ _D50) / (_BRADFORD @ light)
    columns = np.linalg.inv(_BRADFORD) @ np.diag(cones) @ _BRADFORD @ columns
    if not np.isfinite(columns).all() or np.abs(columns).max() > 4:
        raise ValueError("the primaries are absurd")
    tags = {name: _pack_xyz(columns[:, i]) for i, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _pack_curve(curve))
    return _pack(b"RGB ", tags)


def made_gray(curve: Curve) -> bytes:
    """Return a gray profile with a curve from values to light, both 0..1."""
    return _pack(b"GRAY", {b"kTRC": _pack_curve(curve)})


def _from_xy(point: Point) -> Doubles:
    x, y = point
    if not 0 < y <= 1 or not 0 <= x <= 1:
        raise ValueError("the primaries are absurd")
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _pack_xyz(values: Doubles) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


def _pack_curve(curve: Curve) -> bytes:
    table = np.rint(np.clip(curve(np.linspace(0, 1, _STEPS)), 0, 1) * 65535).astype(">u2")
    return b"curv\0\0\0\0" + struct.pack(">I", _STEPS) + table.tobytes()


def _pack(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    tags = tags | {b"wtpt": _pack_xyz(_D50), b"cprt": b"text\0\0\0\0none\0\0\0\0"}
    start = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, value in tags.items():
        table += struct.pack(">4sII", name, start + len(body), len(value))
        body += value
    size = start + len(body)
    head = struct.pack(">I4xI4s4s4s", size, 0x02400000, b"mntr", space, b"XYZ ")
    head += struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    return head + _pack_xyz(_D50)[8:] + bytes(48) + table + body


def _tags(icc: bytes) -> dict[bytes, bytes]:
    """Return the tag table of a profile (ICC.1:2010, 7.3)."""
    if len(icc) < 132:
        return {}
    count = min(struct.unpack_from(">I", icc, 128)[0], (len(icc) - 132) // 12, 200)
    rows = (struct.unpack_from(">4sII", icc, 132 + 12 * row) for row in range(count))
    return {name: icc[start : start + size] for name, start, size in rows}


def _xyz(tag: bytes) -> Doubles:
    if tag[:4] != b"XYZ ":
        raise ValueError("not an XYZ value")
    return np.array(struct.unpack_from(">3i", tag, 8)) / 65536


def _curve(tag: bytes) -> Curve:
    """Return the tone curve of a `curv` or `para` tag (ICC.1:2010, 10.5 and 10.15)."""
    if tag[:4] == b"curv":
        count = struct.unpack_from(">I", tag, 8)[0]
        table = np.frombuffer(tag, ">u2", count, 12).astype(np.float64)
        if count == 0:
            return lambda x: x
        if count == 1:
            return lambda x: x ** (table[0] / 256)
        return lambda x: np.interp(x, np.linspace(0, 1, count), table / 65535)
    if tag[:4] != b"para":
        raise ValueError("unknown curve")
    kind = struct.unpack_from(">H", tag, 8)[0]
    number = {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}[kind]
    values = [n / 65536 for n in struct.unpack_from(f">{number}i", tag, 12)]
    g, a, b, c, d, e, f = (values + [1.0, 0.0, 0.0, -1.0, 0.0, 0.0][number - 1 :])[:7]
    if kind in (1, 2):  # below −b/a: nothing, or the offset c
        if a == 0:
            raise ValueError("a curve without a slope")
        e, f = (c if kind == 2 else 0.0,) * 2
        c, d = 0.0, -b / a
    return lambda x: np.where(x >= d, np.maximum(a * x + b, 0) ** g + e, c * x + f)
