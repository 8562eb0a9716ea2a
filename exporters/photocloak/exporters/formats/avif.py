"""AVIF: read and written through libavif (Pillow), 8 bits a channel."""

import hashlib
import io

import numpy as np
from PIL import AvifImagePlugin
from PIL import Image as Pillow

from photocloak.exporters.formats import heif_parts
from photocloak.exporters.formats.base import Draft, Format, Plate, damaged, samples_of
from photocloak.exporters.ifd import ORIENTATION, Tiff, exif_orientation
from photocloak.exporters.leaks.ledger import settled
from photocloak.exporters.leaks.previews import Previews
from photocloak.exporters.mapping import patch, patched
from photocloak.exporters.model import Image, Photo, Raster, Samples
from photocloak.exporters.orientation import upright

_QUALITY, _SPEED = 95, 8


def _sniff(head: bytes) -> bool:
    return head[4:8] == b"ftyp" and (head[8:12] in (b"avif", b"avis") or b"avif" in head[16:])


def decode(data: bytes, name: str) -> Raster:
    """Read the primary picture, turned as the file says."""
    facts = heif_parts.facts(data, name, "AVIF")
    try:
        picture: Pillow.Image = AvifImagePlugin.AvifImageFile(io.BytesIO(data))
        turn = exif_orientation(picture.info.get("exif", b"").removeprefix(b"Exif\0\0"))
        picture.load()
    except (OSError, ValueError, SyntaxError, EOFError, RuntimeError) as error:
        raise damaged(name, "AVIF", error) from error
    if picture.mode not in ("L", "RGB", "RGBA"):
        picture = picture.convert("RGB")
    samples = samples_of(picture)
    refusal = ""
    if facts.depth > 8:
        refusal = f"it has {facts.depth} bits a channel, and AVIF is written with 8"
    seen = np.ascontiguousarray(upright(samples, turn))
    return Raster(seen, picture.mode, facts.icc, refusal=refusal, notes=facts.notes)


def keep(photo: Photo, base: Image, cloaked: Image) -> Draft:
    """Write the source with the cloak in it, upright."""
    facts = heif_parts.facts(photo.data, photo.name, "AVIF")
    raster = patched(photo.raster, patch(photo.raster, base, cloaked))
    previews = Previews(np.ascontiguousarray(cloaked))
    kept, ledger = settled(lambda account: heif_parts.clean(facts, account), previews)
    data = _encode(
        raster.samples,
        quality=_QUALITY,
        subsampling="4:2:0" if raster.mode != "L" else "4:0:0",
        block=_upright(kept.exif),
        packet=kept.xmp,
        icc=kept.icc,
    )
    notes = (
        *photo.raster.notes,
        *ledger.notes,
        "AVIF has no lossless way to change a part: encoded anew",
    )
    return Draft(data, notes, frozenset(previews.written))


def _upright(block: bytes) -> bytes:
    """Set the orientation to 1, as the pixels are: two bytes, nothing else."""
    try:
        tiff = Tiff(block)
    except ValueError:
        return block
    directory = tiff.directory("IFD0")
    entry = directory.entries.get(ORIENTATION) if directory else None
    if entry is None or entry.kind != 3:
        return block
    value = b"\1\0" if tiff.order == "<" else b"\0\1"
    return block[: entry.start] + value + block[entry.start + 2 :]


def _encode(
    samples: Samples,
    *,
    quality: int,
    subsampling: str,
    block: bytes,
    packet: bytes,
    icc: bytes | None,
) -> bytes:
    """Encode; the EXIF block gets in byte for byte, since the encoder would write its own.

    A stand-in of the same length goes through the encoder and is replaced in its output.
    """
    stand_in = b""
    if block:
        filler = hashlib.shake_256(block).digest(max(0, len(block) - 14))
        stand_in = (b"MM\0*\0\0\0\x08\0\0\0\0\0\0" + filler)[: len(block)]
    flat = samples[..., 0] if samples.shape[2] == 1 else samples
    file = io.BytesIO()
    Pillow.fromarray(np.ascontiguousarray(flat)).save(
        file,
        "AVIF",
        quality=quality,
        speed=_SPEED,
        subsampling=subsampling,
        icc_profile=icc or b"",
        exif=stand_in,
        xmp=packet,
    )
    data = file.getvalue()
    return data.replace(stand_in, block, 1) if block else data


def new(plate: Plate) -> bytes:
    """Write a new file."""
    return _encode(
        plate.pixels,
        quality=plate.quality,
        subsampling=plate.subsampling,
        block=plate.exif,
        packet=plate.xmp,
        icc=plate.icc,
    )


FORMAT = Format(
    "AVIF",
    (".avif",),
    _sniff,
    decode,
    keep,
    new,
    heif_parts.strip,
    heif_parts.pictures,
    heif_parts.review,
)
