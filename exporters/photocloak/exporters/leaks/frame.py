"""The segments of a JPEG that are the picture itself: none unknown, no table twice."""

from dataclasses import replace

from photocloak.exporters.containers.segments import DHT, DNL, DQT, DRI, SOF, SOS, Segment

_ARITHMETIC = 0xCC  # DAC
_OWN = SOF | {DHT, DQT, DRI, SOS, DNL, _ARITHMETIC}


def plain(segments: list[Segment]) -> list[Segment]:
    """Return the picture's segments without unknown ones and without tables that are replaced.

    Of a table that is defined twice before the first scan, a decoder takes the last.
    """
    known = [one for one in segments if one.is_metadata or one.marker in _OWN]
    for marker in (DQT, DHT):
        known = _once(known, marker)
    return known


def _once(known: list[Segment], marker: int) -> list[Segment]:
    first = next((i for i, one in enumerate(known) if one.marker == SOS), len(known))
    found = [(i, one) for i, one in enumerate(known[:first]) if one.marker == marker]
    bodies = [body for _, one in found for body in _tables(one.payload, marker)]
    tables = {body[0] & (0x0F if marker == DQT else 0x1F): body for body in bodies}
    if len(bodies) == len(tables):
        return known
    at = found[-1][0]
    fresh = replace(known[at], payload=b"".join(tables.values()))
    kept = [fresh if i == at else one for i, one in enumerate(known[:first])]
    return [one for one in kept if one.marker != marker or one is fresh] + known[first:]


def _tables(payload: bytes, marker: int) -> list[bytes]:
    found, position = [], 0
    while position < len(payload):
        if marker == DQT:
            size = 1 + 64 * (1 + (payload[position] >> 4))
        else:
            size = 17 + sum(payload[position + 1 : position + 17])
        found.append(payload[position : position + size])
        position += size
    return found
