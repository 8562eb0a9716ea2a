"""What a photo's numbers mean: its colours, from every sign that a file may hold of them.

The signs are asked in one order for all formats: an ICC profile; code points (ITU-T H.273: nclx
in HEIF, cICP in PNG, where they go first); PNG's sRGB; PNG's gAMA and cHRM; EXIF's ColorSpace
and DCF's R03, which is Adobe RGB. A photo without any is sRGB. What they say becomes an ICC
profile; it is used, never written.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from photocloak.core import InputError
from photocloak.exporters.colour import icc
from photocloak.exporters.colour.icc import Curve, Doubles, Point
from photocloak.exporters.containers.ifd import Tiff

UNSPECIFIED = 2
HDR = {16: "PQ", 18: "HLG"}
_D65, _C, _E, _DCI = (0.3127, 0.3290), (0.310, 0.316), (1 / 3, 1 / 3), (0.314, 0.351)
_SMPTE = ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070))
_P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
_BT709 = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
_ADOBE = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
# H.273 table 2: red, green and blue; white
_PRIMARIES: dict[int, tuple[tuple[Point, Point, Point], Point]] = {
    1: (_BT709, _D65),
    4: (((0.67, 0.33), (0.21, 0.71), (0.14, 0.08)), _C),
    5: (((0.64, 0.33), (0.29, 0.60), (0.15, 0.06)), _D65),
    6: (_SMPTE, _D65),
    7: (_SMPTE, _D65),
    8: (((0.681, 0.319), (0.243, 0.692), (0.145, 0.049)), _C),
    9: (((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)), _D65),
    11: (_P3, _DCI),
    12: (_P3, _D65),
    22: (((0.630, 0.340), (0.295, 0.605), (0.155, 0.077)), _D65),
}
_COLOR_SPACE, _INTEROP_INDEX, _GAMMA = 0xA001, 0x0001, 0xA500
_WHITE_POINT, _CHROMATICITIES = 0x013E, 0x013F
_SRGB, _ADOBE_RGB, _UNCALIBRATED = 1, 2, 0xFFFF


def _power(exponent: float) -> Curve:
    return lambda value: value**exponent


def _video(value: Doubles) -> Doubles:
    """Undo the curve of BT.709, BT.601 and BT.2020, as H.273 defines it."""
    high = ((np.maximum(value, 0) + 0.099296826809) / 1.099296826809) ** (1 / 0.45)
    return np.where(value < 0.0812428582986, value / 4.5, high)


def _smpte240(value: Doubles) -> Doubles:
    high = ((np.maximum(value, 0) + 0.1115) / 1.1115) ** (1 / 0.45)
    return np.where(value < 0.0912, value / 4, high)


def _logarithmic(decades: float) -> Curve:
    return lambda value: np.where(value > 0, 10 ** ((value - 1) * decades), 0)


# H.273 table 3
_CURVES: dict[int, Curve] = {
    **dict.fromkeys((1, 6, 11, 12, 14, 15), _video),
    4: _power(2.2),
    5: _power(2.8),
    7: _smpte240,
    8: _power(1.0),
    9: _logarithmic(2.0),
    10: _logarithmic(2.5),
    13: icc.srgb_light,
    17: lambda value: np.minimum(value**2.6 * 52.37 / 48, 1),
}


@dataclass(frozen=True)
class Points:
    """Code points (ITU-T H.273).

    Attributes:
        primaries: table 2.
        transfer: table 3.
        full: whether the numbers go from 0 to 255; once decoded from YCbCr they always do.

    """

    primaries: int
    transfer: int
    full: bool = True


@dataclass(frozen=True)
class Signs:
    """What a file says of its colours; what it does not say is None or empty.

    Attributes:
        icc: profile.
        points: nclx or cICP.
        points_first: whether these go before the profile, as in PNG.
        srgb: whether it says to be sRGB, as PNG's chunk does.
        gamma: from light to numbers, such as 0.45455.
        chromaticities: x and y of white, red, green and blue.
        exif: block from its byte order mark.

    """

    icc: bytes | None = None
    points: Points | None = None
    points_first: bool = False
    srgb: bool = False
    gamma: float | None = None
    chromaticities: tuple[float, ...] | None = None
    exif: bytes = b""


def profile(signs: Signs, mode: str, name: str) -> bytes | None:
    """Return what the numbers of a photo mean, as a profile; None: sRGB, or plain inks.

    Args:
        signs: what its file says.
        mode: L, RGB or CMYK, the mode without its alpha.
        name: what messages call the file.

    Raises:
        InputError: it is HDR.

    """
    hdr = HDR.get(signs.points.transfer, "") if signs.points else ""
    hdr = hdr or (icc.hdr_of(signs.icc) if signs.icc else "")
    if hdr:
        raise InputError(
            f"{name}: this is an HDR picture ({hdr}), whose faces cannot be judged as others see "
            "them; export it in standard dynamic range first."
        )
    ask: list[Callable[[Signs, str], bytes | None]] = [_of_profile, _of_points]
    if signs.points_first:
        ask.reverse()
    for one in (*ask, _of_srgb, _of_gamma, _of_exif):
        found = one(signs, mode)
        if found is not None:
            return found or None
    return None


# Each returns a profile, empty for sRGB, or None where its sign is not there or says nothing.


def _of_profile(signs: Signs, mode: str) -> bytes | None:
    fits = signs.icc is not None and icc.transform(mode, signs.icc) is not None
    return signs.icc if fits else None


def _of_points(signs: Signs, mode: str) -> bytes | None:
    points = signs.points
    if points is None or mode == "CMYK":
        return None
    known = points.primaries in _PRIMARIES, points.transfer in _CURVES
    if not any(known) and points.full:
        return None
    primaries = points.primaries if known[0] else 1
    transfer = points.transfer if known[1] else 13
    return _made(mode, *_PRIMARIES[primaries], transfer=transfer, full=points.full)


def _of_srgb(signs: Signs, _mode: str) -> bytes | None:
    return b"" if signs.srgb else None


def _of_gamma(signs: Signs, mode: str) -> bytes | None:
    gamma = signs.gamma if signs.gamma and 0.05 < signs.gamma < 20 else None
    if (gamma is None and signs.chromaticities is None) or mode == "CMYK":
        return None
    return _of_light(mode, signs.chromaticities, 1 / gamma if gamma else None)


def _of_light(
    mode: str, chromaticities: tuple[float, ...] | None, exponent: float | None
) -> bytes | None:
    """Return the profile of white, red, green and blue points and a power; sRGB's if None."""
    white, primaries = _D65, _BT709
    if chromaticities is not None and len(chromaticities) == 8:
        pairs = list(zip(chromaticities[::2], chromaticities[1::2], strict=True))
        white, primaries = pairs[0], (pairs[1], pairs[2], pairs[3])
    try:
        return _made(mode, primaries, white, exponent=exponent)
    except ValueError:
        return None


