"""The metadata segments of a JPEG: kept byte for byte but for what would show the clean face."""

import struct
from dataclasses import dataclass, replace

from photocloak.exporters.containers.segments import COM, Segment, identifier
from photocloak.exporters.leaks import exif, xmp
from photocloak.exporters.leaks.previews import Previews
from photocloak.exporters.leaks.signatures import embedded

EXIF_HEAD = b"Exif\0\0"
XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\0"
EXTENDED_HEAD = b"http://ns.adobe.com/xmp/extension/\0"
IRB_HEAD = b"Photoshop 3.0\0"
ICC_HEAD = b"ICC_PROFILE\0"
MPF_HEAD = b"MPF\0"

# Segments that are a picture, or describe or sign one that is not there any more.
_GONE = {
    (0xE0, b"JFXX"): "JFXX thumbnail",
    (0xE1, b"FLIR"): "thermal image",
    (0xE2, b"MPF"): "index of further pictures",
    (0xE2, b"urn:iso:std:iso:ts:21496:-1"): "gain map data",
    (0xEB, b"HDR_RI ver=11"): "JPEG-HDR ratio image",
    (0xEB, b"JP"): "content credentials",
}


@dataclass(frozen=True)
class Cleaned:
    """The metadata segments to write, and what was left out."""

    segments: tuple[Segment, ...]
    notes: tuple[str, ...]


def clean(segments: tuple[Segment, ...], previews: Previews) -> Cleaned:
    """Return the application segments and comments that may be written, in their order."""
    kept = [one for one in segments if one.is_metadata]
    gone: list[str] = []
    for (marker, name), what in _GONE.items():
        rest = [one for one in kept if (one.marker, identifier(one)[: len(name)]) != (marker, name)]
        if len(rest) < len(kept):
            gone.append(what)
        kept = rest
    kept, removed = _without_extended(kept)
    gone += removed
    kept, removed = _without_strangers(kept)
    gone += removed
    kept = _photoshop(kept, previews)
    fresh = tuple(_one(one, previews, extended_gone="ExtendedXMP" in gone) for one in kept)
    notes = (f"left out: {', '.join(dict.fromkeys(gone))}",) if gone else ()
    return Cleaned(fresh, notes)


def exif_block(segments: tuple[Segment, ...]) -> bytes:
    """Return the first EXIF block from its byte order mark, empty where there is none."""
    found = (one.payload[6:] for one in segments if _starts(one, 0xE1, EXIF_HEAD))
    return next(found, b"")


def xmp_packet(segments: tuple[Segment, ...]) -> bytes:
    """Return the first XMP packet, empty where there is none."""
    found = (one.payload for one in segments if _starts(one, 0xE1, XMP_HEAD))
    return next(found, b"").removeprefix(XMP_HEAD)


def icc_profile(segments: tuple[Segment, ...]) -> bytes | None:
    """Return the colour profile, joined from its segments (ICC.1:2010, B.4)."""
    parts = sorted(
        (one.payload[12], one.payload[14:])
        for one in segments
        if _starts(one, 0xE2, ICC_HEAD) and len(one.payload) > 14
    )
    return b"".join(part for _, part in parts) or None


def _one(segment: Segment, previews: Previews, *, extended_gone: bool) -> Segment:
    payload = segment.payload
    if _starts(segment, 0xE1, EXIF_HEAD):
        payload = EXIF_HEAD + exif.clean(payload[6:], previews)
    elif _starts(segment, 0xE1, XMP_HEAD):
        packet = payload[len(XMP_HEAD) :]
        payload = XMP_HEAD + xmp.clean(packet, extended_gone=extended_gone)
    elif _starts(segment, 0xE0, b"JFIF\0") and len(payload) > 14:
        payload = payload[:12] + b"\0\0"  # a raw RGB thumbnail follows its size
    return segment if payload == segment.payload else replace(segment, payload=payload)


def _without_extended(kept: list[Segment]) -> tuple[list[Segment], list[str]]:
    """Drop an ExtendedXMP as a whole where it holds a picture: its digest binds all parts."""
    parts = [one for one in kept if _starts(one, 0xE1, EXTENDED_HEAD)]
    joined = extended_xmp(parts)
    if all(xmp.clean(packet) == packet for packet in joined):
        return kept, []
    return [one for one in kept if one not in parts], ["ExtendedXMP"]


def extended_xmp(segments: list[Segment]) -> list[bytes]:
    """Return the packets that ExtendedXMP segments are parts of, joined by digest and offset."""
    packets: dict[bytes, list[tuple[int, bytes]]] = {}
    for one in segments:
        body = one.payload[len(EXTENDED_HEAD) :]
        if _starts(one, 0xE1, EXTENDED_HEAD) and len(body) >= 40:
            offset = struct.unpack_from(">I", body, 36)[0]
            packets.setdefault(body[:32], []).append((offset, body[40:]))
    return [b"".join(part for _, part in sorted(parts)) for parts in packets.values()]


def _without_strangers(kept: list[Segment]) -> tuple[list[Segment], list[str]]:
    """Drop segments of an unknown kind together with their kin where one holds a picture."""
    known = (EXIF_HEAD, XMP_HEAD, EXTENDED_HEAD, IRB_HEAD, ICC_HEAD)
    strangers = [one for one in kept if not one.payload.startswith(known)]
    bad = set()
    for one in strangers:
        kin = (one.marker, identifier(one))
        if any(embedded(one.payload)):
            bad.add(kin)
    names = ["comment" if m == COM else f"APP{m - 0xE0} {n.decode('latin-1')!r}" for m, n in bad]
    rest = [one for one in kept if (one.marker, identifier(one)) not in bad]
    return rest, [f"{name} with a picture in it" for name in sorted(names)]


def _photoshop(kept: list[Segment], previews: Previews) -> list[Segment]:
    """Replace thumbnails in Photoshop's resources, which may cross segment borders."""
    parts = [one for one in kept if _starts(one, 0xED, IRB_HEAD)]
    if not parts:
        return kept
    joined = b"".join(one.payload[len(IRB_HEAD) :] for one in parts)
    fresh = clean_resources(joined, previews)
    if fresh == joined:
        return kept
    result, position = [], 0
    for one in kept:
        if _starts(one, 0xED, IRB_HEAD):
            size = len(one.payload) - len(IRB_HEAD)
            part = IRB_HEAD + fresh[position : position + size]
            result.append(replace(one, payload=part))
            position += size
        else:
            result.append(one)
    return result


def clean_resources(resources: bytes, previews: Previews) -> bytes:
    """Return Photoshop image resources of the same length, thumbnails replaced or blanked."""
    result = previews.overwrite(resources)
    position = 0
    while (position := result.find(b"8BIM\x04", position)) >= 0:
        kind = result[position + 5 : position + 6]
        if kind in (b"\x09", b"\x0c") and len(result) >= position + 40:
            name = result[position + 6] + 1
            body = position + 6 + name + name % 2 + 4
            size = struct.unpack_from(">I", result, body - 4)[0]
            form = result[body : body + 4]
            if form == b"\0\0\0\0":  # raw RGB instead of JPEG
                raw = body + 28
                stop = min(body + size, len(result))
                result = result[:raw] + bytes(max(0, stop - raw)) + result[max(raw, stop) :]
        position += 5
    return result


def _starts(segment: Segment, marker: int, head: bytes) -> bool:
    return segment.marker == marker and segment.payload.startswith(head)
