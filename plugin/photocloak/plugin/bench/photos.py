"""Photos of any size with any number of faces, made of the portrait that ships."""

import io
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from photocloak.core import manifest_root
from photocloak.engine.detection.alignment import Image

PORTRAIT = manifest_root() / "demo" / "astronaut.png"
"""NASA's of Eileen Collins, in the public domain; one face."""

QUALITY = 92


def photo(megapixels: float, faces: int) -> Image:
    """Return a 3:2 photo, (H, W, 3) uint8: portraits side by side, mirrored every second.

    Around them there is texture like a photo's, because flat colour would decode, encode and be
    searched faster than any photo. A portrait fills two thirds of the height, or what fits.
    """
    height = round((megapixels * 1e6 / 1.5) ** 0.5)
    width = round(height * 1.5)
    canvas = _texture(height, width)
    edge = min(round(height * 2 / 3), width // faces)
    with Pillow.open(PORTRAIT) as opened:
        portrait = opened.convert("RGB").resize((edge, edge), Pillow.Resampling.LANCZOS)
    pasted = np.asarray(portrait)
    for number in range(faces):
        left = round((number + 0.5) * width / faces - edge / 2)
        top = (height - edge) // 2
        canvas[top : top + edge, left : left + edge] = pasted[:, :: -1 if number % 2 else 1]
    return canvas


def write(megapixels: float, faces: int, folder: Path) -> Path:
    """Write such a photo into `folder` as a JPEG, and return its path."""
    path = folder / f"{megapixels:g}-megapixels-{faces}-faces.jpg"
    buffer = io.BytesIO()
    Pillow.fromarray(photo(megapixels, faces)).save(buffer, "JPEG", quality=QUALITY)
    path.write_bytes(buffer.getvalue())
    return path


def _texture(height: int, width: int) -> Image:
    """Return clouds of all sizes, as grey as a wall: a sum of enlarged noise."""
    rng = np.random.default_rng(0)
    total = np.full((height, width), 128, np.int16)
    for size in (8, 64, 512):
        coarse = rng.integers(-16, 17, (max(height // size, 2), max(width // size, 2)))
        cloud = Pillow.fromarray((coarse + 128).astype(np.uint8))
        total += np.asarray(cloud.resize((width, height), Pillow.Resampling.BICUBIC), np.int16)
        total -= 128
    return np.repeat(np.clip(total, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
