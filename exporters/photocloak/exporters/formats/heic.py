"""HEIC: read and written through libheif, with its depth, alpha, profile, EXIF and XMP."""

import io
from typing import Any

import numpy as np

from photocloak.exporters.formats import heif_parts
from photocloak.exporters.formats.base import Draft, Format, Plate, damaged
from photocloak.exporters.ifd import exif_orientation
from photocloak.exporters.leaks.ledger import settled
from photocloak.exporters.leaks.previews import Previews
from photocloak.exporters.mapping import patch, patched
from photocloak.exporters.model import Image, Photo, Raster, Samples
from photocloak.exporters.orientation import stored

_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_QUALITY = 85
_PRESET = "ultrafast"  # eight times as fast as the default for a third more bytes
_MODES = {"L": "L", "RGB": "RGB", "RGBA": "RGBA", "RGB;16": "RGB", "RGBA;16": "RGBA", "L;16": "L"}


def _sniff(head: bytes) -> bool:
    return head[4:8] == b"ftyp" and head[8:12] in _BRANDS and b"avif" not in head


def decode(data: bytes, name: str) -> Raster:
    """Read the primary picture, turned as the file says."""
    import pillow_heif

    facts = heif_parts.facts(data, name, "HEIC")
    try:
        picture = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)
        samples = np.asarray(picture)
        mode = _MODES[picture.mode]
    except (OSError, ValueError, RuntimeError, KeyError, EOFError, SyntaxError) as error:
        raise damaged(name, "HEIC", error) from error
    samples = np.ascontiguousarray(samples[..., None] if samples.ndim == 2 else samples)
    return Raster(samples, mode, facts.icc, notes=facts.notes)


def keep(photo: Photo, base: Image, cloaked: Image) -> Draft:
    """Write the source with the cloak in it."""
    import pillow_heif

    facts = heif_parts.facts(photo.data, photo.name, "HEIC")
    # The encoder turns EXIF's orientation into the file's own rotation, so it gets the pixels
    # unrotated: EXIF stays byte for byte and viewers of both schools agree.
    turn = exif_orientation(facts.exif)
    previews = Previews(np.ascontiguousarray(stored(cloaked, turn)))
    raster = patched(photo.raster, patch(photo.raster, base, cloaked))
    source = pillow_heif.open_heif(io.BytesIO(photo.data))
    kept, ledger = settled(lambda account: heif_parts.clean(facts, account), previews)
    data = _encode(
        stored(raster.samples, turn),
        raster.mode,
        quality=_QUALITY,
        chroma=str(source.info.get("chroma", 420)),
        exif=b"Exif\0\0" + kept.exif if kept.exif else None,
        xmp=kept.xmp or None,
        icc_profile=kept.icc,
    )
    notes = (
        *photo.raster.notes,
        *ledger.notes,
        "HEIC has no lossless way to change a part: encoded anew",
    )
    return Draft(data, notes, frozenset(previews.written))


def _encode(samples: Samples, mode: str, **options: Any) -> bytes:
    import pillow_heif

    height, width = samples.shape[:2]
    kind = mode + (";16" if samples.dtype == np.uint16 else "")
    pixels = np.ascontiguousarray(samples).tobytes()
    file = io.BytesIO()
    picture = pillow_heif.from_bytes(mode=kind, size=(width, height), data=pixels)
    # the profile belongs to the picture, the rest to the file
    picture.info["icc_profile"] = options.pop("icc_profile")
    given = {key: one for key, one in options.items() if one is not None}
    picture.save(file, format="HEIF", enc_params={"preset": _PRESET}, **given)
    return file.getvalue()


def new(plate: Plate) -> bytes:
    """Write a new file."""
    return _encode(
        plate.pixels,
        "RGB",
        quality=plate.quality,
        chroma=plate.subsampling.replace(":", ""),
        exif=b"Exif\0\0" + plate.exif if plate.exif else None,
        xmp=plate.xmp or None,
        icc_profile=plate.icc,
    )


FORMAT = Format(
    "HEIC",
    (".heic", ".heif", ".hif"),
    _sniff,
    decode,
    keep,
    new,
    heif_parts.strip,
    heif_parts.pictures,
    heif_parts.review,
)
