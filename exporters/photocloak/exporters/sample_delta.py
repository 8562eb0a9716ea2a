"""From the cloak, which is upright sRGB, to a change of the file's own samples."""

from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from photocloak.exporters.colour.conversion import Colours, Floats
from photocloak.exporters.metadata.orientation import stored, upright
from photocloak.exporters.model import Image, Raster


@dataclass(frozen=True)
class Patch:
    """A change to a rectangle of a picture, in its stored orientation.

    Attributes:
        top: first row.
        left: first column.
        delta: (h, w, C) float32, in units of 8-bit samples; the colour channels only.

    """

    top: int
    left: int
    delta: Floats

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the rectangle."""
        height, width = self.delta.shape[:2]
        return slice(self.top, self.top + height), slice(self.left, self.left + width)

    @property
    def touched(self) -> NDArray[np.bool_]:
        """(h, w): which pixels change."""
        return _any_channel(self.delta != 0)


def _any_channel(where: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return whether it is so in any channel; along so short an axis, `any` takes ten times."""
    return reduce(np.logical_or, np.moveaxis(where, -1, 0))


def colours_of(raster: Raster) -> Colours:
    """Return the colours a raster is in, without its alpha."""
    return Colours(raster.mode.removesuffix("A"), raster.icc)


def upright_srgb(raster: Raster) -> Image:
    """Return what a raster shows: (H, W, 3) sRGB; alpha is left out, since hidden is not gone."""
    samples = raster.samples[..., : raster.colours]
    return np.ascontiguousarray(upright(colours_of(raster).to_srgb(samples), raster.orientation))


def patch(raster: Raster, base: Image, cloaked: Image) -> Patch | None:
    """Return the cloak as a change of the raster; None where nothing changes.

    Args:
        raster: what the file holds.
        base: (H, W, 3) upright sRGB before the cloak.
        cloaked: the same after it.

    """
    before, after = stored(base, raster.orientation), stored(cloaked, raster.orientation)
    window = _changed(before, after)
    if window is None:
        return None
    changed = _any_channel(before[window] != after[window])
    samples = raster.samples[window][..., : raster.colours]
    delta = colours_of(raster).delta(samples, before[window], after[window])
    delta *= changed[..., None]
    return Patch(window[0].start, window[1].start, delta)


def _changed(before: Image, after: Image) -> tuple[slice, slice] | None:
    """Return the rectangle in which two pictures differ; None: nowhere."""
    height, width = before.shape[:2]
    rows, columns = np.zeros(height, bool), np.zeros(width, bool)
    for top in range(0, height, 256):  # in stripes: the whole of a large photo is heavy
        stripe = slice(top, top + 256)
        differs = before[stripe] != after[stripe]
        rows[stripe] = differs.any(axis=(1, 2))
        columns |= _any_channel(differs.any(axis=0))
    if not rows.any():
        return None
    y, x = np.flatnonzero(rows), np.flatnonzero(columns)
    return slice(int(y[0]), int(y[-1]) + 1), slice(int(x[0]), int(x[-1]) + 1)


def patched(raster: Raster, change: Patch | None) -> Raster:
    """Return the raster with a patch added; samples outside of it are the very same."""
    if change is None:
        return raster
    samples = raster.samples.copy()
    peak, scale = (255, 1) if samples.dtype == np.uint8 else (65535, 257)
    view = samples[change.window][..., : raster.colours]
    total = np.rint(view + change.delta * np.float32(scale))
    view[...] = np.clip(total, 0, peak).astype(samples.dtype)
    return replace(raster, samples=samples)
