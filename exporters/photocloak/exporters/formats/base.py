"""What a format is, and what all of them share."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from photocloak.core import InputError
from photocloak.exporters.model import Image, Photo, Raster

if TYPE_CHECKING:
    from photocloak.exporters.leaks.ledger import Ledger

MAX_BYTES = 1 << 30
"""Of a file; larger ones are not read."""

MAX_PIXELS = 250_000_000


@dataclass(frozen=True)
class RenderedImage:
    """A picture to be written as a new file: what publishing presets make.

    Attributes:
        pixels: (H, W, 3) sRGB, upright.
        icc: profile to embed, or None.
        exif: EXIF block from its byte order mark, or empty.
        xmp: packet, or empty.
        quality: 1 to 100, where the format has one.
        subsampling: 4:4:4 or 4:2:0, where the format has it.

    """

    pixels: Image
    icc: bytes | None
    exif: bytes
    xmp: bytes
    quality: int
    subsampling: str


@dataclass(frozen=True)
class Draft:
    """A file that has not been checked yet.

    Attributes:
        data: the bytes.
        notes: what the user should know.
        written: the embedded pictures that were made from the cloaked pixels.

    """

    data: bytes
    notes: tuple[str, ...] = ()
    written: frozenset[bytes] = frozenset()


def _nothing_stays(_data: bytes, _ledger: "Ledger") -> bool:
    return False


def _no_pictures(_data: bytes) -> Iterable[tuple[str, bytes]]:
    return ()


@dataclass(frozen=True)
class Format:
    """One kind of file.

    Attributes:
        name: as in `kinds.KINDS`, which tells its files.
        decode: (data, name) -> Raster; raises InputError.
        keep: (photo, base, cloaked) -> Draft: the source with the cloak and nothing else new.
        new: a file from nothing but a plate.
        strip: the bytes that are not the primary picture's own coded data, for the leak scan,
            each with the name of the place.
        pictures: further pictures that the container's structure names, with their places; no
            signature need tell those.
        review: (data, account) -> whether every byte of a written file may stay; the account
            tells what may not.

    """

    name: str
    decode: Callable[[bytes, str], Raster]
    keep: Callable[[Photo, Image, Image], Draft]
    new: Callable[[RenderedImage], bytes]
    strip: Callable[[bytes], Iterable[tuple[str, bytes]]]
    pictures: Callable[[bytes], Iterable[tuple[str, bytes]]] = _no_pictures
    review: "Callable[[bytes, Ledger], bool]" = _nothing_stays


def check_size(name: str, width: int, height: int, data: bytes, *, densest: int) -> None:
    """Refuse a picture that cannot be: before any memory is taken for it.

    Args:
        name: what messages call the file.
        width: in pixels, as its header states.
        height: in pixels.
        data: the file.
        densest: pixels that a byte of this format can stand for at most.

    Raises:
        InputError: it is empty, too large, or announces more than its bytes can hold.

    """
    if width < 1 or height < 1:
        raise InputError(f"{name}: its header announces a picture without pixels; it is damaged.")
    if width * height > MAX_PIXELS:
        raise InputError(
            f"{name}: {width} × {height} pixels are more than photocloak takes "
            f"({MAX_PIXELS // 1_000_000} megapixels); make a smaller copy first."
        )
    if width * height > densest * len(data) + 4096:
        raise InputError(
            f"{name}: its header announces {width} × {height} pixels, which {len(data)} bytes "
            "cannot hold; it is damaged or made to exhaust memory."
        )


def samples_of(picture: Pillow.Image) -> NDArray[np.uint8]:
    """Return the samples of a picture of 8 bits a channel, (H, W, C) uint8.

    In stripes: asked for the whole, Pillow makes two copies of it more.
    """
    width, height = picture.size
    samples = np.empty((height, width, len(picture.getbands())), np.uint8)
    for top in range(0, height, 256):
        stripe = np.asarray(picture.crop((0, top, width, min(top + 256, height))))
        samples[top : top + 256] = stripe.reshape(-1, *samples.shape[1:])
    return samples


def damaged(name: str, title: str, error: BaseException) -> InputError:
    """Return the error for a file that its decoder does not take."""
    what = " ".join(str(error).split()) or type(error).__name__
    return InputError(
        f"{name}: this {title} file cannot be decoded ({what}); it is damaged or incomplete: "
        "export or copy it again."
    )


def animated(name: str) -> InputError:
    """Return the error for a file of several pictures that follow each other."""
    return InputError(
        f"{name}: this is an animation, of which photocloak would keep one picture only; save the "
        "picture that you want by itself."
    )
