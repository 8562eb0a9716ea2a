"""The part of a photo that one face's edits reach, while they are made at its own resolution."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from photocloak.engine.detection.alignment import SIZE, FaceSpace, Image, sampled
from photocloak.engine.edits.fields import LUMA
from photocloak.engine.geometry import Array, invert

_ROWS = 1024  # of the photo at a time, so that a large face costs no more memory than a small one


@dataclass
class Canvas:
    """Some rows of a face in a photo.

    Attributes:
        photo: all of it before the edits, (H, W, 3) uint8.
        to_photo: (2, 3) float64, face-space pixels to photo pixels.
        low: x, y of the canvas's first pixel.
        pixels: what is made of it, (h, w, 3) float32, 0..255; edits change it in place.

    """

    photo: Image
    to_photo: NDArray[np.float64]
    low: tuple[int, int]
    pixels: Array = field(repr=False)

    @classmethod
    def over(cls, photo: Image, space: FaceSpace) -> Iterator["Canvas"]:
        """Yield the canvases that cover a face's square, from top to bottom."""
        corners = space.matrix @ np.array(
            [[0, SIZE - 1, 0, SIZE - 1], [0, 0, SIZE - 1, SIZE - 1], [1] * 4]
        )
        left, top = np.maximum(np.floor(corners.min(axis=1)).astype(int), 0)
        right, bottom = np.minimum(np.ceil(corners.max(axis=1)).astype(int) + 1, photo.shape[1::-1])
        if right <= left:
            return
        for row in range(top, bottom, _ROWS):
            part = photo[row : min(row + _ROWS, bottom), left:right]
            yield cls(photo, space.matrix, (int(left), int(row)), part.astype(np.float32))

    @property
    def scale(self) -> NDArray[np.float64]:
        """The (2, 2) matrix that takes vectors of the face space to vectors of the photo."""
        return self.to_photo[:, :2]

    def lift(self, plane: Array) -> Array:
        """Return an (n, n) plane over the face space at the canvas's pixels, (h, w); 0 outside.

        The plane's first and last rows and columns lie on those of the face space.
        """
        return next(sampled(plane[None], self._to_grid(len(plane)), self.pixels.shape[:2]))

    def luma(self) -> Array:
        """Return the luma of what has been made until now, (h, w)."""
        return self.pixels @ LUMA

    def move(self, moved: Array, step: int, still: float) -> None:
        """Sample the photo at p + `moved`, (2, n, n) photo pixels over the face space.

        Quads of `step` pixels a side are moved by their corners; those that move less than
        `still` stay exactly as they are.
        """
        height, width = self.pixels.shape[:2]
        xs = np.array([*range(0, width, step), width])
        ys = np.array([*range(0, height, step), height])
        nodes = self._at_nodes(moved, xs, ys)
        reach = int(np.ceil(np.abs(nodes).max(initial=0))) + 3
        left, top = max(self.low[0] - reach, 0), max(self.low[1] - reach, 0)
        source = self.photo[top : self.low[1] + height + reach, left : self.low[0] + width + reach]
        offset = np.array([self.low[0] - left, self.low[1] - top], np.float64)
        mesh = list(_quads(xs, ys, nodes, offset, still))
        if not mesh:
            return
        image = Pillow.fromarray(np.ascontiguousarray(source))
        warped = Pillow.fromarray(self.pixels.astype(np.uint8))
        for box, quad in mesh:
            size = (box[2] - box[0], box[3] - box[1])
            part = image.transform(size, Pillow.Transform.QUAD, quad, Pillow.Resampling.BICUBIC)
            warped.paste(part, box[:2])
        self.pixels[:] = np.asarray(warped)

    def _to_grid(self, points: int) -> NDArray[np.float64]:
        """Return the (2, 3) map from the canvas's pixels to those of an n × n grid."""
        step = (SIZE - 1) / (points - 1)
        grid = self.to_photo @ np.array([[step, 0, 0], [0, step, 0], [0, 0, 1]], np.float64)
        to_grid = invert(grid)
        to_grid[:, 2] += to_grid[:, :2] @ self.low
        return to_grid

    def _at_nodes(self, planes: Array, xs: NDArray[np.integer], ys: NDArray[np.integer]) -> Array:
        """Return (2, n, n) planes over the face space at corners of pixels, (2, rows, columns)."""
        matrix = self._to_grid(planes.shape[-1])
        x, y = np.meshgrid(xs - 0.5, ys - 0.5)  # corners, where pixels have their middle at 0
        at = np.einsum("ij,jhw->ihw", matrix[:, :2], np.stack([x, y])) + matrix[:, 2, None, None]
        inside = ((at >= 0) & (at <= planes.shape[-1] - 1)).all(axis=0)
        column, row = np.clip(at, 0, planes.shape[-1] - 1.001)
        x0, y0 = column.astype(int), row.astype(int)
        fx, fy = column - x0, row - y0
        upper = planes[:, y0, x0] * (1 - fx) + planes[:, y0, x0 + 1] * fx
        lower = planes[:, y0 + 1, x0] * (1 - fx) + planes[:, y0 + 1, x0 + 1] * fx
        return np.asarray((upper * (1 - fy) + lower * fy) * inside, np.float32)


_Box = tuple[int, int, int, int]


def _quads(
    xs: NDArray[np.integer],
    ys: NDArray[np.integer],
    nodes: Array,
    offset: NDArray[np.float64],
    still: float,
) -> Iterator[tuple[_Box, tuple[float, ...]]]:
    """Yield the boxes that move with their quads: corners NW, SW, SE, NE."""
    places = nodes + np.stack(np.meshgrid(xs, ys)) + offset[:, None, None]
    moves = np.abs(nodes).max(axis=0) > still
    any_corner = moves[:-1, :-1] | moves[:-1, 1:] | moves[1:, :-1] | moves[1:, 1:]
    for j, i in np.argwhere(any_corner):
        corners = ((j, i), (j + 1, i), (j + 1, i + 1), (j, i + 1))
        quad = tuple(float(value) for row, column in corners for value in places[:, row, column])
        yield (int(xs[i]), int(ys[j]), int(xs[i + 1]), int(ys[j + 1])), quad
