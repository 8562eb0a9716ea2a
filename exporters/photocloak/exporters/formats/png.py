"""PNG: 8 and 16 bits, gray, colour, palette and alpha, chunks kept byte for byte."""

import io
import struct
import zlib
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import PngImagePlugin

from photocloak.core import InputError
from photocloak.exporters.colour.conversion import to_eight
from photocloak.exporters.colour.signs import profile
from photocloak.exporters.containers.chunks import Chunk, join, split
from photocloak.exporters.formats import png_pixels, png_signs
from photocloak.exporters.formats.base import (
    Draft,
    Format,
    RenderedImage,
    animated,
    check_size,
    damaged,
    samples_of,
)
from photocloak.exporters.leaks import png as leaks
from photocloak.exporters.leaks.ledger import Ledger, settled
from photocloak.exporters.leaks.previews import Previews
from photocloak.exporters.metadata.orientation import stated, stored
from photocloak.exporters.model import Image, Photo, Raster, Samples
from photocloak.exporters.sample_delta import patch, patched

_PALETTE = 3
_STRIPE = 256  # rows at a time
_DAMAGE = (OSError, ValueError, SyntaxError, KeyError, struct.error, zlib.error)


def _chunks(data: bytes, name: str) -> tuple[list[Chunk], bytes]:
    try:
        chunks, rest = split(data)
    except ValueError as error:
        raise damaged(name, "PNG", error) from error
    if not chunks or chunks[0].name != b"IHDR" or len(chunks[0].body) != 13:
        raise InputError(f"{name}: this PNG file has no header; it is damaged: copy it again.")
    return chunks, rest


def decode(data: bytes, name: str) -> Raster:
    """Read the picture."""
    chunks, rest = _chunks(data, name)
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[0].body)
    check_size(name, width, height, data, densest=8300)
    if _is_animated(chunks):
        raise animated(name)
    signs = png_signs.signs(chunks)
    profile(signs, "RGB", name)  # HDR is refused before it is decoded
    notes = ("what follows the picture is left out",) if rest.strip(b"\0") else ()
    palette = kind == _PALETTE
    try:
        if depth == 16 and kind in png_pixels.CHANNELS:
            packed = b"".join(one.body for one in chunks if one.name == b"IDAT")
            size = width, height
            samples: Samples = png_pixels.decode16(packed, *size, kind, interlaced=bool(interlaced))
            mode = {number: mode for mode, number in png_pixels.COLOUR_TYPES.items()}[kind]
        else:
            samples, mode = _decoded(chunks, palette=palette)
    except _DAMAGE as error:
        raise damaged(name, "PNG", error) from error
    key = _body(chunks, b"tRNS")
    if mode in ("L", "RGB") and not palette and len(key) >= 2 * len(mode):
        samples, mode = _keyed(samples, key, depth), mode + "A"
    meaning = profile(signs, mode.removesuffix("A"), name)
    turn = stated(signs.exif, png_signs.packet(chunks))
    return Raster(samples, mode, meaning, turn, palette, notes=notes)


def _is_animated(chunks: list[Chunk]) -> bool:
    control = _body(chunks, b"acTL")
    many = len(control) == 8 and struct.unpack_from(">I", control)[0] > 1
    return many or bool(control and _body(chunks, b"fdAT"))


def _body(chunks: list[Chunk], name: bytes) -> bytes:
    return next((one.body for one in chunks if one.name == name), b"")


def _decoded(chunks: list[Chunk], *, palette: bool) -> tuple[Samples, str]:
    """Return the samples of up to 8 bits and their mode.

    Pillow gets nothing but the picture: it refuses a file for a long text beside it.
    """
    names = (b"IHDR", b"PLTE", b"IDAT", b"IEND") + ((b"tRNS",) if palette else ())
    own = join([one for one in chunks if one.name in names])
    picture: Pillow.Image = PngImagePlugin.PngImageFile(io.BytesIO(own))
    picture.load()
    if picture.mode == "P":
        picture = picture.convert("RGBA" if "transparency" in picture.info else "RGB")
    elif picture.mode not in png_pixels.COLOUR_TYPES:
        picture = picture.convert("L")  # one bit a pixel
    return samples_of(picture), picture.mode


