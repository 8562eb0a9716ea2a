"""The directories of a TIFF: which one is the photo, and what the others are.

TIFF 6.0, section 8: NewSubfileType. Scanners and cameras put a smaller copy before the photo.
"""

import struct

from photocloak.core import InputError
from photocloak.exporters.containers.ifd import STRIP_OFFSETS, TILE_OFFSETS, Directory, Tiff
from photocloak.exporters.formats.tiff_editing import METADATA
from photocloak.exporters.formats.tiff_pixels import WIDTH

XMP, IPTC, RESOURCES = 0x2BC, 0x83BB, 0x8649
_NEW_KIND, _OLD_KIND = 0xFE, 0xFF  # NewSubfileType and its forerunner
# description, make, model, artist, copyright, date and directories of more
_TELLING = {0x10E, 0x10F, 0x110, 0x13B, 0x8298, 0x132, 0x8769, 0x8825, XMP, IPTC, RESOURCES}


def main_of(tiff: Tiff, name: str) -> Directory:
    """Return the directory of the photo itself, which need not be the first.

    Raises:
        InputError: there is none, or there are several pages.

    """
    pages = [one for one in tiff.directories if one.name not in METADATA and WIDTH in one.entries]
    whole = [one for one in pages if not _is_reduced(tiff, one)]
    chain = [one for one in whole if one.name.startswith("IFD")]
    if len(chain) > 1:
        raise InputError(
            f"{name}: this TIFF file has {len(chain)} pages, and photocloak takes one; save each "
            "as a file of its own."
        )
    found = next(iter([*chain, *whole, *pages]), None)
    if found is None:
        raise InputError(f"{name}: this TIFF file has no directory; it is damaged: copy it again.")
    return found


def _is_reduced(tiff: Tiff, directory: Directory) -> bool:
    """Tell whether a directory is a smaller copy, a mask or a thumbnail (TIFF 6.0, 36)."""
    kind = tiff.number(directory, _NEW_KIND)
    strips = {STRIP_OFFSETS, TILE_OFFSETS} & set(directory.entries)
    return bool(kind & 5) or tiff.number(directory, _OLD_KIND) == 2 or not strips


def rebased(data: bytes, tiff: Tiff, main: Directory) -> bytes:
    """Return a file whose first directory is that of the photo."""
    if main is tiff.directory("IFD0"):
        return data
    return data[:4] + struct.pack(f"{tiff.order}I", main.at) + data[8:]


def photo_of(tiff: Tiff) -> Directory | None:
    """Return the directory of the photo, of several pages the first."""
    try:
        return main_of(tiff, "")
    except InputError:
        return tiff.directory("IFD0")


def beside(tiff: Tiff, main: Directory) -> str:
    """Return why a photo behind a smaller copy cannot be written: that has the metadata."""
    first = tiff.directory("IFD0")
    if first is None or first is main:
        return ""
    lost = (_TELLING & set(first.entries)) - set(main.entries)
    return "its metadata belong to a smaller picture before it" if lost else ""


def notes_of(tiff: Tiff, main: Directory) -> tuple[str, ...]:
    """Say what is left out."""
    others = [one for one in tiff.directories if one is not main and one.name not in METADATA]
    notes = []
    if any(one.name.startswith("IFD") for one in others):
        notes.append("left out: smaller copies or masks of the picture")
    if any(one.name == "SubIFD" for one in others):
        notes.append("left out: previews in SubIFDs")
    return tuple(notes)
