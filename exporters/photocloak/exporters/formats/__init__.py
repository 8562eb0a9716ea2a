"""The formats photocloak reads and writes: one table, one module each."""

from photocloak.exporters.formats import avif, heic, jpeg, png, tiff, webp
from photocloak.exporters.formats.base import Format, Plate

FORMATS: dict[str, Format] = {
    one.name: one
    for one in (jpeg.FORMAT, png.FORMAT, tiff.FORMAT, webp.FORMAT, avif.FORMAT, heic.FORMAT)
}

__all__ = ["FORMATS", "Format", "Plate", "suffixes"]


def suffixes() -> frozenset[str]:
    """Return the file name suffixes of all formats, lower case with dot."""
    return frozenset(suffix for one in FORMATS.values() for suffix in one.suffixes)
