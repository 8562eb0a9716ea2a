"""The formats photocloak reads and writes: one table, one module each."""

from importlib import import_module

from photocloak.exporters.formats.base import Format, RenderedImage
from photocloak.exporters.formats.kinds import (
    KINDS,
    format_like,
    format_of,
    suffix_like,
    suffixes,
    usual_suffix,
)


class _Formats(dict[str, Format]):
    """Each comes with the first file of its kind: together they take a tenth of a start."""

    def __missing__(self, name: str) -> Format:
        found: Format = import_module(f"{__name__}.{KINDS[name].name.lower()}").FORMAT
        self[name] = found
        return found


FORMATS: dict[str, Format] = _Formats()
"""By the names in `KINDS`."""

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
