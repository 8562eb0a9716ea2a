"""The cloak in a JPEG's own terms: the DCT of δ on top of the quantised coefficients."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from photocloak.exporters.jpeg_dct.headers import ZIGZAG, Headers, UnsupportedError
from photocloak.exporters.jpeg_dct.source import BlockEdit, Source, joined
from photocloak.exporters.sample_delta import Patch

Model = Literal["gray", "ycc", "rgb", "cmyk", "ycck"]

# JFIF 1.02; differences only, so without the offset of chroma
_YCC = np.array(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32
)
_DCT = np.array(
    [
        [np.cos((2 * x + 1) * u * np.pi / 16) * (0.5 if u else np.sqrt(0.125)) for x in range(8)]
        for u in range(8)
    ],
    np.float32,
)
_ROWS = 32  # of MCUs that are calculated at once
_LARGEST = 1023  # what baseline tables can code (F.1.2.2)
_COUNTS = 0.4  # of a step: from here on a change is a step more


def edits(
    headers: Headers, source: Source, change: Patch, model: Model, *, inverted: bool
) -> list[BlockEdit]:
    """Return the coefficients with a change of pixels added, of the blocks that it reaches.

    Args:
        headers: of the file.
        source: its coefficients.
        change: of the decoded samples.
        model: how components make colours.
        inverted: the file stores 255 less the ink, as Adobe does.

    Raises:
        UnsupportedError: a component is sampled at a fraction that is no whole number.

    """
    parts: list[list[BlockEdit]] = [[] for _ in headers.components]
    for band in _bands(change, 8 * headers.largest[0] * _ROWS):
        delta = _components(band.delta, model, inverted=inverted)
        for i, part in enumerate(parts):
            part.append(_edit(headers, source, i, band, delta[..., i]))
    return [joined(part) for part in parts]


def _bands(change: Patch, height: int) -> Iterator[Patch]:
    """Cut a change at every multiple of a height, so that no block is in two bands."""
    bottom = change.top + change.delta.shape[0]
    for top in range(change.top // height * height, bottom, height):
        first, behind = max(top, change.top), min(top + height, bottom)
        yield Patch(first, change.left, change.delta[first - change.top : behind - change.top])


def _components(delta: NDArray[np.float32], model: Model, *, inverted: bool) -> NDArray[np.float32]:
    """Return the change of every component, (h, w, C)."""
    if model == "ycc":
        return delta @ _YCC.T
    if model == "ycck":  # RGB is 255 − CMY there; inverted files thus hold the inks themselves
        sign = 1 if inverted else -1
        ycc = sign * (delta[..., :3] @ _YCC.T)
        return np.concatenate([ycc, -delta[..., 3:] if inverted else delta[..., 3:]], axis=2)
    return -delta if model == "cmyk" and inverted else delta


def _edit(
    headers: Headers, source: Source, index: int, change: Patch, delta: NDArray[np.float32]
) -> BlockEdit:
    component = headers.components[index]
    down, across = headers.largest
    if down % component.down or across % component.across:
        raise UnsupportedError("its chroma is sampled at an odd fraction")
    step_y, step_x = down // component.down, across // component.across
    tall, wide = 8 * step_y, 8 * step_x
    height, width = delta.shape
    first_row, first_column = change.top // tall, change.left // wide
    rows = -(-(change.top + height) // tall) - first_row
    columns = -(-(change.left + width) // wide) - first_column
    canvas = np.zeros((rows * tall, columns * wide), np.float32)
    y, x = change.top - first_row * tall, change.left - first_column * wide
    canvas[y : y + height, x : x + width] = delta
    plane = canvas.reshape(rows * 8, step_y, columns * 8, step_x).mean(axis=(1, 3))
    tiles = plane.reshape(rows, 8, columns, 8).transpose(0, 2, 1, 3)
    touched = tiles.any(axis=(2, 3))
    spectrum = (_DCT @ tiles[touched] @ _DCT.T).reshape(-1, 64)[:, ZIGZAG]
    rows_, columns_ = np.nonzero(touched)
    rows_, columns_ = rows_ + first_row, columns_ + first_column
    old = source.read(index, rows_, columns_)
    fresh = old + _steps(spectrum / component.table)
    return BlockEdit(rows_, columns_, np.clip(fresh, -_LARGEST, _LARGEST).astype(np.int16))


def _steps(change: NDArray[np.float32]) -> NDArray[np.int32]:
    """Return a change of coefficients, in steps of their table, as whole steps.

    The source lies on the grid of its table already. Of a change that is mostly smaller than a
    step, rounding to the nearest thus loses more than it adds, and the cloak comes out weaker than
    it was made. Rounding up a little earlier makes up for that in what recognisers see, for no
    bytes; the table of thresholds that were tried is in docs/exporters.md.
    """
    whole = np.floor(np.abs(change) + np.float32(1 - _COUNTS))
    steps: NDArray[np.int32] = np.copysign(whole, change).astype(np.int32)
    return steps
