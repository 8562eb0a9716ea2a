"""The cloak into a JPEG: coefficient by coefficient, or, where that cannot be, encoded anew."""

import io
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from PIL import Image as Pillow
from PIL import JpegImagePlugin

from photocloak.exporters.colour.conversion import LUMA
from photocloak.exporters.containers.segments import (
    DHT,
    DRI,
    SOS,
    Segment,
    Stream,
    join,
    split,
)
from photocloak.exporters.jpeg_dct.delta import Model, edits
from photocloak.exporters.jpeg_dct.headers import Headers, UnsupportedError, read_headers
from photocloak.exporters.jpeg_dct.opening import open_source
from photocloak.exporters.jpeg_dct.progression import Progressive
from photocloak.exporters.jpeg_dct.source import BlockEdit, Source
from photocloak.exporters.model import Photo, Samples
from photocloak.exporters.sample_delta import Patch, patched

# How much of the wanted change of brightness must be there when the file is decoded again.
CARRIED = 0.6
_SAMPLINGS = {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}
_FINE_QUALITY = 92


def recode(
    photo: Photo, stream: Stream, change: Patch | None
) -> tuple[list[Segment], tuple[str, ...]]:
    """Return the segments of the changed picture (without metadata), and why it was re-encoded.

    Blocks that the change does not reach keep their coefficients, tables and frame stay, as long
    as that carries the cloak; the notes are empty then.
    """
    own = [one for one in stream.segments if not one.is_metadata]
    if change is None:
        return _untouched(photo.data, stream, own), ()
    try:
        fresh = _in_place(photo.data, stream, change)
    except UnsupportedError as error:
        return _anew(photo, stream, change, fine=False), (f"encoded anew, since {error}",)
    shown = decoded([*_transform(stream), *fresh], change)
    if carried(photo.raster.samples[change.window], shown, change) >= CARRIED:
        return fresh, ()
    reason = "its quality is too low to carry a cloak: encoded anew with finer steps"
    return _anew(photo, stream, change, fine=True), (reason,)


def merge(
    metadata: Sequence[Segment], source: Sequence[Segment], coded: Sequence[Segment]
) -> list[Segment]:
    """Put the coded picture where the source has its first segment that is not metadata.

    An Adobe segment of an encoder states the colours of what it coded, so it takes the place of
    the source's.
    """
    if any(_is_adobe(one) for one in coded):
        metadata = [one for one in metadata if not _is_adobe(one)]
    first = next((one.at for one in source if not one.is_metadata), 0)
    before = [one for one in metadata if one.at < first]
    behind = [one for one in metadata if one.at >= first]
    picture = [one for one in coded if not one.is_metadata or _is_adobe(one)]
    scan = next(i for i, one in enumerate(picture) if one.marker == SOS)
    while scan > 0 and picture[scan - 1].marker in (DHT, DRI):
        scan -= 1
    return [*before, *picture[:scan], *behind, *picture[scan:]]


def carried(before: Samples, after: Samples, change: Patch) -> float:
    """Return how much of a wanted change is there: 1 all of it, 0 nothing, by least squares.

    Args:
        before: (h, w, C) samples where the change lies.
        after: the same with it.
        change: what was wanted.

    """
    wanted = _brightness(change.delta)
    found = _brightness(np.subtract(after, before, dtype=np.int16))
    power = float(np.vdot(wanted, wanted))
    return float(np.vdot(found, wanted)) / power if power > 0 else 1.0


def decoded(segments: Sequence[Segment], change: Patch) -> Samples:
    """Return the samples of a JPEG where a change lies, (h, w, C)."""
    rows, columns = change.window
    picture = JpegImagePlugin.JpegImageFile(io.BytesIO(join(list(segments))))
    samples = np.asarray(picture.crop((columns.start, rows.start, columns.stop, rows.stop)))
    return samples[..., None] if samples.ndim == 2 else samples


def _brightness(delta: np.ndarray) -> np.ndarray:
    return delta[..., 0] if delta.shape[2] == 1 else delta[..., :3] @ LUMA


