"""JPEG segments (ITU-T T.81 annex B): splitting a file and putting it together again."""

import struct
from dataclasses import dataclass

SOI, EOI, SOS, DQT, DHT, DRI, COM, DNL = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD, 0xFE, 0xDC
SOF = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_APP = range(0xE0, 0xF0)


@dataclass(frozen=True)
class Segment:
    """A marker segment.

    Attributes:
        marker: second byte of the marker.
        payload: without marker and length.
        at: offset of the marker's 0xFF in the file.
        scan: for SOS, the entropy-coded bytes that follow, restart markers included.

    """

    marker: int
    payload: bytes
    at: int = 0
    scan: bytes = b""

    @property
    def is_metadata(self) -> bool:
        """Whether it is an application segment or a comment."""
        return self.marker in _APP or self.marker == COM

    def write(self) -> bytes:
        """Return its bytes."""
        head = struct.pack(">BBH", 0xFF, self.marker, len(self.payload) + 2)
        return head + self.payload + self.scan


@dataclass(frozen=True)
class Stream:
    """One JPEG stream, SOI to EOI.

    Attributes:
        segments: all in order.
        end: offset behind EOI, or of the end of the data.
        complete: whether it ends with EOI.
        strays: bytes between segments that belong to none.

    """

    segments: tuple[Segment, ...]
    end: int
    complete: bool
    strays: tuple[bytes, ...] = ()

    def frame(self) -> Segment | None:
        """Return the frame header."""
        return next((one for one in self.segments if one.marker in SOF), None)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) as the frame header states it, (0, 0) without one."""
        frame = self.frame()
        if frame is None or len(frame.payload) < 6:
            return 0, 0
        height, width = struct.unpack_from(">HH", frame.payload, 1)
        return width, height


def split(data: bytes, start: int = 0, *, lenient: bool = False) -> Stream:
    """Split the stream that begins at `start`.

    Args:
        data: what holds it.
        start: offset of its SOI.
        lenient: as decoders do, pass over bytes between segments that make no marker of one, and
            take another picture behind the scans as the end of this one.

    Raises:
        ValueError: no JPEG begins there, or its segments make no sense.

    """
    if data[start : start + 2] != b"\xff\xd8":
        raise ValueError("no JPEG begins here")
    segments: list[Segment] = []
    strays: list[bytes] = []
    position = start + 2
    while True:
        at = position
        if lenient:
            position = _marker(data, position)
            strays += [data[at:position]] if data[at:position].strip(b"\xff") else []
        while data[position : position + 1] == b"\xff" and data[position + 1 : position + 2] in (
            b"\xff",
        ):
            position += 1  # fill bytes
        if data[position : position + 1] != b"\xff" or position + 1 >= len(data):
            return Stream(tuple(segments), at, complete=False, strays=tuple(strays))
        marker = data[position + 1]
        if marker == EOI:
            return Stream(tuple(segments), position + 2, complete=True, strays=tuple(strays))
        if lenient and marker == SOI and any(one.marker == SOS for one in segments):
            return Stream(tuple(segments), position, complete=False, strays=tuple(strays))
        if marker in (SOI, 0x00, 0x01) or 0xD0 <= marker <= 0xD7:
            raise ValueError(f"marker {marker:02X} where a segment should begin")
        length = struct.unpack(">H", data[position + 2 : position + 4].rjust(2, b"\0"))[0]
        body = position + 4
        after = position + 2 + length
        if length < 2 or after > len(data):
            raise ValueError("a segment reaches beyond the end of the file")
        scan = b""
        if marker == SOS:
            stop = _scan_end(data, after)
            scan, after = data[after:stop], stop
        segments.append(Segment(marker, data[body : position + 2 + length], position, scan))
        position = after


def _marker(data: bytes, start: int) -> int:
    """Return the offset of the next marker that begins a segment or ends the picture."""
    position = start
    while (position := data.find(b"\xff", position)) >= 0:
        following = data[position + 1 : position + 2]
        if following and following not in b"\xff\x00\x01" and not 0xD0 <= following[0] <= 0xD7:
            return position
        position += 1
    return len(data)


def _scan_end(data: bytes, start: int) -> int:
    """Return the offset of the first marker behind entropy-coded bytes, RSTn excepted."""
    position = start
    while True:
        position = data.find(b"\xff", position)
        if position < 0 or position + 1 >= len(data):
            return len(data)
        following = data[position + 1]
        if following == 0xFF:
            position += 1
        elif following == 0 or 0xD0 <= following <= 0xD7:
            position += 2
        else:
            return position


def identifier(segment: Segment) -> bytes:
    """Return what an application segment calls itself: its bytes up to the first zero."""
    return segment.payload[:64].split(b"\0")[0]


def join(segments: tuple[Segment, ...] | list[Segment]) -> bytes:
    """Return a whole stream."""
    return b"\xff\xd8" + b"".join(one.write() for one in segments) + b"\xff\xd9"
