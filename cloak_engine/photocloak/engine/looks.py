"""A second, closer look at a face: the same size whatever the photo, several times over.

The scan's landmarks jump by 2 pixels of a 112-pixel chip when a photo is resized, for they come
from one cell of a coarse grid at whatever size the face happened to have. Here the face is cut out
at four sizes, plain and mirrored, and all cells that agree are averaged: .3 pixels are left. The
scores of these looks also tell faces from foliage better than the scan's (docs/detection.md).
"""

import numpy as np

from photocloak.engine.tiles import Pixels, square
from photocloak.engine.yunet import Candidates, Floats, YuNet

_SIZES = (48, 64, 80, 96)  # pixels of the face's longer side; the tile is twice as wide
_FAINTEST = 0.05  # a look that scores less saw nothing
_EXPECTED = 0.3  # IoU with the place the face should be in
_AGREEING = 0.6  # IoU with the best cell, of those averaged with it
_MIRRORED = [1, 0, 2, 4, 3]  # landmark order after left and right have changed places


def look_again(image: Pixels, candidate: Candidates, network: YuNet) -> Candidates:
    """Return the one `candidate` with box and landmarks averaged over looks, and a new score.

    The new score is the mean of the scan's and the looks' (a look that sees nothing counts 0).
    Coordinates are continuous pixels of `image` (H, W, 3).
    """
    x, y, width, height = (float(value) for value in candidate.boxes[0])
    centre, longer = (x + width / 2, y + height / 2), max(width, height)
    seen: list[Candidates] = []
    for size in _SIZES:
        tile = square(image, centre, 2 * longer, 2 * size)
        plain, mirrored = network(np.stack([tile, tile[:, ::-1]]), low=_FAINTEST)
        for raw in (plain, _flipped(mirrored, 2 * size)):
            scale = longer / size
            seen.append(_agreed(raw, size).moved(scale, centre[0] - longer, centre[1] - longer))
    looks = Candidates.concatenate(seen)
    score = (candidate.scores + looks.scores.sum() / len(seen)) / 2
    if not len(looks):
        return Candidates(candidate.boxes, candidate.landmarks, score)
    return Candidates(_mean(looks.boxes, looks.scores), _mean(looks.landmarks, looks.scores), score)


def _agreed(raw: Candidates, size: int) -> Candidates:
    """Average the cells around the best one in the tile's middle; no rows without any."""
    expected = np.array([size / 2, size / 2, size, size], np.float32)
    raw = raw[overlap(expected, raw.boxes) > _EXPECTED]
    if not len(raw):
        return raw
    best = int(np.argmax(raw.scores))
    cells = raw[overlap(raw.boxes[best], raw.boxes) > _AGREEING]
    weights = cells.scores**2
    return Candidates(
        _mean(cells.boxes, weights), _mean(cells.landmarks, weights), raw.scores[best : best + 1]
    )


def _flipped(raw: Candidates, width: int) -> Candidates:
    boxes, landmarks = raw.boxes.copy(), raw.landmarks[:, _MIRRORED]
    boxes[:, 0] = width - boxes[:, 0] - boxes[:, 2]
    landmarks[..., 0] = width - landmarks[..., 0]
    return Candidates(boxes, landmarks, raw.scores)


def _mean(values: Floats, weights: Floats) -> Floats:
    """Average over the first axis, which is kept with length 1."""
    return np.average(values, axis=0, weights=weights)[None].astype(np.float32)


def overlap(box: Floats, boxes: Floats) -> Floats:
    """Return the intersection over union of `box` (4,) with each of `boxes` (K, 4)."""
    shared = intersection(box, boxes)
    union = box[2:].prod() + boxes[:, 2:].prod(axis=1) - shared
    return np.asarray(shared / union)


def intersection(box: Floats, boxes: Floats) -> Floats:
    """Return the area `box` (4,) shares with each of `boxes` (K, 4)."""
    low = np.maximum(box[:2], boxes[:, :2])
    high = np.minimum(box[:2] + box[2:], boxes[:, :2] + boxes[:, 2:])
    return np.asarray(np.clip(high - low, 0, None).prod(axis=1))
