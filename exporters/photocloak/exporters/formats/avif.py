"""AVIF: read and written through libavif (Pillow), 8 bits a channel."""

import hashlib
import io
import struct

import numpy as np
from PIL import AvifImagePlugin
from PIL import Image as Pillow

from photocloak.exporters.colour.signs import UNSPECIFIED, Points
from photocloak.exporters.containers import av1
from photocloak.exporters.containers.isobmff import read
from photocloak.exporters.formats import heif_parts
from photocloak.exporters.formats.base import Draft, Format, RenderedImage, damaged, samples_of
from photocloak.exporters.leaks.ledger import settled
from photocloak.exporters.leaks.previews import Previews
from photocloak.exporters.metadata.orientation import set_upright, upright
from photocloak.exporters.model import Image, Photo, Raster, Samples
from photocloak.exporters.sample_delta import patch, patched

_QUALITY, _SPEED = 95, 8


def decode(data: bytes, name: str) -> Raster:
    """Read the primary picture, turned as the file says."""
    facts = heif_parts.facts(data, name, "AVIF")
    try:
        picture: Pillow.Image = AvifImagePlugin.AvifImageFile(io.BytesIO(data))
        picture.load()
    except (OSError, ValueError, SyntaxError, EOFError, RuntimeError) as error:
        raise damaged(name, "AVIF", error) from error
    if picture.mode not in ("L", "RGB", "RGBA"):
        picture = picture.convert("RGB")
    samples = samples_of(picture)
    refusal = ""
    if facts.depth > 8:
        refusal = f"it has {facts.depth} bits a channel, and AVIF is written with 8"
    seen = np.ascontiguousarray(upright(samples, facts.orientation))
    meaning = facts.meaning(picture.mode.removesuffix("A"), name)
    return Raster(seen, picture.mode, meaning, refusal=refusal, notes=facts.notes)


def keep(photo: Photo, base: Image, cloaked: Image) -> Draft:
    """Write the source with the cloak in it, upright."""
    facts = heif_parts.facts(photo.data, photo.name, "AVIF")
    raster = patched(photo.raster, patch(photo.raster, base, cloaked))
    previews = Previews(np.ascontiguousarray(cloaked))
    kept, ledger = settled(lambda account: heif_parts.clean(facts, account), previews)
    block, packet = kept.exif, kept.xmp
    if facts.orientation != 1:
        block, packet = set_upright(block, packet)
    data = _encode(
        raster.samples,
        quality=_QUALITY,
        subsampling="4:0:0" if raster.mode == "L" else _sampling(photo.data),
        block=block,
        packet=packet,
        icc=kept.icc,
        full=not facts.nclx or facts.nclx[10] >> 7 == 1,
    )
    data = _with_points(data, facts.points or Points(UNSPECIFIED, UNSPECIFIED))
    notes = (
        *photo.raster.notes,
        *ledger.notes,
        "AVIF has no lossless way to change a part: encoded anew",
    )
    return Draft(data, notes, frozenset(previews.written))


def _sampling(data: bytes) -> str:
    """Return the chroma sampling of the source (AV1-ISOBMFF, 2.3.3)."""
    heif = read(data)
    coded = [
        body for one in heif.items.values() for kind, body in one.properties if kind == b"av1C"
    ]
    bits = coded[0][2] >> 2 & 3 if coded and len(coded[0]) > 2 else 3
    return {0: "4:4:4", 2: "4:2:2"}.get(bits, "4:2:0")


def _with_points(data: bytes, points: Points) -> bytes:
    """Return the file with the source's code points, in the container and in the picture.

    The encoder writes those of sRGB, or none where there is a profile.
    """
    heif = read(data)
    main = heif.items[heif.primary]
    description = av1.described(heif.data(data, main))
    if len(main.spans) == 1 and description is not None:
        start, size = main.spans[0]
        own = data[start : start + size]
        own = av1.with_points(own, description, points.primaries, points.transfer)
        data = data[:start] + own + data[start + size :]
    for kind, body in main.properties:
        if kind == b"colr" and body[:4] == b"nclx":
            fresh = b"nclx" + struct.pack(">HH", points.primaries, points.transfer) + body[8:]
            data = data.replace(b"colr" + body, b"colr" + fresh, 1)
        if kind == b"av1C" and (found := av1.described(body[4:])) is not None:
            fresh = av1.with_points(body[4:], found, points.primaries, points.transfer)
            data = data.replace(b"av1C" + body, b"av1C" + body[:4] + fresh, 1)
    return data


def _encode(
    samples: Samples,
    *,
    quality: int,
    subsampling: str,
    block: bytes,
    packet: bytes,
    icc: bytes | None,
    full: bool = True,
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
        range="full" if full else "limited",
        icc_profile=icc or b"",
        exif=stand_in,
        xmp=packet,
    )
    data = file.getvalue()
    return data.replace(stand_in, block, 1) if block else data


def new(rendered: RenderedImage) -> bytes:
    """Write a new file."""
    return _encode(
        rendered.pixels,
        quality=rendered.quality,
        subsampling=rendered.subsampling,
        block=rendered.exif,
        packet=rendered.xmp,
        icc=rendered.icc,
    )


FORMAT = Format(
    "AVIF",
    decode,
    keep,
    new,
    heif_parts.strip,
    heif_parts.pictures,
    heif_parts.review,
)
