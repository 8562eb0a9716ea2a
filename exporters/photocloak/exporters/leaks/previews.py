"""Small pictures inside metadata, made anew from the cloaked pixels at the length they had."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from PIL import Image as Pillow

from photocloak.exporters.containers.segments import SOF, SOS, Stream, split
from photocloak.exporters.model import Image

_QUALITIES = (88, 75, 60, 45, 30, 15, 5)
_LARGEST = 10_000


@dataclass
class Previews:
    """Makes previews and remembers them, so that the leak scan knows which ones are ours.

    Attributes:
        pixels: (H, W, 3) cloaked sRGB in the file's stored orientation.
        written: every preview that was made.
        replaced: how many pictures were replaced.
        blanked: how many were overwritten with zeros, as no preview fits in their place.

    """

    pixels: Image
    written: set[bytes] = field(default_factory=set)
    replaced: int = 0
    blanked: int = 0

    def render(self, width: int, height: int) -> Image:
        """Return (height, width, 3): the picture, whole, on black."""
        rows, columns = self.pixels.shape[:2]
        scale = min(width / columns, height / rows)
        size = max(1, round(columns * scale)), max(1, round(rows * scale))
        small = Pillow.fromarray(self.pixels).resize(size, Pillow.Resampling.LANCZOS)
        page = Pillow.new("RGB", (width, height))
        page.paste(small, ((width - size[0]) // 2, (height - size[1]) // 2))
        return np.asarray(page)

    def jpeg(self, width: int, height: int, room: int) -> bytes | None:
        """Return a JPEG of this size in at most `room` bytes, or None."""
        if not (0 < width <= _LARGEST and 0 < height <= _LARGEST) or room < 400:
            return None
        picture = Pillow.fromarray(self.render(width, height))
        for quality in _QUALITIES:
            file = io.BytesIO()
            picture.save(file, "JPEG", quality=quality, optimize=True)
            if file.tell() <= room:
                self.written.add(file.getvalue())
                return file.getvalue()
        return None

    def overwrite(self, block: bytes) -> bytes:
        """Return a block of the same length with every embedded JPEG replaced by a preview."""
        result = bytearray(block)
        for start, stream in embedded_jpegs(block):
            room = stream.end - start
            if block[start : stream.end] in self.written:
                continue
            made = self.jpeg(*stream.size, room)
            result[start : stream.end] = (made or b"").ljust(room, b"\0")
            if made:
                self.replaced += 1
            else:
                self.blanked += 1
        return bytes(result)


def embedded_jpegs(block: bytes) -> Iterator[tuple[int, Stream]]:
    """Yield (offset, stream) of every JPEG in a block, outermost only, truncated ones included.

    Minolta cameras spoil the first byte of their preview, so it is not asked for; what tells a
    picture from chance is a frame header or tables that hang together.
    """
    position = 0
    while (position := block.find(b"\xd8\xff", position)) > 0:
        start = position - 1
        position += 2
        try:
            stream = split(b"\xff" + block[start + 1 :])
        except ValueError:
            continue
        if not _is_picture(stream, spoilt=block[start] != 0xFF):
            continue
        stream = Stream(stream.segments, start + stream.end, stream.complete)
        yield start, stream
        position = stream.end


def _is_picture(stream: Stream, *, spoilt: bool) -> bool:
    markers = [one.marker for one in stream.segments]
    whole = any(marker in SOF for marker in markers) and SOS in markers
    # cut short it may still show a face; whole but without a frame it is only tables
    return whole or (not spoilt and not stream.complete and len(markers) >= 2)
