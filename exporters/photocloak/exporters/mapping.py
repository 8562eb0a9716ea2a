"""From the cloak, which is upright sRGB, to a change of the file's own samples."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from photocloak.exporters.colour import Colours, Floats
from photocloak.exporters.model import Image, Raster
from photocloak.exporters.orientation import stored, upright


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
        return np.asarray(np.any(self.delta != 0, axis=2))


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
    changed = np.any(before != after, axis=2)
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    if rows.size == 0:
        return None
    window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    samples = raster.samples[window][..., : raster.colours]
    delta = colours_of(raster).delta(samples, before[window], after[window])
    return Patch(int(rows[0]), int(columns[0]), delta * changed[window][..., None])


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
