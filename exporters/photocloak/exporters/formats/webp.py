"""WebP: lossy and lossless, with alpha; chunks other than the picture's kept byte for byte."""

import io
import struct
from collections.abc import Iterable

import numpy as np
from PIL import Image as Pillow
from PIL import WebPImagePlugin

from photocloak.exporters.colour.signs import Signs, profile
from photocloak.exporters.containers.ifd import exif_of, exif_start
from photocloak.exporters.containers.riff import Chunk, join, split
from photocloak.exporters.formats.base import (
    Draft,
    Format,
    RenderedImage,
    animated,
    check_size,
    damaged,
    samples_of,
)
from photocloak.exporters.leaks import exif, icc, xmp
from photocloak.exporters.leaks.ledger import Ledger, settled
from photocloak.exporters.leaks.previews import Previews
from photocloak.exporters.leaks.tables import table
from photocloak.exporters.metadata.orientation import stated, stored
from photocloak.exporters.model import Image, Photo, Raster, Samples
from photocloak.exporters.sample_delta import patch, patched

_PICTURE = (b"VP8 ", b"VP8L", b"ALPH")
_ANIMATION = (b"ANIM", b"ANMF")
_ICC, _ALPHA, _EXIF, _XMP = 0x20, 0x10, 0x08, 0x04
_QUALITY = 98  # at 95, what is far from a face differs by half as much again


def _chunks(data: bytes, name: str) -> tuple[list[Chunk], bytes]:
    try:
        return split(data)
    except ValueError as error:
        raise damaged(name, "WebP", error) from error


def decode(data: bytes, name: str) -> Raster:
    """Read the picture."""
    chunks, rest = _chunks(data, name)
    check_size(name, *_size(chunks), data, densest=20_000)
    if sum(one.name == b"ANMF" for one in chunks) > 1:
        raise animated(name)
    try:
        picture: Pillow.Image = WebPImagePlugin.WebPImageFile(io.BytesIO(data))
        picture.load()
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise damaged(name, "WebP", error) from error
    notes = []
    if rest.strip(b"\0"):
        notes.append("what follows the picture is left out")
    if picture.mode not in ("RGB", "RGBA"):
        picture = picture.convert("RGB")
    block, packet, icc = (_body(chunks, one) for one in (b"EXIF", b"XMP ", b"ICCP"))
    block = exif_of(block)
    meaning = profile(Signs(icc or None, exif=block), "RGB", name)
    turn = stated(block, packet)
    return Raster(samples_of(picture), picture.mode, meaning, turn, notes=tuple(notes))


def _body(chunks: list[Chunk], name: bytes) -> bytes:
    return next((one.body for one in chunks if one.name == name), b"")


def _size(chunks: list[Chunk]) -> tuple[int, int]:
    """Return the size that the first chunk states."""
    body, name = (chunks[0].body, chunks[0].name) if chunks else (b"", b"")
    if name == b"VP8X" and len(body) >= 10:
        wide, high = (int.from_bytes(body[at : at + 3], "little") + 1 for at in (4, 7))
        return wide, high
    if name == b"VP8 " and len(body) >= 10:
        wide, high = struct.unpack_from("<HH", body, 6)
        return wide & 0x3FFF, high & 0x3FFF
    if name == b"VP8L" and len(body) >= 5:
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return 0, 0


def keep(photo: Photo, base: Image, cloaked: Image) -> Draft:
    """Write the source with the cloak in it."""
    chunks, _ = _chunks(photo.data, photo.name)
    previews = Previews(np.ascontiguousarray(stored(cloaked, photo.raster.orientation)))
    change = patch(photo.raster, base, cloaked)
    animated = any(one.name in _ANIMATION for one in chunks)
    if change is None and not animated:
        picture = [one for one in chunks if one.name in _PICTURE]
        notes: tuple[str, ...] = ()
    else:
        raster = patched(photo.raster, change)
        lossless = any(one.name == b"VP8L" for one in chunks)
        picture = _coded(raster.samples, lossless=lossless, quality=_QUALITY)
        notes = () if lossless else ("WebP has no lossless way to change a part: encoded anew",)
    cleaned, ledger = settled(lambda account: _clean(chunks, account), previews)
    height, width = photo.raster.samples.shape[:2]
    file = join(_assemble(cleaned, picture, width, height))
    return Draft(file, (*photo.raster.notes, *ledger.notes, *notes), frozenset(previews.written))


