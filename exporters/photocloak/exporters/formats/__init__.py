"""The formats photocloak reads and writes: one table, one module each."""

from pathlib import PurePath

from photocloak.exporters.formats import avif, heic, jpeg, png, tiff, webp
from photocloak.exporters.formats.base import Format, RenderedImage

FORMATS: dict[str, Format] = {
    one.name: one
    for one in (jpeg.FORMAT, png.FORMAT, tiff.FORMAT, webp.FORMAT, avif.FORMAT, heic.FORMAT)
}

__all__ = [
    "FORMATS",
    "Format",
    "RenderedImage",
    "format_like",
    "format_of",
    "suffix_like",
    "suffixes",
    "usual_suffix",
]


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


def format_of(head: bytes) -> str | None:
    """Return the name of the format that a file of these first 64 bytes is in; None: of none."""
    return next((one.name for one in FORMATS.values() if one.sniff(head[:64])), None)


def usual_suffix(form: str) -> str:
    """Return the suffix that files of a format, by its name, mostly have."""
    return FORMATS[form].suffixes[0]


def format_like(suffix: str) -> str | None:
    """Return the name of the format whose files have this suffix, whatever its case."""
    return next((one.name for one in FORMATS.values() if suffix.lower() in one.suffixes), None)
