"""What happens to a cloaked photo on its way to a stranger."""

import io
from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image as Pillow
from PIL import ImageFilter

from photocloak.engine.detection.alignment import Image

PLATFORM = 1080
"""Longest side in pixels that a platform leaves a photo."""


def as_it_is(image: Image) -> Image:
    """Return the photo as it was written."""
    return image


def jpeg(image: Image, quality: int) -> Image:
    """Return the photo after a JPEG of this quality, colours at half resolution."""
    buffer = io.BytesIO()
    Pillow.fromarray(image).save(buffer, "JPEG", quality=quality)
    return np.asarray(Pillow.open(buffer))


def platform(image: Image) -> Image:
    """Return the photo as a platform shows it: at most `PLATFORM` pixels, JPEG 80."""
    picture = Pillow.fromarray(image)
    if max(picture.size) > PLATFORM:
        picture.thumbnail((PLATFORM, PLATFORM), Pillow.Resampling.LANCZOS)
    return jpeg(np.asarray(picture), 80)


def blur(image: Image) -> Image:
    """Return the photo after a Gaussian blur of σ = 1 pixel."""
    return np.asarray(Pillow.fromarray(image).filter(ImageFilter.GaussianBlur(1)))


TREATMENTS: Mapping[str, Callable[[Image], Image]] = {
    "cloaked": as_it_is,
    "JPEG 75": lambda image: jpeg(image, 75),
    "1080 px, JPEG 80": platform,
    "blur σ 1": blur,
}
