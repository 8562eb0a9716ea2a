"""RIFF chunks, as in WebP: splitting a file and putting it together again."""

import struct
from dataclasses import dataclass


@dataclass(frozen=True)
class Chunk:
    """A chunk: four-letter name and body."""

    name: bytes
    body: bytes


def split(data: bytes) -> tuple[list[Chunk], bytes]:
    """Return the chunks of a WebP file and what follows the RIFF.

    Raises:
        ValueError: it is no WebP file, or ends in the middle of a chunk.

    """
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        raise ValueError("no WebP header")
    end = min(len(data), 8 + struct.unpack_from("<I", data, 4)[0])
    chunks, position = [], 12
    while position + 8 <= end:
        name, size = struct.unpack_from("<4sI", data, position)
        if position + 8 + size > len(data):
            raise ValueError("it ends in the middle of a chunk")
        chunks.append(Chunk(name, data[position + 8 : position + 8 + size]))
        position += 8 + size + size % 2
    return chunks, data[max(position, end) :]


def join(chunks: list[Chunk]) -> bytes:
    """Return a whole file."""
    body = b"WEBP"
    for one in chunks:
        body += (
            struct.pack("<4sI", one.name, len(one.body)) + one.body + b"\0" * (len(one.body) % 2)
        )
    return b"RIFF" + struct.pack("<I", len(body)) + body
