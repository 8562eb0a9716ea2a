"""TIFF: 8 and 16 bits, gray, colour, CMYK and alpha, in strips or tiles.

The file is changed where it lies: only strips that the cloak touches, or that hold more than their
rows, are packed anew, into their own place or behind the file. Further pages and SubIFDs are cut
off and overwritten. All other rows and all known tags stay as they are.
"""

import io
import struct
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from PIL import Image as Pillow
from PIL import TiffImagePlugin

from photocloak.core import InputError
from photocloak.exporters.colour.signs import Signs, profile
from photocloak.exporters.containers.ifd import ORIENTATION, Directory, Tiff, exif_orientation
from photocloak.exporters.formats.base import (
    Draft,
    Format,
    RenderedImage,
    check_size,
    damaged,
    samples_of,
)
from photocloak.exporters.formats.tiff_editing import (
    ICC,
    METADATA,
    File,
    cut,
    point,
    reached,
    stretches,
    trim,
    write,
)
from photocloak.exporters.formats.tiff_pages import (
    IPTC,
    RESOURCES,
    XMP,
    beside,
    main_of,
    notes_of,
    photo_of,
    rebased,
)
from photocloak.exporters.formats.tiff_pixels import HEIGHT, PHOTOMETRIC, WIDTH, grid_of, read
from photocloak.exporters.leaks.directories import sweep_in_place
from photocloak.exporters.leaks.ledger import Ledger, settled
from photocloak.exporters.leaks.previews import Previews
from photocloak.exporters.metadata.orientation import stated, stored
from photocloak.exporters.model import Image, Photo, Raster, Samples
from photocloak.exporters.sample_delta import patch, patched

_DNG = 0xC612
_CFA = 32803


def _tiff(data: bytes, name: str) -> tuple[Tiff, Directory]:
    if data[2:4] in (b"+\0", b"\0+"):
        raise InputError(f"{name}: BigTIFF is not supported; save it as a plain TIFF.")
    try:
        tiff = Tiff(data)
    except (ValueError, struct.error) as error:
        raise damaged(name, "TIFF", error) from error
    if any(
        _DNG in one.entries or tiff.number(one, PHOTOMETRIC) == _CFA for one in tiff.directories
    ):
        raise InputError(
            f"{name}: this is a RAW file; develop it in your photo manager and cloak what it "
            "exports."
        )
    return tiff, main_of(tiff, name)


def decode(data: bytes, name: str) -> Raster:
    """Read the photo, be it the first page or behind a smaller copy of itself."""
    tiff, main = _tiff(data, name)
    width, height = tiff.number(main, WIDTH), tiff.number(main, HEIGHT)
    check_size(name, width, height, data, densest=8300)
    own = rebased(data, tiff, main)
    signs = Signs(tiff.raw(main.entries[ICC]) if ICC in main.entries else None, exif=own)
    packet = tiff.raw(main.entries[XMP]) if XMP in main.entries else b""
    turn = stated(own, packet)
    try:
        grid = grid_of(tiff, main)
    except ValueError as reason:
        samples, mode, turn = _foreign(own, name, turn)
        refusal = str(reason)
    else:
        refusal, mode = beside(tiff, main), grid.mode
        try:
            samples = read(data, grid)
        except ValueError as error:
            raise damaged(name, "TIFF", error) from error
    meaning = profile(signs, mode.removesuffix("A"), name)
    return Raster(samples, mode, meaning, turn, refusal=refusal, notes=notes_of(tiff, main))


def _foreign(data: bytes, name: str, turn: int) -> tuple[Samples, str, int]:
    """Read what is not written as it is, through Pillow; return samples, mode, orientation."""
    try:
        picture: Pillow.Image = TiffImagePlugin.TiffImageFile(io.BytesIO(data))
        picture.load()
        if picture.mode not in ("L", "RGB", "RGBA", "CMYK"):
            picture = picture.convert("RGB")
    except (OSError, ValueError, SyntaxError, TypeError, KeyError, struct.error) as error:
        raise damaged(name, "TIFF", error) from error
    # Pillow ≥ 11 may have turned it already while loading
    done = exif_orientation(data) is not None and picture.getexif().get(ORIENTATION, 1) == 1
    return samples_of(picture), picture.mode, 1 if done else turn


