"""Colours as they are seen: luma and chroma, and how far apart two look (CIEDE2000)."""

import numpy as np
from numpy.typing import NDArray

from photocloak.engine.detection.alignment import Image

YCBCR = np.array(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32
)
"""Luma and chroma of RGB (ITU-T T.871, JFIF)."""

Lab = tuple[NDArray[np.float64], ...]


def ciede2000(a: Image, b: Image) -> NDArray[np.float64]:
    """Return ΔE₀₀, (H, W), of two (H, W, 3) uint8 sRGB pictures; 1 is about just noticeable."""
    return difference(_lab(a), _lab(b))


def difference(one: Lab, other: Lab) -> NDArray[np.float64]:
    """Return ΔE₀₀ of colours given as L*, a*, b* (Sharma, Wu and Dalal 2005)."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    c = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    g = 0.5 * (1 - np.sqrt(c**7 / (c**7 + 25.0**7)))
    a1, a2 = (1 + g) * a1, (1 + g) * a2
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.arctan2(b1, a1) % (2 * np.pi), np.arctan2(b2, a2) % (2 * np.pi)
    dh = (h2 - h1 + np.pi) % (2 * np.pi) - np.pi
    dh = np.where(c1 * c2 == 0, 0, dh)
    lm, cm = (l1 + l2) / 2, (c1 + c2) / 2
    hm = (h1 + dh / 2) % (2 * np.pi)
    t = 1 - 0.17 * np.cos(hm - np.pi / 6) + 0.24 * np.cos(2 * hm)
    t += 0.32 * np.cos(3 * hm + np.pi / 30) - 0.2 * np.cos(4 * hm - np.radians(63))
    sl = 1 + 0.015 * (lm - 50) ** 2 / np.sqrt(20 + (lm - 50) ** 2)
    sc, sh = 1 + 0.045 * cm, 1 + 0.015 * cm * t
    turn = np.radians(30) * np.exp(-(((np.degrees(hm) - 275) / 25) ** 2))
    rt = -np.sin(2 * turn) * 2 * np.sqrt(cm**7 / (cm**7 + 25.0**7))
    tl, tc = (l2 - l1) / sl, (c2 - c1) / sc
    th = 2 * np.sqrt(c1 * c2) * np.sin(dh / 2) / sh
    return np.asarray(np.sqrt(np.maximum(tl**2 + tc**2 + th**2 + rt * tc * th, 0)))


def _lab(image: Image) -> Lab:
    v = image / 255
    light = np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)
    m = [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
    xyz = light @ np.array(m).T / [0.95047, 1.0, 1.08883]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return 116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])