def _of_exif(signs: Signs, mode: str) -> bytes | None:
    try:
        tiff = Tiff(signs.exif)
    except ValueError:
        return None
    space = tiff.number(tiff.directory("Exif"), _COLOR_SPACE)
    index = tiff.text(tiff.directory("Interop"), _INTEROP_INDEX)
    if space == _SRGB or mode == "CMYK":
        return b""
    if space == _ADOBE_RGB or (index == "R03" and space in (0, _UNCALIBRATED)):
        return _made(mode, _ADOBE, _D65, exponent=563 / 256)
    if space != _UNCALIBRATED or index == "R98":
        return None
    white, primaries = (_rationals(tiff, "IFD0", tag) for tag in (_WHITE_POINT, _CHROMATICITIES))
    gamma = _rationals(tiff, "Exif", _GAMMA)
    exponent = gamma[0] if gamma and 1 <= gamma[0] <= 3 else 2.2
    stated = (*white, *primaries)
    return _of_light(mode, stated, exponent) if len(stated) == 8 else None


def _rationals(tiff: Tiff, directory: str, tag: int) -> tuple[float, ...]:
    found = tiff.directory(directory)
    entry = found.entries.get(tag) if found else None
    if entry is None or entry.kind != 5 or entry.count > 8:
        return ()
    numbers = struct.unpack(f"{tiff.order}{2 * entry.count}I", tiff.raw(entry))
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    return tuple(above / below if below else 0.0 for above, below in pairs)


@lru_cache(maxsize=32)
def _made(
    mode: str,
    primaries: tuple[Point, Point, Point],
    white: Point,
    *,
    transfer: int = 13,
    exponent: float | None = None,
    full: bool = True,
) -> bytes:
    """Return a profile, empty for sRGB."""
    if primaries == _BT709 and white == _D65 and transfer == 13 and exponent is None and full:
        return b""
    light = _CURVES[transfer] if exponent is None else _power(exponent)

    def curve(value: Doubles) -> Doubles:
        within = value if full else np.clip((value * 255 - 16) / 219, 0, 1)
        return light(within)

    return icc.made_gray(curve) if mode == "L" else icc.made(primaries, white, curve)