def keep(photo: Photo, base: Image, cloaked: Image) -> Draft:
    """Write the source with the cloak in it."""
    tiff, main = _tiff(photo.data, photo.name)
    previews = Previews(np.ascontiguousarray(stored(cloaked, photo.raster.orientation)))
    file = File(bytearray(photo.data), tiff.order)
    _clean_inner(file, tiff, previews)
    cut(file, tiff, main)
    before = grid_of(tiff, main)
    grid = trim(file, before)
    change = patch(photo.raster, base, cloaked)
    if change is not None:
        rows = reached(grid, change.window[0])
        band = replace(photo.raster, samples=photo.raster.samples[rows])
        samples = patched(band, replace(change, top=change.top - rows.start)).samples
        grid = write(file, grid, samples, top=rows.start, window=change.window)
    point(file, main, before, grid)
    _, ledger = settled(lambda account: _sweep(file.data, account), previews, in_place=True)
    notes = (*photo.raster.notes, *ledger.notes)
    return Draft(bytes(file.data), notes, frozenset(previews.written))


def _sweep(data: bytearray, ledger: Ledger) -> None:
    """Overwrite all but the strips of the photo, which is the first page now, and what is known."""
    tiff = Tiff(data)
    main = tiff.directory("IFD0")
    spans = stretches(tiff, main) if main else []
    sweep_in_place(data, ledger, "TIFF", [(start, start + size) for start, size in spans])


def _clean_inner(file: File, tiff: Tiff, previews: Previews) -> None:
    """Replace previews in the EXIF directory's values, such as MakerNotes."""
    for directory in tiff.directories:
        if directory.name in METADATA:
            for entry in directory.entries.values():
                if entry.size > 400:
                    file.put(entry, previews.overwrite(tiff.raw(entry)))


def new(rendered: RenderedImage) -> bytes:
    """Write a new file, deflated."""
    file = io.BytesIO()
    tags = Pillow.Exif()
    if rendered.exif:
        tags.load(rendered.exif)
    if rendered.xmp:
        tags[XMP] = rendered.xmp
    Pillow.fromarray(rendered.pixels).save(
        file, "TIFF", compression="tiff_adobe_deflate", icc_profile=rendered.icc, exif=tags
    )
    return file.getvalue()


def strip(data: bytes) -> Iterable[tuple[str, bytes]]:
    """Yield the file without the first page's strips, and its packets by themselves."""
    tiff = Tiff(data)
    main = photo_of(tiff)
    if main is None:
        yield "file", data
        return
    rest, end = [], 0
    for start, size in sorted(stretches(tiff, main)):
        stop = min(start + size, len(data))
        if stop > end:
            rest += [data[end:start], bytes(stop - max(start, end))]
            end = stop
    yield "TIFF", b"".join([*rest, data[end:]])
    for tag, name in ((XMP, "XMP"), (RESOURCES, "Photoshop resources"), (IPTC, "IPTC")):
        if tag in main.entries:
            yield name, tiff.raw(main.entries[tag])


def pictures(data: bytes) -> Iterable[tuple[str, bytes]]:
    """Yield further pages and SubIFDs."""
    tiff = Tiff(data)
    main = photo_of(tiff)
    for number, directory in enumerate(tiff.directories):
        if directory is main:
            continue
        inner = b"".join(data[at : at + size] for at, size in stretches(tiff, directory))
        if inner.strip(b"\0"):
            yield f"{directory.name} {number}", inner


def review(data: bytes, ledger: Ledger) -> bool:
    """Tell whether every byte of a file may stay."""
    swept = bytearray(data)
    _sweep(swept, ledger)
    return swept == data


FORMAT = Format("TIFF", decode, keep, new, strip, pictures, review)
