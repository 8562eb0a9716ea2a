"""Between a file's own colours and sRGB: for analysis one way, for the cloak's δ the other.

What the numbers mean is a profile (`signs`). Profiles go through lcms2 (Pillow), which takes 8
bits. 16 bits and the δ of matrix profiles (Display P3, Adobe RGB, …) are mapped in floating point
instead: linear light in 8 bits has no shadows, and rounding twice would add as much noise as a
weak cloak has signal.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageCms

from photocloak.exporters.colour.icc import (
    Model,
    is_srgb,
    model,
    srgb_light,
    srgb_value,
    transform,
)
from photocloak.exporters.model import Image, Samples

Floats = NDArray[np.float32]
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as JPEG and Pillow have it


class Colours:
    """The colours of a file.

    Args:
        mode: L, RGB or CMYK, the mode without its alpha.
        icc: the profile; None or one that does not fit the mode: sRGB, its gray, plain inks.

    """

    def __init__(self, mode: str, icc: bytes | None) -> None:
        self.mode = mode
        own = icc is not None and not is_srgb(mode, icc)
        self._transform = transform(mode, icc) if icc and own else None
        self._model = model(icc) if icc and self._transform else None

    @property
    def plain(self) -> bool:
        """Whether RGB or gray values are sRGB as they stand."""
        return self._transform is None and self.mode != "CMYK"

    def to_srgb(self, samples: Samples) -> Image:
        """Return (H, W, 3) sRGB of (H, W, C) samples of 8 or 16 bits."""
        if self._model is not None and samples.dtype == np.uint16:
            return _shown(self._model, samples)
        eight = to_eight(samples)
        if self.plain:
            return eight if self.mode == "RGB" else np.repeat(eight, 3, axis=2)
        flat = eight[..., 0] if self.mode == "L" else eight
        picture = Pillow.fromarray(np.ascontiguousarray(flat), self.mode)
        if self._transform is None:
            return np.asarray(picture.convert("RGB"))
        return np.asarray(ImageCms.applyTransform(picture, self._transform))

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
        if self._model is not None:
            return np.subtract(_own(self._model, cloaked), _own(self._model, base))
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


def _shown(model: Model, samples: Samples) -> Image:
    """Return (H, W, 3) sRGB of samples of 16 bits, in stripes to spare memory."""
    steps = np.linspace(0, 1, 65536)
    lights = [curve(steps).astype(np.float32) for curve in model.curves]
    values = np.rint(srgb_value(steps) * 255).astype(np.uint8)
    shown = np.empty((*samples.shape[:2], 3), np.uint8)
    for top in range(0, len(samples), 256):
        stripe = samples[top : top + 256]
        light = np.stack([one[stripe[..., i]] for i, one in enumerate(lights)], axis=-1)
        if model.matrix is not None:
            light = light @ model.matrix.T.astype(np.float32)
        shown[top : top + 256] = values[np.rint(np.clip(light, 0, 1) * 65535).astype(np.uint16)]
    return shown


def _own(model: Model, image: Image) -> Floats:
    """Return the profile's own values, 0..255, of (H, W, 3) sRGB; (H, W, 1) for gray."""
    steps = np.linspace(0, 1, 4096)
    inverses = [np.maximum.accumulate(curve(steps)) for curve in model.curves]
    light = srgb_light(np.arange(256) / 255)
    if model.matrix is None:
        linear = srgb_light(image @ LUMA.astype(np.float64) / 255)[..., None]
    else:
        linear = light[image] @ np.linalg.inv(model.matrix).T
    own = []
    for i, one in enumerate(inverses):
        used = slice(0, int(one.argmax()) + 1)  # what lies above white is white as well
        own.append(np.interp(linear[..., i], one[used], steps[used] * 255))
    return np.stack(own, axis=-1).astype(np.float32)
