"""Between a file's own colours and sRGB: for analysis one way, for the cloak's δ the other.

Profiles go through lcms2 (Pillow), which takes 8 bits. The δ of matrix profiles (Display P3,
Adobe RGB, …) is mapped in floating point instead, since rounding twice would add as much noise
as a weak cloak has signal.
"""

import io
import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageCms

from photocloak.exporters.model import Image, Samples

Floats = NDArray[np.float32]
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as JPEG and Pillow have it

_SRGB_TO_XYZ_D50 = np.array(  # IEC 61966-2-1 adapted to D50 with Bradford, as in ICC profiles
    [
        [0.4360747, 0.3850649, 0.1430804],
        [0.2225045, 0.7168786, 0.0606169],
        [0.0139322, 0.0971045, 0.7141733],
    ]
)


class Colours:
    """The colours of a file.

    Args:
        mode: L, RGB or CMYK, the mode without its alpha.
        icc: the profile; None or one that does not fit the mode: sRGB, its gray, plain inks.

    """

    def __init__(self, mode: str, icc: bytes | None) -> None:
        self.mode = mode
        self._transform = _transform(mode, icc) if icc else None
        self._inverse = _matrix_inverse(icc) if icc and self._transform and mode == "RGB" else None

    @property
    def plain(self) -> bool:
        """Whether RGB or gray values are sRGB as they stand."""
        return self._transform is None and self.mode != "CMYK"

    def to_srgb(self, samples: Samples) -> Image:
        """Return (H, W, 3) sRGB of (H, W, C) samples of 8 or 16 bits."""
        eight = to_eight(samples)
        if self.plain:
            return eight if self.mode == "RGB" else np.repeat(eight, 3, axis=2)
        flat = eight[..., 0] if self.mode == "L" else eight
        picture = Pillow.fromarray(np.ascontiguousarray(flat), self._pillow_mode)
        if self._transform is None:
            return np.asarray(picture.convert("RGB"))
        return np.asarray(ImageCms.applyTransform(picture, self._transform))

    @property
    def _pillow_mode(self) -> str:
        return self.mode

    def delta(self, samples: Samples, base: Image, cloaked: Image) -> Floats:
        """Return what to add to 8-bit samples, so that they show `cloaked` instead of `base`.

        Args:
            samples: (H, W, C) of the file.
            base: (H, W, 3) sRGB, what the samples show.
            cloaked: (H, W, 3) sRGB, what they should show.

        """
        wanted = np.subtract(cloaked, base, dtype=np.float32)
        if self.plain and self.mode == "RGB":
            return wanted
        if self.plain:
            return np.asarray(wanted @ LUMA, np.float32)[..., None]
        if self._inverse is not None:
            return np.subtract(self._inverse(cloaked), self._inverse(base))
        return self._search(to_eight(samples).astype(np.float32), base, wanted)

    def _search(self, samples: Floats, base: Image, wanted: Floats) -> Floats:
        """Invert a transform that has no closed form: step, look, correct. Inks: K stays."""
        if self.mode == "CMYK":
            black = 255 - samples[..., 3:]
            gain = -255 / np.maximum(black, 32)
        else:
            gain = np.ones_like(samples[..., :1])
        total = np.zeros_like(samples)
        missing: Floats = wanted
        for _ in range(4):
            if self.mode == "L":
                total[..., 0] += missing @ LUMA
            else:
                total[..., :3] += 0.8 * gain * missing
            shown = self.to_srgb(np.clip(np.rint(samples + total), 0, 255).astype(np.uint8))
            missing = (base + wanted - shown).astype(np.float32)
        touched = np.any(wanted != 0, axis=2, keepdims=True)
        return np.where(touched, total, np.float32(0))


def to_eight(samples: Samples) -> Image:
    """Return samples of 8 or 16 bits as 8 bits, rounded."""
    if samples.dtype == np.uint8:
        return samples.astype(np.uint8, copy=False)
    return ((samples.astype(np.uint32) + 128) // 257).astype(np.uint8)


@lru_cache(maxsize=1)
def srgb_profile() -> bytes:
    """Return an sRGB profile, without the hour at which it was made."""
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    date = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    return made[:24] + date + made[36:]


@lru_cache(maxsize=8)
def _transform(mode: str, icc: bytes) -> Any | None:
    """Return lcms's transform to sRGB; None where the profile does not fit or is sRGB itself."""
    space = {"L": b"GRAY", "RGB": b"RGB ", "CMYK": b"CMYK"}[mode]
    if icc[16:20] != space:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        transform = ImageCms.buildTransform(
            profile,
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
    if mode == "RGB":
        steps = np.linspace(0, 255, 9).round().astype(np.uint8)
        grid = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(27, 27, 3)
        seen = np.asarray(ImageCms.applyTransform(Pillow.fromarray(grid), transform))
        if np.abs(seen.astype(int) - grid).max() <= 2:
            return None
    return transform


def _matrix_inverse(icc: bytes) -> Callable[[Image], Floats] | None:
    """Return a map from sRGB to the profile's own values, 0..255; None for a table profile."""
    tags = _tags(icc)
    if b"A2B0" in tags or icc[20:24] != b"XYZ ":
        return None
    try:
        columns = [_xyz(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
        curves = [_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")]
        matrix = np.linalg.inv(np.stack(columns, axis=1)) @ _SRGB_TO_XYZ_D50
    except (KeyError, ValueError, struct.error, np.linalg.LinAlgError):
        return None
    steps = np.linspace(0, 1, 4096)
    inverses = [np.maximum.accumulate(curve(steps)) for curve in curves]
    light = _srgb_light(np.arange(256) / 255)

    def inverse(image: Image) -> Floats:
        linear = light[image] @ matrix.T
        own = [np.interp(linear[..., i], inverses[i], steps * 255) for i in range(3)]
        return np.stack(own, axis=-1).astype(np.float32)

    return inverse


def _srgb_light(value: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _tags(icc: bytes) -> dict[bytes, bytes]:
    """Return the tag table of a profile (ICC.1:2010, 7.3)."""
    if len(icc) < 132:
        return {}
    count = min(struct.unpack_from(">I", icc, 128)[0], (len(icc) - 132) // 12, 200)
    rows = (struct.unpack_from(">4sII", icc, 132 + 12 * row) for row in range(count))
    return {name: icc[start : start + size] for name, start, size in rows}


def _xyz(tag: bytes) -> NDArray[np.float64]:
    if tag[:4] != b"XYZ ":
        raise ValueError("not an XYZ value")
    return np.array(struct.unpack_from(">3i", tag, 8)) / 65536


def _curve(tag: bytes) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
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
        e, f = (c if kind == 2 else 0.0,) * 2
        c, d = 0.0, -b / a
    return lambda x: np.where(x >= d, np.maximum(a * x + b, 0) ** g + e, c * x + f)
