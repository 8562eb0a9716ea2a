"""The segments of a JPEG that are the picture itself: none unknown, no table twice."""

from dataclasses import replace

from photocloak.exporters.containers.segments import DHT, DNL, DQT, DRI, SOF, SOS, Segment

_ARITHMETIC = 0xCC  # DAC
_OWN = SOF | {DHT, DQT, DRI, SOS, DNL, _ARITHMETIC}


def plain(segments: list[Segment]) -> list[Segment]:
    """Return the picture's segments without unknown ones and without tables that are replaced.

    Quantisation tables stand before the first scan; of one that is defined again there, a decoder
    takes the last.
    """
    known = [one for one in segments if one.is_metadata or one.marker in _OWN]
    first = next((i for i, one in enumerate(known) if one.marker == SOS), len(known))
    tables: dict[int, bytes] = {}
    count = 0
    for one in known[:first]:
        if one.marker == DQT:
            for body in _tables(one.payload):
                tables[body[0] & 15] = body
                count += 1
    if count == len(tables):
        return known
    fresh = Segment(DQT, b"".join(tables.values()))
    at = next(i for i, one in enumerate(known) if one.marker == DQT)
    rest = [one for one in known[:first] if one.marker != DQT]
    return [*rest[:at], replace(fresh, at=known[at].at), *rest[at:], *known[first:]]


def _tables(payload: bytes) -> list[bytes]:
    found, position = [], 0
    while position < len(payload):
        size = 1 + 64 * (1 + (payload[position] >> 4))
        found.append(payload[position : position + size])
        position += size
    return found
