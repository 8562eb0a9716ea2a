"""A change of luma that brings no grey: colour goes with it, as with more or less light.

    y = x + s(x) · d,   s_c = (x_c + T) / (Y + T)

with Y the luma, d the change of it and T the foot of sRGB, from which linear light is scaled: red,
green and blue keep their ratios. When all three got the same d, judges saw greyish patches on skin.
"""

from dataclasses import dataclass

import numpy as np

from photocloak.engine.edits.fields import LUMA, luma
from photocloak.engine.geometry import Array

TOE = np.float32(255 * 0.055)
"""sRGB is 1.055 l^(1/2.4) − .055 (IEC 61966-2-1): multiplied light is scaled from here."""


@dataclass(frozen=True)
class Tone:
    """How a change of luma is shared out to the channels of one picture.

    Attributes:
        grey: Y + T, (H, W).
        shares: s, (3, H, W).

    """

    grey: Array
    shares: Array

    @classmethod
    def of(cls, planes: Array) -> "Tone":
        """Prepare (3, H, W) planes, 0..255, of which none is below −T."""
        grey = np.maximum(luma(planes) + TOE, 1)
        return cls(grey, (planes + TOE) / grey)

    def pull(self, gradient: Array) -> Array:
        """Return the gradient with respect to d, (H, W), for that of y."""
        return np.asarray((gradient * self.shares).sum(axis=0), np.float32)

    def through(self, change: Array, gradient: Array) -> Array:
        """Return the gradient with respect to x, (3, H, W), d = `change` staying as it is."""
        part = change / self.grey
        by_luma = part * self.pull(gradient)
        return np.asarray(gradient * (1 + part) - LUMA[:, None, None] * by_luma, np.float32)


def shares_of(pixels: Array, grey: Array) -> Array:
    """Return s of (h, w, 3) pixels whose luma is `grey`, (h, w)."""
    return np.asarray((pixels + TOE) / np.maximum(grey + TOE, 1)[..., None], np.float32)
