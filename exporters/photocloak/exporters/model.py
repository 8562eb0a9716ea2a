"""What the exporters pass around: what was read, what is to be written, what was found."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Samples = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True)
class Raster:
    """A picture as the file stores it.

    Attributes:
        samples: (H, W, C) uint8 or uint16, in the stored orientation, not colour-managed.
        mode: L, LA, RGB, RGBA or CMYK (0 is no ink).
        icc: what the numbers mean, as a profile; the file's own, or made of its other signs; None:
            sRGB, its gray, or plain inks.
        orientation: EXIF orientation, 1 to 8; 1 where the decoder has already applied it.
        palette: whether the file stores indices into a palette.
        refusal: why a file of this kind cannot be written as it is, half a sentence; empty: it can.
        notes: what the reader has to say, such as further pictures left out.

    """

    samples: Samples
    mode: str
    icc: bytes | None = None
    orientation: int = 1
    palette: bool = False
    refusal: str = ""
    notes: tuple[str, ...] = ()

    @property
    def colours(self) -> int:
        """How many of the channels are colour: all but alpha."""
        return int(self.samples.shape[2]) - self.mode.endswith("A")


@dataclass(frozen=True)
class Photo:
    """A photo as it was read.

    Attributes:
        path: where it came from; None for bytes.
        name: what messages call it.
        data: the whole file.
        format: name of its format, as in `formats.FORMATS`.
        pixels: (H, W, 3) uint8, sRGB, upright.
        raster: the same picture as the file stores it.

    """

    path: Path | None
    name: str
    data: bytes = field(repr=False)
    format: str
    pixels: Image = field(repr=False)
    raster: Raster = field(repr=False)


@dataclass(frozen=True)
class Encoded:
    """A complete, checked file that nobody has seen yet.

    Attributes:
        data: the bytes.
        format: name of the format.
        suffix: of the file name, with its dot.
        notes: what the user should know: what was left out, what could not be kept and why.
        disclosed: what kinds of things its metadata tell, see `Finding`; none unless the policy
            keeps them as they are.

    """

    data: bytes = field(repr=False)
    format: str
    suffix: str
    notes: tuple[str, ...] = ()
    disclosed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """Something in a file that gives a person away.

    Attributes:
        kind: picture, person, place, serial, owner, history; unknown: no table knows what it is.
        where: the part of the file.
        detail: what is there, for people; never the picture itself.

    """

    kind: str
    where: str
    detail: str
