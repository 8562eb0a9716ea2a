"""The segments of a JPEG that are the picture itself: none unknown, no table that nothing uses."""

from collections.abc import Iterator
from dataclasses import replace

from photocloak.exporters.containers.segments import DHT, DNL, DQT, DRI, SOF, SOS, Segment

_OWN = SOF | {DHT, DQT, DRI, SOS, DNL}
_NUMBER = 2  # bytes of the payload of DRI and DNL (ITU-T T.81, B.2.4.4 and B.2.5)
_PROGRESSIVE = (0xC2, 0xC6, 0xCA, 0xCE)
Use = tuple[int, int]  # marker, number of a table


def plain(segments: list[Segment]) -> list[Segment]:
    """Return the picture's segments without unknown ones and without what no scan uses.

    Of a table that is defined twice before a scan, a decoder takes the last.
    """
    frame = next((one for one in segments if one.marker in SOF), None)
    used: set[Use] = set()
    kept = [_needed(one, used, frame) for one in reversed(segments)]
    return [one for one in reversed(kept) if one is not None]


def _needed(one: Segment, used: set[Use], frame: Segment | None) -> Segment | None:
    """Return what of a segment is needed by those behind it, and note what it needs itself."""
    if one.is_metadata:
        return one
    if one.marker == SOS:
        used |= set(_uses(one.payload, frame))
    elif one.marker in (DQT, DHT):
        body = b"".join(reversed(list(_used(one, used))))
        return None if not body else one if body == one.payload else replace(one, payload=body)
    elif one.marker == DRI:
        if len(one.payload) != _NUMBER or (DRI, 0) not in used:
            return None
        used.discard((DRI, 0))
    elif one.marker == DNL:
        if len(one.payload) != _NUMBER or (DNL, 0) in used:
            return None
        used.add((DNL, 0))
    return one if one.marker in _OWN else None


def _uses(scan: bytes, frame: Segment | None) -> Iterator[Use]:
    """Yield what a scan uses: Huffman and quantisation tables, and an interval."""
    yield DRI, 0
    header = frame.payload if frame else b""
    progressive = frame is not None and frame.marker in _PROGRESSIVE
    quantised = {header[i]: header[i + 2] for i in range(6, len(header) - 2, 3)}
    end = 1 + 2 * scan[0] if scan else 0
    first, last, bits = scan[end : end + 3] if len(scan) >= end + 3 else (0, 63, 0)
    for at in range(1, min(end, len(scan) - 1), 2):
        component, tables = scan[at], scan[at + 1]
        if first == 0 and not (progressive and bits >> 4):
            yield DHT, tables >> 4
        if last > 0:
            yield DHT, 0x10 | tables & 0x0F
        yield DQT, quantised.get(component, 0)


def _used(segment: Segment, used: set[Use]) -> Iterator[bytes]:
    """Yield the tables of a segment that a scan behind it uses, the last first."""
    for body in reversed(_tables(segment.payload, segment.marker)):
        table = segment.marker, body[0] & (0x0F if segment.marker == DQT else 0x1F)
        if table in used:
            used.discard(table)
            yield body


def _tables(payload: bytes, marker: int) -> list[bytes]:
    found, position = [], 0
    while position < len(payload):
        if marker == DQT:
            size = 129 if payload[position] >> 4 else 65
        else:
            size = 17 + sum(payload[position + 1 : position + 17])
        found.append(payload[position : position + size])
        position += size
    return found