def _clean(chunks: list[Chunk], ledger: Ledger) -> list[Chunk]:
    """Return the chunks beside the picture that may be written."""
    kept, seen = [], set[bytes]()
    for one in chunks:
        if one.name in (*_PICTURE, b"VP8X"):
            continue
        form = table("webp")["chunks"].get(one.name.decode("latin-1"))
        fresh = None if form is None or one.name in seen else _judged(one, form["kind"], ledger)
        seen.add(one.name)
        if fresh is not None:
            kept.append(fresh)
        else:
            _drop(one, ledger)
    return kept


def _judged(one: Chunk, kind: str, ledger: Ledger) -> Chunk | None:
    start = 0
    if kind == "exif":
        start = max(0, exif_start(one.body))
        body = exif.clean(one.body[start:], ledger)
    elif kind == "xmp":
        body = xmp.clean(one.body, ledger)
    else:
        body = icc.clean(one.body, ledger)
    return Chunk(one.name, one.body[:start] + body) if body else None


def _drop(one: Chunk, ledger: Ledger) -> None:
    name = one.name.decode("latin-1").strip()
    called = table("webp")["called"].get(name)
    what = f"{name} chunk" if name.isascii() and name.isalnum() else "a chunk"
    ledger.drop(called or what, len(one.body), "further pictures" if called else "unknown")


def _coded(samples: Samples, *, lossless: bool, quality: int) -> list[Chunk]:
    file = io.BytesIO()
    Pillow.fromarray(np.ascontiguousarray(samples)).save(
        file,
        "WEBP",
        lossless=lossless,
        quality=100 if lossless else quality,
        method=4,
        exact=True,
        use_sharp_yuv=True,
    )
    return [one for one in split(file.getvalue())[0] if one.name in _PICTURE]


def _assemble(extra: list[Chunk], picture: list[Chunk], width: int, height: int) -> list[Chunk]:
    """Put chunks in the order the container prescribes, with a header that tells of them."""
    names = {one.name for one in extra}
    flags = _ICC * (b"ICCP" in names) | _EXIF * (b"EXIF" in names) | _XMP * (b"XMP " in names)
    coded = picture[-1]
    alpha = picture[0].name == b"ALPH" or (coded.name == b"VP8L" and coded.body[4] & 0x10)
    if not extra and len(picture) == 1:
        return picture
    flags |= _ALPHA if alpha else 0
    sizes = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    head = Chunk(b"VP8X", bytes([flags, 0, 0, 0]) + sizes)
    before = [one for one in extra if one.name == b"ICCP"]
    behind = [one for one in extra if one.name != b"ICCP"]
    return [head, *before, *picture, *behind]


def new(rendered: RenderedImage) -> bytes:
    """Write a new file."""
    extra = [(b"ICCP", rendered.icc or b""), (b"EXIF", rendered.exif), (b"XMP ", rendered.xmp)]
    height, width = rendered.pixels.shape[:2]
    picture = _coded(rendered.pixels, lossless=False, quality=rendered.quality)
    chunks = [Chunk(name, body) for name, body in extra if body]
    return join(_assemble(chunks, picture, width, height))


def strip(data: bytes) -> Iterable[tuple[str, bytes]]:
    """Yield every chunk but the picture, and what follows."""
    chunks, rest = split(data)
    for one in chunks:
        if one.name not in (*_PICTURE, b"ANMF"):
            yield f"{one.name.decode('latin-1').strip()} chunk", one.body
    yield "trailer", rest


def pictures(data: bytes) -> Iterable[tuple[str, bytes]]:
    """Yield the frames of an animation but the first."""
    frames = [one for one in split(data)[0] if one.name == b"ANMF"]
    for number, one in enumerate(frames[1:], 2):
        yield f"frame {number}", one.body


def review(data: bytes, ledger: Ledger) -> bool:
    """Tell whether every byte of a file may stay."""
    chunks, rest = split(data)
    beside = [one for one in chunks if one.name not in (*_PICTURE, b"VP8X")]
    return not rest and _clean(chunks, ledger) == beside


FORMAT = Format("WebP", decode, keep, new, strip, pictures, review)
