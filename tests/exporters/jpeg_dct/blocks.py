"""All coefficients of a JPEG, for comparing."""

import numpy as np
from numpy.typing import NDArray

from photocloak.exporters.containers.segments import DHT, DRI, SOS, join, split
from photocloak.exporters.jpeg_dct.headers import Headers, read_headers
from photocloak.exporters.jpeg_dct.opening import open_source
from photocloak.exporters.jpeg_dct.source import BlockEdit, Source


def coefficients(data: bytes) -> tuple[Headers, list[NDArray[np.int16]]]:
    """Return the layout of a file, and (rows, columns, 64) coefficients a component."""
    headers = read_headers(split(data).segments)
    source = open_source(headers)
    edits = everything(headers, source)
    return headers, [
        edit.blocks.reshape(*one.padded, 64)
        for edit, one in zip(edits, headers.components, strict=True)
    ]


def everything(headers: Headers, source: Source) -> list[BlockEdit]:
    """Return edits that replace every block by itself."""
    edits = []
    for i, one in enumerate(headers.components):
        rows, columns = np.indices(one.padded).reshape(2, -1)
        edits.append(BlockEdit(rows, columns, source.read(i, rows, columns)))
    return edits


def nothing(headers: Headers) -> list[BlockEdit]:
    """Return edits that replace no block."""
    none = np.zeros(0, np.int64)
    return [BlockEdit(none, none, np.zeros((0, 64), np.int16)) for _ in headers.components]


def rewritten(data: bytes, *, anew: bool) -> bytes:
    """Return a file written again: its blocks coded anew, or its bits copied where they can be."""
    stream = split(data)
    headers = read_headers(stream.segments)
    source = open_source(headers)
    fresh = source.write(everything(headers, source) if anew else nothing(headers))
    rest = [one for one in stream.segments if one.marker not in (DHT, DRI, SOS)]
    return join([*rest, *fresh])