def _untouched(data: bytes, stream: Stream, own: list[Segment]) -> list[Segment]:
    """Return a picture with no change in it, and nothing behind the last block of its scans."""
    try:
        headers, source = _source(data)
    except UnsupportedError:
        return own
    if isinstance(source, Progressive) and not source.goes_on:
        return own
    none = np.zeros(0, np.int64)
    nothing = BlockEdit(none, none, np.zeros((0, 64), np.int16))
    fresh = source.write([nothing] * len(headers.components))
    scans = [one.scan for one in fresh if one.marker == SOS]
    old = [one.scan for one in own if one.marker == SOS]
    if len(scans) != len(old) or not all(map(bytes.startswith, old, scans)):
        return [*_head(stream), *fresh]
    left = iter(scans)
    return [replace(one, scan=next(left)) if one.marker == SOS else one for one in own]


def _head(stream: Stream) -> list[Segment]:
    return [
        one for one in stream.segments if not one.is_metadata and one.marker not in (DHT, DRI, SOS)
    ]


def _in_place(data: bytes, stream: Stream, change: Patch) -> list[Segment]:
    """Add the change to the coefficients.

    Raises:
        UnsupportedError: the file is of another kind, or damaged.

    """
    headers, source = _source(data)
    model, inverted = _model(headers, stream)
    fresh = edits(headers, source, change, model, inverted=inverted)
    return [*_head(stream), *source.write(fresh)]


@lru_cache(maxsize=1)  # a cloak that is too weak is encoded again, harder, into the same photo
def _source(data: bytes) -> tuple[Headers, Source]:
    """Open a file for changes to its coefficients."""
    headers = read_headers(split(data, lenient=True).segments)
    return headers, open_source(headers)


def _is_adobe(segment: Segment) -> bool:
    return segment.marker == 0xEE and segment.payload.startswith(b"Adobe")


def _transform(stream: Stream) -> list[Segment]:
    """Return the segments that tell a decoder what the components mean."""
    return [
        one
        for one in stream.segments
        if _is_adobe(one) or (one.marker == 0xE0 and one.payload.startswith(b"JFIF\0"))
    ]


def _model(headers: Headers, stream: Stream) -> tuple[Model, bool]:
    """Return the colour model, told as libjpeg tells it, and whether inks are inverted."""
    adobe = next((one.payload for one in stream.segments if _is_adobe(one)), b"")
    transform = adobe[11] if len(adobe) > 11 else None
    count = len(headers.components)
    if count == 1:
        return "gray", False
    if count == 4:
        return ("ycck" if transform == 2 else "cmyk"), transform is not None
    if count != 3:
        raise UnsupportedError(f"it has {count} components")
    jfif = any(one.payload.startswith(b"JFIF\0") for one in stream.segments if one.marker == 0xE0)
    if not jfif and transform is None:
        named = bytes(component.number for component in headers.components)
        return ("rgb" if named == b"RGB" else "ycc"), False
    return ("rgb" if not jfif and transform == 0 else "ycc"), False


def _anew(photo: Photo, stream: Stream, change: Patch, *, fine: bool) -> list[Segment]:
    """Encode the changed picture anew, with the tables and the sampling of the source."""
    raster = patched(photo.raster, change)
    source = JpegImagePlugin.JpegImageFile(io.BytesIO(join(stream.segments)))
    sampling = _SAMPLINGS.get(JpegImagePlugin.get_sampling(source), "4:4:4")
    tables = {"quality": _FINE_QUALITY} if fine else {"qtables": source.quantization}
    frame = stream.frame()
    samples = raster.samples[..., 0] if raster.mode == "L" else raster.samples
    file = io.BytesIO()
    Pillow.fromarray(np.ascontiguousarray(samples), raster.mode).save(
        file,
        "JPEG",
        subsampling=sampling,
        progressive=frame is not None and frame.marker in (0xC2, 0xCA),
        optimize=True,
        **tables,
    )
    return [one for one in split(file.getvalue()).segments if not one.is_metadata or _is_adobe(one)]
