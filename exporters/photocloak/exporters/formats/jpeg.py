"""JPEG: read and written with its own tables, sampling, frame type and metadata segments."""

import io
from collections.abc import Iterable

import numpy as np
from PIL import Image as Pillow
from PIL import JpegImagePlugin

from photocloak.core import InputError
from photocloak.exporters.colour.signs import Signs, profile
from photocloak.exporters.containers.segments import (
    SOF,
    SOS,
    Segment,
    Stream,
    identifier,
    join,
    split,
)
from photocloak.exporters.formats import jpeg_coding
from photocloak.exporters.formats.base import (
    Draft,
    Format,
    RenderedImage,
    check_size,
    damaged,
    samples_of,
)
from photocloak.exporters.jpeg_dct.headers import UnsupportedError, read_headers
from photocloak.exporters.jpeg_dct.opening import open_source
from photocloak.exporters.leaks import frame
from photocloak.exporters.leaks import jpeg as leaks
from photocloak.exporters.leaks.ledger import Ledger, settled
from photocloak.exporters.leaks.previews import Previews
from photocloak.exporters.metadata.orientation import stated, stored
from photocloak.exporters.model import Image, Photo, Raster
from photocloak.exporters.sample_delta import patch

_KINDS = {  # frame headers of processes that are not taken (T.81, table B.1)
    0xC3: "is coded without loss",
    **dict.fromkeys((0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF), "is hierarchical"),
    **dict.fromkeys((0xC9, 0xCA, 0xCB), "is coded arithmetically"),
}


def _stream(data: bytes, name: str) -> Stream:
    try:
        stream = split(data, lenient=True)
    except ValueError as error:
        raise damaged(name, "JPEG", error) from error
    header = stream.frame()
    if header is None or not any(one.marker == SOS for one in stream.segments):
        raise InputError(f"{name}: this JPEG file holds no picture; it is damaged: copy it again.")
    kind = _KINDS.get(header.marker)
    if kind is None and header.payload[:1] not in (b"", b"\x08"):
        kind = f"has {header.payload[0]} bits a channel"
    if kind is not None:
        raise InputError(
            f"{name}: this JPEG {kind}, which hardly any program shows; export it as an ordinary "
            "JPEG, or as PNG or TIFF."
        )
    return stream


def decode(data: bytes, name: str) -> Raster:
    """Read the primary picture."""
    stream = _stream(data, name)
    check_size(name, *stream.size, data, densest=1100)
    own = data[: stream.end]
    if stream.strays or not stream.complete:
        own = join(stream.segments)
    if not stream.complete and not _is_whole(stream):
        raise damaged(name, "JPEG", ValueError("its data end too early"))
    try:
        picture: Pillow.Image = JpegImagePlugin.JpegImageFile(io.BytesIO(own))
        picture.load()
    except (OSError, ValueError, SyntaxError, TypeError, IndexError, KeyError) as error:
        raise damaged(name, "JPEG", error) from error
    if picture.mode not in ("L", "RGB", "CMYK"):
        raise InputError(
            f"{name}: JPEG files of kind {picture.mode} are not supported; export it as RGB."
        )
    block = leaks.exif_block(stream.segments)
    return Raster(
        samples_of(picture),
        picture.mode,
        profile(Signs(leaks.icc_profile(stream.segments), exif=block), picture.mode, name),
        stated(block, leaks.xmp_packet(stream.segments)),
        notes=(*_repaired(stream), *_further(data, stream)),
    )


def _is_whole(stream: Stream) -> bool:
    """Tell whether a picture without an end marker is there to its last coefficient."""
    try:
        headers = read_headers(stream.segments)
        open_source(headers)
    except UnsupportedError:
        return False
    sent = np.zeros((len(headers.components), 64), bool)
    for scan in headers.scans:
        if not headers.progressive:
            sent[list(scan.members)] = True
        elif scan.low == 0:
            sent[list(scan.members), scan.band[0] : scan.band[1] + 1] = True
    return bool(sent.all())


def _repaired(stream: Stream) -> tuple[str, ...]:
    """Say what was wrong with a file that every viewer shows."""
    notes = []
    if not stream.complete:
        notes.append("the file ended without an end marker")
    if stream.strays:
        count = sum(len(one) for one in stream.strays)
        notes.append(f"{count} bytes between its segments are left out")
    return tuple(notes)


def _further(data: bytes, stream: Stream) -> tuple[str, ...]:
    """Say what follows the primary picture; it is not written."""
    trailer = data[stream.end :].strip(b"\0")
    if not trailer:
        return ()
    if b"\xff\xd8\xff" in trailer:
        return ("further pictures behind the primary one are left out",)
    if b"ftyp" in trailer:
        return ("the film behind the picture is left out",)
    return (f"{len(data) - stream.end} bytes behind the picture are left out",)


def keep(photo: Photo, base: Image, cloaked: Image) -> Draft:
    """Write the source with the cloak in it."""
    stream = _stream(photo.data, photo.name)
    previews = Previews(np.ascontiguousarray(stored(cloaked, photo.raster.orientation)))
    kept, ledger = settled(lambda account: leaks.clean(stream.segments, account), previews)
    change = patch(photo.raster, base, cloaked)
    coded, why = jpeg_coding.recode(photo, stream, change)
    data = join(jpeg_coding.merge(kept, stream.segments, frame.plain(coded)))
    notes = (*photo.raster.notes, *ledger.notes, *why)
    return Draft(data, notes, frozenset(previews.written))


def new(rendered: RenderedImage) -> bytes:
    """Write a new file."""
    file = io.BytesIO()
    Pillow.fromarray(rendered.pixels).save(
        file,
        "JPEG",
        quality=rendered.quality,
        subsampling=rendered.subsampling,
        progressive=True,
        optimize=True,
    )
    segments = list(split(file.getvalue()).segments)
    extra = []
    if rendered.exif:
        extra.append(Segment(0xE1, leaks.EXIF_HEAD + rendered.exif))
    if rendered.xmp:
        extra.append(Segment(0xE1, leaks.XMP_HEAD + rendered.xmp))
    if rendered.icc:
        extra.append(Segment(0xE2, leaks.ICC_HEAD + b"\1\1" + rendered.icc))
    jfif = [one for one in segments if one.is_metadata]
    return join([*jfif, *extra, *(one for one in segments if not one.is_metadata)])


def strip(data: bytes) -> Iterable[tuple[str, bytes]]:
    """Yield every segment but the scans, and what follows the picture."""
    stream = split(data, lenient=True)
    for one in stream.segments:
        if one.is_metadata:
            name = "comment" if one.marker == 0xFE else f"APP{one.marker - 0xE0}"
            yield f"{name} {identifier(one).decode('latin-1')}".strip(), one.payload
        elif one.marker not in SOF:
            yield f"marker {one.marker:02X}", one.payload
    for packet in leaks.extended_xmp(list(stream.segments)):
        yield "ExtendedXMP", packet
    for stray in stream.strays:
        yield "bytes between segments", stray
    yield "trailer", data[stream.end :]


def review(data: bytes, ledger: Ledger) -> bool:
    """Tell whether every byte of a file may stay."""
    stream = split(data)
    metadata = [one for one in stream.segments if one.is_metadata]
    whole = stream.complete and stream.end == len(data)
    return whole and list(leaks.clean(stream.segments, ledger)) == metadata


FORMAT = Format("JPEG", decode, keep, new, strip, review=review)
