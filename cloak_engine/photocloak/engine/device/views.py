"""Views as formulas: their maps are made on the device, of a few numbers that are drawn elsewhere.

`optimisation.augment` draws them and says what they mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from photocloak.engine.detection.alignment import SIZE
from photocloak.engine.device.value import Value
from photocloak.engine.extractors import ExtractorSpec
from photocloak.engine.optimisation.surrogates import Drawn

_SHARP = 1e-3
"""σ in pixels whose blur is exactly none."""

_BY_CUT = 6  # start, step and width of rows and of columns


def width(extractors: int) -> int:
    """Return how many numbers are drawn for a face."""
    return 2 + _BY_CUT * extractors


def numbers(drawn: Drawn, names: Sequence[str]) -> npt.NDArray[np.float32]:
    """Return a view and its cuts in numbers, (2 + 6 · extractors,)."""
    found = [max(drawn.view.sigma, _SHARP), float(drawn.view.size)]
    for name in names:
        for line in drawn.cuts[name].lines():
            found += line
    return np.asarray(found, np.float32)


class Views:
    """The maps from the face space to the extractors' chips, and back for gradients.

    Args:
        drawn: (N, width), see `numbers`.
        specs: the extractors, in the order of their numbers.

    """

    def __init__(self, drawn: Value, specs: Sequence[ExtractorSpec]) -> None:
        column = iter(_columns(drawn, width(len(specs))))
        self._degrade = _degrading(next(column), next(column))
        self._cuts = []
        for spec in specs:
            rows, columns = (
                _sampling(spec.size, (next(column), next(column), next(column)), SIZE - 1.0)
                for _ in range(2)
            )
            self._cuts.append((rows, columns))

    def __call__(self, planes: Value) -> list[Value]:
        """Return the chips, (N, 3, S, S) each, of (N, 3, SIZE, SIZE)."""
        seen = self._degrade @ planes @ self._degrade.turned
        return [rows @ seen @ columns.turned for rows, columns in self._cuts]

    def pullback(self, gradients: Sequence[Value]) -> Value:
        """Return the gradient with respect to the planes for those of the chips."""
        pulled = [
            rows.turned @ gradient @ columns
            for (rows, columns), gradient in zip(self._cuts, gradients, strict=True)
        ]
        total = pulled[0]
        for one in pulled[1:]:
            total = total + one
        return self._degrade.turned @ total @ self._degrade


def _columns(drawn: Value, count: int) -> Iterator[Value]:
    """Give the numbers one by one, (N, 1, 1, 1)."""
    for index in range(count):
        yield drawn.part(1, index, index + 1).shaped(1, 1, 1)


def _degrading(sigma: Value, size: Value) -> Value:
    """Return the matrix of a resize to `size` and back and of a blur, (N, 1, SIZE, SIZE)."""
    last = size - 1.0
    ratio = (SIZE - 1.0) / last
    back = last / (SIZE - 1.0)
    # Rows beyond `size` are made and never looked at: the way back has zeros for them.
    down = _sampling(SIZE, (ratio * 0.0, ratio, ratio.op("Max", 1.0)), SIZE - 1.0)
    up = _sampling(SIZE, (back * 0.0, back, back.op("Max", 1.0)), last)
    apart = np.subtract.outer(np.arange(SIZE), np.arange(SIZE)).astype(np.float32)
    far = apart / sigma
    bell = (far * far * -0.5).op("Exp")
    return bell / bell.sum(3) @ up @ down


def _sampling(out: int, line: tuple[Value, Value, Value], last: Value | float) -> Value:
    """Return the matrices that sample along a line, (N, 1, out, SIZE): `geometry.resampling`.

    Args:
        out: rows.
        line: start, step and the kernel's half-width, see `Cut.lines`.
        last: beyond it the edge is repeated.

    """
    start, step, reach = line
    centre = (start + step * np.arange(out, dtype=np.float32)[:, None]).clip(0.0, last)
    apart = (centre - np.arange(SIZE, dtype=np.float32)).op("Abs")
    matrix = (1.0 - apart / reach).op("Max", 0.0)
    return matrix / matrix.sum(3)
