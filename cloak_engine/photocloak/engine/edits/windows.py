"""Where a face may be edited, and how much: W of each edit."""

import numpy as np

from photocloak.engine.detection.alignment import SIZE, FaceSpace
from photocloak.engine.detection.regions import Region, mask
from photocloak.engine.edits.fields import luma
from photocloak.engine.geometry import Array, Separable, gaussian

_WIDER = 1.06  # the face's outline in landmarks runs inside of jaw and temples
_SOFT = 6.0  # σ of its edge, face-space pixels

_GATE = 9.0  # grey levels
_TINY = 45.0  # photo pixels across

_HELD = 16.0  # face-space pixels from a photo's edge within which the warp fades out


_CARE: dict[str, dict[Region, float]] = {
    "warp": {"eyes": 0.6, "nostrils": 0.6},
    "contrast": {"eyes": 0.5, "irises": 0.6, "mouth": 0.3, "nostrils": 0.5},
    "light": {"eyes": 0.5, "irises": 0.6, "mouth": 0.4, "nostrils": 0.5},
    "delta": {"eyes": 0.35, "mouth": 0.3, "lips": 0.6, "nostrils": 0.4},
}
"""What is left of each edit where judges look first: milky eyes, broken glasses, stained teeth."""

_AROUND = {
    "eyes": 5.0
}  # σ of a part's edge, face-space pixels; lids and glasses belong to the eyes
_EDGE = 2.0


def face(points: Array) -> Array:
    """Return the face within its outline, (SIZE, SIZE): 1 inside, 0 outside, soft between.

    Args:
        points: (468, 2), see `photocloak.engine.detection.landmarks`.

    """
    middle = points.mean(axis=0)
    wider = (middle + _WIDER * (points - middle)).astype(np.float32)
    edge = np.minimum(np.arange(SIZE), np.arange(SIZE)[::-1]) / (0.1 * SIZE)
    ramp = smooth(edge.astype(np.float32))
    # The blur's tails end where they change no pixel.
    parts: tuple[Region, ...] = ("face_oval", "nose_tip", "lips")  # a profile has all three
    inside = np.max([mask(wider, part, softness=_SOFT) for part in parts], axis=0)
    inside = np.clip(1.02 * inside - 0.01, 0, 1)
    return np.asarray(inside * np.outer(ramp, ramp), np.float32)


def care(points: Array) -> dict[str, Array]:
    """Return how much of each edit is left where it would be seen most, (SIZE, SIZE) by its name.

    Args:
        points: (468, 2), see `photocloak.engine.detection.landmarks`.

    """
    parts: dict[Region, Array] = {}
    for region in dict.fromkeys(region for shares in _CARE.values() for region in shares):
        softness = _AROUND.get(region, _EDGE)
        soft = mask(points, region, softness=softness)
        parts[region] = np.clip(soft * (1 + softness / 10), 0, 1)
    left = {}
    for edit, shares in _CARE.items():
        left[edit] = np.ones((SIZE, SIZE), np.float32)
        for region, share in shares.items():
            left[edit] *= 1 - (1 - share) * parts[region]
    return left


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


def texture(planes: Array, native: float) -> Array:
    """Return 1 where the picture has detail for δ to hide in, 0 on smooth skin, (H, W).

    Detail is the local deviation of luma (σ 4), `_GATE` grey levels being the middle. A face of few
    photo pixels (`native` across) has no smooth skin to be seen: there the gate opens.
    """
    grey = luma(planes)
    g = gaussian(planes.shape[-1], 4.0)
    mean, square = Separable(g, g)(np.stack([grey, grey * grey]))
    deviation = np.sqrt(np.maximum(square - mean * mean, 0))
    detail = np.asarray(np.clip((deviation - 0.6 * _GATE) / (0.8 * _GATE), 0, 1), np.float32)
    large = np.clip((native - _TINY) / _TINY, 0, 1)
    return np.asarray(1 - (1 - detail) * large, np.float32)
