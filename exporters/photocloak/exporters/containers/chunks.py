"""PNG chunks (PNG, third edition): splitting a file and putting it together again."""

import struct
import zlib
from dataclasses import dataclass

SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Chunk:
    """A chunk: four-letter name and body."""

    name: bytes
    body: bytes

    def write(self) -> bytes:
        """Return its bytes, with length and checksum."""
        return struct.pack(">I", len(self.body)) + self.name + self.body + self.crc()

    def crc(self) -> bytes:
        """Return its checksum."""
        return struct.pack(">I", zlib.crc32(self.body, zlib.crc32(self.name)))


def split(data: bytes) -> tuple[list[Chunk], bytes]:
    """Return the chunks up to IEND and what follows them.

    Raises:
        ValueError: it is no PNG, a chunk that its picture needs is damaged, or it ends before IEND.

    """
    if not data.startswith(SIGNATURE):
        raise ValueError("no PNG signature")
    chunks, position = [], len(SIGNATURE)
    while position + 12 <= len(data):
        size, name = struct.unpack_from(">I4s", data, position)
        if position + 12 + size > len(data):
            break
        one = Chunk(name, data[position + 8 : position + 8 + size])
        if name[:1].isupper() and data[position + 8 + size : position + 12 + size] != one.crc():
            raise ValueError(f"its {name.decode('latin-1')} chunk is damaged")
        chunks.append(one)
        position += 12 + size
        if name == b"IEND":
            return chunks, data[position:]
    raise ValueError("it ends in the middle of a chunk")


def join(chunks: list[Chunk]) -> bytes:
    """Return a whole file."""
    return SIGNATURE + b"".join(one.write() for one in chunks)
