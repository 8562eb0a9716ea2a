"""Where a face may be edited, and how much: W of each edit."""

import numpy as np

from photocloak.engine.edits.fields import luma
from photocloak.engine.geometry import Array, Separable, gaussian
from photocloak.engine.space import SIZE, FaceSpace

# The soft oval of a face in the face space, pixels: its middle and its half-axes.
_MIDDLE = (112.0, 122.0)
_AXES = (84.0, 112.0)

_HELD = 16.0  # face-space pixels from a photo's edge within which the warp fades out


def oval(soft: float = 0.22) -> Array:
    """Return the face's oval, (SIZE, SIZE): 1 inside, 0 outside, `soft` of its radius between."""
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    radius = np.hypot((x - _MIDDLE[0]) / _AXES[0], (y - _MIDDLE[1]) / _AXES[1])
    return smooth((1 + soft / 2 - radius) / soft) * _border()


def _border() -> Array:
    edge = np.minimum(np.arange(SIZE), np.arange(SIZE)[::-1]) / (0.1 * SIZE)
    ramp = smooth(edge.astype(np.float32))
    return np.outer(ramp, ramp).astype(np.float32)


def held_edges(space: FaceSpace, shape: tuple[int, ...]) -> Array:
    """Return 0 at the edges of a photo of `shape` (H, W, …) and beyond, 1 inside, (SIZE, SIZE).

    What is warped there would show that the edge is no longer straight.
    """
    x, y = np.meshgrid(np.arange(SIZE), np.arange(SIZE))
    column, row = space.matrix @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    nearest = np.minimum.reduce([column, row, shape[1] - 1 - column, shape[0] - 1 - row])
    far = _HELD * space.native / SIZE
    return smooth((nearest / far).reshape(SIZE, SIZE).astype(np.float32))


def smooth(t: Array) -> Array:
    """Return 0 to 1 for 0 to 1, without a kink (3 t² − 2 t³), and the ends beyond."""
    t = np.clip(t, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def headroom(planes: Array) -> Array:
    """Return 1 in the middle of the scale, falling to 0 where a channel is white, (H, W)."""
    g = gaussian(planes.shape[-1], 2.0)
    brightest = Separable(g, g)(planes.max(axis=0)[None])[0] / 255
    return np.asarray(1 - np.clip(brightest, 0, 1) ** 6, np.float32)


def texture(planes: Array, gate: float = 9.0) -> Array:
    """Return 1 where the picture has detail for δ to hide in, 0 on smooth skin, (H, W).

    Detail is the local deviation of luma (σ 4), `gate` grey levels being the middle.
    """
    grey = luma(planes)
    g = gaussian(planes.shape[-1], 4.0)
    mean, square = Separable(g, g)(np.stack([grey, grey * grey]))
    deviation = np.sqrt(np.maximum(square - mean * mean, 0))
    return np.asarray(np.clip((deviation - 0.6 * gate) / (0.8 * gate), 0, 1), np.float32)
