"""Values that come one behind the other under one name: tags, items, chunks, datasets.

What a program cuts up it cuts into many such values, and chance lets some of them pass. Where
several of a series cannot stay, the others are taken for pieces of the same thing.
"""

from dataclasses import dataclass

# Of 2,638 photos (LAB, ExifTool's and exiv2's own) four values of a series go at most, beside twice
# as many that stay; what stays beside fewer is no more than so many bytes in all.
_SEVERAL, _SOME, _ENOUGH = 5, 2, 128
LITTLE = 12
"""Bytes that a value says at most that is no piece by itself."""


@dataclass
class Series:
    """What became of the values of one name.

    Attributes:
        refused: values that went.
        kept: values that stayed and say something.
        said: bytes of these.

    """

    refused: int = 0
    kept: int = 0
    said: int = 0

    def count(self, said: int, *, admitted: bool) -> None:
        """Count a value that says so many bytes."""
        if not admitted:
            self.refused += 1
        elif said > LITTLE:
            self.kept += 1
            self.said += said

    @property
    def is_cut_up(self) -> bool:
        """Whether what stayed must be taken for pieces."""
        half = self.refused >= _SOME and self.refused >= self.kept
        return (half or self.refused >= _SEVERAL) and self.said > _ENOUGH
