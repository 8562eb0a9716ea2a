"""All coefficients of a JPEG, for comparing."""

import numpy as np
from numpy.typing import NDArray

from photocloak.exporters.coefficients.layout import Layout, read_layout
from photocloak.exporters.coefficients.opening import open_source
from photocloak.exporters.coefficients.source import Edit, Source
from photocloak.exporters.containers.segments import DHT, DRI, SOS, join, split


def coefficients(data: bytes) -> tuple[Layout, list[NDArray[np.int16]]]:
    """Return the layout of a file, and (rows, columns, 64) coefficients a component."""
    layout = read_layout(split(data).segments)
    source = open_source(layout)
    edits = everything(layout, source)
    return layout, [
        edit.blocks.reshape(*one.padded, 64)
        for edit, one in zip(edits, layout.components, strict=True)
    ]


def everything(layout: Layout, source: Source) -> list[Edit]:
    """Return edits that replace every block by itself."""
    edits = []
    for i, one in enumerate(layout.components):
        rows, columns = np.indices(one.padded).reshape(2, -1)
        edits.append(Edit(rows, columns, source.read(i, rows, columns)))
    return edits


def nothing(layout: Layout) -> list[Edit]:
    """Return edits that replace no block."""
    none = np.zeros(0, np.int64)
    return [Edit(none, none, np.zeros((0, 64), np.int16)) for _ in layout.components]


def rewritten(data: bytes, *, anew: bool) -> bytes:
    """Return a file written again: its blocks coded anew, or its bits copied where they can be."""
    stream = split(data)
    layout = read_layout(stream.segments)
    source = open_source(layout)
    fresh = source.write(everything(layout, source) if anew else nothing(layout))
    rest = [one for one in stream.segments if one.marker not in (DHT, DRI, SOS)]
    return join([*rest, *fresh])
