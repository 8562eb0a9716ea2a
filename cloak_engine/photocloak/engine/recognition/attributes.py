"""Apparent age, sex and skin tone of a face, for matching a target; held in memory only.

Age and sex come from the two further heads of HSE MobileNet (Savchenko 2019), skin tone from the
pixels of cheeks and forehead as the individual typology angle (Chardon et al. 1991). They say how
a face looks to software, not who somebody is; matching can be switched off.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from photocloak.engine.detection.alignment import ARCFACE, Image, chip
from photocloak.engine.detection.faces import Face
from photocloak.engine.geometry import Array

PATCHES = ((30, 66, 42, 78), (70, 66, 82, 78), (46, 26, 66, 36))
"""Left cheek, right cheek, forehead on the 112-px template: x0, y0, x1, y1."""


@dataclass(frozen=True)
class Attributes:
    """How a face looks.

    Attributes:
        age: apparent years.
        sex: 0 (female) to 1 (male), as the head's sigmoid gives it.
        skin: individual typology angle in degrees, about −60 (dark) to 70 (light).

    """

    age: float
    sex: float
    skin: float

    def distance(self, other: "Attributes") -> float:
        """Return how unlike two faces look; 1 is a difference most people would notice."""
        return (
            2.0 * abs(self.sex - other.sex)
            + abs(self.age - other.age) / 15
            + abs(self.skin - other.skin) / 25
        )


def average(looks: Sequence[Attributes]) -> Attributes | None:
    """Return how a person looks, from how photos of them do; None: there are none."""
    if not looks:
        return None
    values = np.mean([(one.age, one.sex, one.skin) for one in looks], axis=0)
    return Attributes(*map(float, values))


class AgeSexHead(Protocol):
    """Maps (N, 1024) features of HSE MobileNet to apparent age and sex."""

    def __call__(self, features: Array, /) -> tuple[Array, Array]:
        """Return ages in years and sexes 0..1, (N,) float32 each."""
        ...


def skin_tone(image: Image, face: Face) -> float:
    """Return the individual typology angle of the face's skin in degrees."""
    crop = chip(image, face, ARCFACE, 112) / 255
    pixels = np.concatenate([crop[y0:y1, x0:x1].reshape(-1, 3) for x0, y0, x1, y1 in PATCHES])
    # The median; NumPy's own brings its masked arrays along, a fiftieth of a start.
    ascending, last = np.sort(_lab(pixels), axis=0), len(pixels) - 1
    lightness, _, yellow = (ascending[last // 2] + ascending[(last + 1) // 2]) / 2
    return float(np.degrees(np.arctan2(lightness - 50, max(float(yellow), 1.0))))


def _lab(rgb: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return CIE L*a*b* (D65) of (N, 3) sRGB in 0..1 (IEC 61966-2-1)."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = linear @ np.array(
        [[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192], [0.1805, 0.0722, 0.9505]]
    )
    t = xyz / np.array([0.9505, 1.0, 1.089])
    f = np.where(t > 0.008856, np.cbrt(t), t / 0.128419 + 4 / 29)
    return np.stack(
        [116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1
    )
