"""The formats photocloak reads and writes: one table, one module each."""

from pathlib import PurePath

from photocloak.exporters.formats import avif, heic, jpeg, png, tiff, webp
from photocloak.exporters.formats.base import Format, RenderedImage

FORMATS: dict[str, Format] = {
    one.name: one
    for one in (jpeg.FORMAT, png.FORMAT, tiff.FORMAT, webp.FORMAT, avif.FORMAT, heic.FORMAT)
}

__all__ = ["FORMATS", "Format", "RenderedImage", "suffix_like", "suffixes"]


def suffixes(like: str | None = None) -> frozenset[str]:
    """Return the file name suffixes of all formats, lower case with dot.

    Args:
        like: only those of the format that has this one, whatever its case.

    """
    formats = [one for one in FORMATS.values() if like is None or like.lower() in one.suffixes]
    return frozenset(suffix for one in formats for suffix in one.suffixes)


def suffix_like(name: str, suffix: str) -> str:
    """Return the suffix of what is made of the file `name`: its own, as it is written, if it fits.

    Args:
        name: of the source.
        suffix: a suffix of the format that is made.

    """
    own = PurePath(name).suffix
    return own if own.lower() in suffixes(suffix) else suffix