def _keyed(samples: Samples, key: bytes, depth: int) -> Samples:
    """Return samples with an alpha channel: 0 where a pixel has the transparent colour (tRNS)."""
    channels, peak = samples.shape[2], np.iinfo(samples.dtype).max
    stated_ = np.array(struct.unpack_from(f">{channels}H", key)) & ((1 << depth) - 1)
    colour = stated_ * (peak // ((1 << depth) - 1))
    shown = np.any(samples != colour.astype(samples.dtype), axis=2, keepdims=True)
    return np.concatenate([samples, (shown * peak).astype(samples.dtype)], axis=2)


def keep(photo: Photo, base: Image, cloaked: Image) -> Draft:
    """Write the source with the cloak in it."""
    chunks, _ = _chunks(photo.data, photo.name)
    previews = Previews(np.ascontiguousarray(stored(cloaked, photo.raster.orientation)))
    kept, ledger = settled(lambda account: leaks.clean(chunks, account), previews)
    change = patch(photo.raster, base, cloaked)
    notes = (*photo.raster.notes, *ledger.notes)
    see_through = photo.raster.mode.endswith("A") and chunks[0].body[9] in (0, 2, _PALETTE)
    kept = _shown_palette(kept, photo.raster)
    lost = see_through and not _body(kept, b"tRNS")  # alpha that has to be written otherwise
    if change is None and not lost:
        kept = leaks.whole_picture(kept, png_pixels.packed_size(chunks[0].body))
    else:
        raster = patched(photo.raster, change)
        kept, more = _with_picture(kept, raster, chunks[0].body[8], indexed=not lost)
        notes = (*notes, *more)
    return Draft(join(kept), notes, frozenset(previews.written))


def _shown_palette(chunks: list[Chunk], raster: Raster) -> list[Chunk]:
    """Return chunks with the colours black that no pixel has; true colour needs no palette."""
    if not raster.palette:
        return [one for one in chunks if one.name != b"PLTE"]
    seen = np.zeros(1 << 24, bool)
    for top in range(0, len(raster.samples), _STRIPE):
        seen[_numbers(raster.samples[top : top + _STRIPE])] = True

    def shown(palette: bytes) -> bytes:
        colours = np.frombuffer(palette[: len(palette) // 3 * 3], np.uint8).reshape(-1, 3)
        return np.where(seen[_numbers(colours)][:, None], colours, 0).astype(np.uint8).tobytes()

    return [replace(one, body=shown(one.body)) if one.name == b"PLTE" else one for one in chunks]


def _numbers(colours: Samples) -> NDArray[np.integer]:
    """Return colours (…, 3 or more) as numbers of 24 bits."""
    red, green, blue = (colours[..., i].astype(np.uint32) for i in range(3))
    return red << 16 | green << 8 | blue


def _with_picture(
    chunks: list[Chunk], raster: Raster, depth: int, *, indexed: bool
) -> tuple[list[Chunk], tuple[str, ...]]:
    """Replace header, palette and picture data; a palette stays one if `indexed` and possible."""
    height, width = raster.samples.shape[:2]
    samples, kind = raster.samples, png_pixels.COLOUR_TYPES[raster.mode]
    colours: list[Chunk] | None = None
    notes: tuple[str, ...] = ()
    if raster.palette:
        found = _indexed(to_eight(raster.samples)) if indexed else None
        if found is None:
            notes = ("its palette has no room for what has to be written; now in true colour",)
            colours = []
        else:
            samples, colours = found
            kind = _PALETTE
    elif depth < 8:
        notes = (f"the cloak needs 8 bits a pixel instead of {depth}",)
    if colours is None and _body(chunks, b"tRNS") and raster.mode.endswith("A"):
        notes = (*notes, "its transparent colour became an alpha channel")
    bits = 16 if samples.dtype == np.uint16 else 8
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    result: list[Chunk] = []
    written = False
    for one in chunks:
        if one.name == b"IHDR":
            result.append(Chunk(b"IHDR", header))
        elif one.name in (b"PLTE", b"tRNS", b"hIST", b"bKGD", b"sBIT") and colours is not None:
            result += colours if one.name == b"PLTE" else []
        elif one.name == b"tRNS":
            continue
        elif one.name in (b"bKGD", b"sBIT"):
            result.append(_fitted(one, depth, kind, bits))
        elif one.name != b"IDAT":
            result.append(one)
        elif not written:
            result.append(Chunk(b"IDAT", png_pixels.encode(samples)))
            written = True
    return result, notes


def _fitted(chunk: Chunk, depth: int, kind: int, bits: int) -> Chunk:
    """Return a background or the significant bits for a picture that became deeper, or got alpha.

    Args:
        chunk: bKGD or sBIT.
        depth: the source's bits a channel.
        kind: colour type that is written.
        bits: a channel that are written.

    """
    if chunk.name == b"bKGD" and depth < bits and len(chunk.body) == 2:
        gray = struct.unpack(">H", chunk.body)[0] & ((1 << depth) - 1)
        return Chunk(b"bKGD", struct.pack(">H", gray * (((1 << bits) - 1) // ((1 << depth) - 1))))
    if chunk.name == b"sBIT" and len(chunk.body) == png_pixels.CHANNELS[kind] - 1:
        return Chunk(b"sBIT", chunk.body + bytes([bits]))
    return chunk


def _indexed(samples: Image) -> tuple[Image, list[Chunk]] | None:
    """Return palette indices and the chunks of the palette; None where 256 colours are too few."""
    flat = samples.reshape(-1, samples.shape[2])
    found, inverse = np.unique(flat, axis=0, return_inverse=True)
    if len(found) > 256:
        return None
    indices = inverse.reshape(*samples.shape[:2], 1).astype(np.uint8)
    chunks = [Chunk(b"PLTE", found[:, :3].tobytes())]
    if samples.shape[2] == 4:
        chunks.append(Chunk(b"tRNS", found[:, 3].tobytes()))
    return indices, chunks


def new(rendered: RenderedImage) -> bytes:
    """Write a new file."""
    height, width = rendered.pixels.shape[:2]
    chunks = [Chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))]
    if rendered.icc:
        chunks.append(Chunk(b"iCCP", b"ICC\0\0" + zlib.compress(rendered.icc)))
    if rendered.exif:
        chunks.append(Chunk(b"eXIf", rendered.exif))
    if rendered.xmp:
        chunks.append(Chunk(b"iTXt", leaks.XMP_KEYWORD + b"\0\0\0\0\0" + rendered.xmp))
    chunks += [Chunk(b"IDAT", png_pixels.encode(rendered.pixels)), Chunk(b"IEND", b"")]
    return join(chunks)


def strip(data: bytes) -> Iterable[tuple[str, bytes]]:
    """Yield every chunk but the picture, texts and profiles unpacked, and what follows IEND."""
    chunks, rest = split(data)
    for one in chunks:
        label = one.name.decode("latin-1")
        if one.name == b"IDAT":
            continue
        yield f"{label} chunk", one.body
        if one.name in (b"zTXt", b"iTXt", b"tEXt"):
            try:
                parts = leaks.unpack(one)
            except ValueError:
                continue
            keyword = parts.keyword.decode("latin-1")
            if parts.packed:
                yield f"{label} {keyword}", parts.text
            if keyword.startswith("Raw profile"):
                try:
                    yield f"{label} {keyword}", leaks.raw_profile(parts.text)
                except ValueError:
                    continue
    yield "trailer", rest


def pictures(data: bytes) -> Iterable[tuple[str, bytes]]:
    """Yield the frames of an animation beside the default picture."""
    for number, one in enumerate(split(data)[0]):
        if one.name == b"fdAT":
            yield f"fdAT chunk {number}", one.body


def review(data: bytes, ledger: Ledger) -> bool:
    """Tell whether every byte of a file may stay."""
    chunks, rest = split(data)
    kept = leaks.clean(chunks, ledger)
    return kept == chunks and not rest


FORMAT = Format("PNG", decode, keep, new, strip, pictures, review)
