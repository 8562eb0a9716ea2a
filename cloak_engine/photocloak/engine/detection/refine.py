"""Closer looks at what the scan found: always at one size, and upright.

YuNet scores tilted faces well but draws the landmarks of faces below about 120 pixels as if the
head were upright, whatever its tilt: over tilts of 15 to 45 degrees they are 10 pixels off on a
112-pixel chip. Enlarged to 200 pixels and turned upright by what is seen, again until nothing
changes, every face's landmarks settle within half a pixel, and a resized or recompressed photo
gives the same ones. Upright looks also tell faces from foliage better (docs/lab/detection.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from photocloak.engine.detection.faces import BOX, complexes, fit, standing
from photocloak.engine.detection.tiles import Pixels, level_for, turned_square
from photocloak.engine.detection.yunet import Candidates, Floats, YuNet

_COARSE = (48, 96)  # the face's longer side, the tile's side
_FINE = (224, 320)
_FINAL = ((160, 256), (224, 320))

_ROUNDS = 4
_SETTLED = np.radians(2)
_FAINTEST = 0.05  # a look that scores less saw nothing
_EXPECTED = 0.3  # IoU with the middle of the tile, where the face should be
_AGREEING = 0.6  # IoU with the best cell, of those averaged with it
_MIRRORED = [1, 0, 2, 4, 3]  # landmark order after left and right have changed places


@dataclass(frozen=True)
class Pose:
    """Where to look: `middle` x + iy, the face's longer `side` in pixels, its `tilt` in radians.

    The tilt is that of the line between the eyes, positive clockwise; coordinates are continuous.
    """

    middle: complex
    side: float
    tilt: float

    @classmethod
    def of(cls, landmarks: Floats) -> "Pose":
        """Return the pose of (5, 2) `landmarks`."""
        middle, factor = fit(landmarks)
        return cls(middle, abs(factor) * BOX, float(np.angle(factor)))


@dataclass(frozen=True)
class Glimpse:
    """A candidate before anybody looks closely.

    Attributes:
        scanned: the scan's one row, its landmarks meaningless.
        pose: where to look, as upright as an eighth of a turn can make the head.
        score: mean of the scan's and of a coarse look's; the scan's, if that was all.

    """

    scanned: Candidates
    pose: Pose
    score: float

    def unsettled(self, highest: float) -> Candidates:
        """Return the row of a face that nobody looks at closer, with a score up to `highest`.

        Its landmarks are those of a frontal face that fills the box.
        """
        points = standing(self.pose.middle, self.pose.side / BOX, self.pose.tilt)
        score = np.full(1, min(self.score, highest), np.float32)
        return Candidates(self.scanned.boxes, points[None], score)


def last_level(largest: float) -> int:
    """Return the coarsest level that looks at faces of up to `largest` pixels are cut from.

    One that proves larger is cut from a finer one than it might be, which takes longer.
    """
    return level_for(largest, min(size for size, _ in _FINAL))


def unseen(candidate: Candidates) -> Glimpse:
    """Return the one `candidate` as the scan alone saw it, in continuous pixels of the photo."""
    x, y, width, height = (float(value) for value in candidate.boxes[0])
    pose = Pose(complex(x + width / 2, y + height / 2), max(width, height), 0.0)
    return Glimpse(candidate, pose, float(candidate.scores[0]))


def glimpse(levels: Sequence[Pixels], candidate: Candidates, network: YuNet) -> Glimpse:
    """Look coarsely at the one `candidate` of the photo whose halvings are `levels`."""
    scan = unseen(candidate)
    tilt, score = _upright(levels, scan.pose, network)
    return Glimpse(candidate, replace(scan.pose, tilt=tilt), (scan.score + score) / 2)


def refine(levels: Sequence[Pixels], seen: Glimpse, network: YuNet, *, low: float) -> Candidates:
    """Return a candidate with new box, landmarks and score; no row if that is below `low`.

    The new score is the mean of the scan's and of the final looks' (one that sees nothing counts
    0). Coordinates are continuous pixels of the photo, whose halvings are `levels`.
    """
    scan = float(seen.scanned.scores[0])
    pose = _settled(levels, seen.pose, network)
    looks: list[Candidates] = []
    for number, sizes in enumerate(_FINAL, 1):
        looks += _look(levels, pose, sizes, network, mirrored=True)
        seen_so_far = sum(float(look.scores.sum()) for look in looks)
        at_best = (seen_so_far + 2 * (len(_FINAL) - number)) / (2 * len(_FINAL))
        if (scan + at_best) / 2 < low:
            return Candidates.concatenate([])
    found = Candidates.concatenate(looks)
    score = (seen.scanned.scores + found.scores.sum() / (2 * len(_FINAL))) / 2
    return Candidates(_mean(found.boxes, found.scores), _mean(found.landmarks, found.scores), score)


def _upright(levels: Sequence[Pixels], pose: Pose, network: YuNet) -> tuple[float, float]:
    """Return the eighth of a turn at which the face scores best, in radians, and that score."""
    size, edge = _COARSE
    side = pose.side * edge / size
    straight, slanted = (
        turned_square(levels, pose.middle, side, tilt, edge) for tilt in (0.0, np.pi / 4)
    )
    tiles = [np.rot90(tile, turn) for turn in range(4) for tile in (straight, slanted)]
    looks = network(np.stack(tiles), low=_FAINTEST)
    scores = [float(_agreed(raw, size, edge).scores.max(initial=0.0)) for raw in looks]
    best = int(np.argmax(scores))
    return best * np.pi / 4, scores[best]


def _settled(levels: Sequence[Pixels], pose: Pose, network: YuNet) -> Pose:
    """Look, turn the face upright, and look again until it is."""
    for _ in range(_ROUNDS):
        [seen] = _look(levels, pose, _FINE, network, mirrored=False)
        if not len(seen):
            return pose
        before, pose = pose, Pose.of(seen.landmarks[0])
        if abs(np.angle(np.exp(1j * (pose.tilt - before.tilt)))) < _SETTLED:
            return pose
    return pose


def _look(
    levels: Sequence[Pixels], pose: Pose, sizes: tuple[int, int], network: YuNet, *, mirrored: bool
) -> list[Candidates]:
    """Look at `pose`, its face `sizes[0]` pixels large in a tile of `sizes[1]`, plain and mirrored.

    Each look has one row or none, in pixels of the photo.
    """
    size, edge = sizes
    scale = pose.side / size
    tile = turned_square(levels, pose.middle, edge * scale, pose.tilt, edge)
    tiles = np.stack([tile, tile[:, ::-1]]) if mirrored else tile[None]
    plain, *flipped = (_agreed(raw, size, edge) for raw in network(tiles, low=_FAINTEST))
    seen = [plain, *(_unflipped(raw, edge) for raw in flipped)]
    return [_placed(raw, pose, scale, edge) for raw in seen]


def _agreed(raw: Candidates, size: int, edge: int) -> Candidates:
    """Average the cells that agree with the best one in the tile's middle; no row without any."""
    corner = (edge - size) / 2
    expected = np.array([corner, corner, size, size], np.float32)
    raw = raw[overlap(expected, raw.boxes) > _EXPECTED]
    if not len(raw):
        return raw
    best = int(np.argmax(raw.scores))
    cells = raw[overlap(raw.boxes[best], raw.boxes) > _AGREEING]
    weights = cells.scores**2
    return Candidates(
        _mean(cells.boxes, weights), _mean(cells.landmarks, weights), raw.scores[best : best + 1]
    )


def _unflipped(raw: Candidates, edge: int) -> Candidates:
    boxes, landmarks = raw.boxes.copy(), raw.landmarks[:, _MIRRORED]
    boxes[:, 0] = edge - boxes[:, 0] - boxes[:, 2]
    landmarks[..., 0] = edge - landmarks[..., 0]
    return Candidates(boxes, landmarks, raw.scores)


def _placed(raw: Candidates, pose: Pose, scale: float, edge: int) -> Candidates:
    """Take a look's rows to the photo; a box becomes that of the ellipse it would turn into."""
    factor = scale * np.exp(1j * pose.tilt)

    def place(points: NDArray[np.floating]) -> Floats:
        there = pose.middle + factor * complexes(points - edge / 2)
        return np.stack([there.real, there.imag], axis=-1).astype(np.float32)

    half = raw.boxes[:, 2:] / 2
    centre, turn = place(raw.boxes[:, :2] + half), np.abs([factor.real, factor.imag])
    reach = np.hypot(half * turn[0], half[:, ::-1] * turn[1]).astype(np.float32)
    boxes = np.concatenate([centre - reach, 2 * reach], axis=1)
    return Candidates(boxes, place(raw.landmarks), raw.scores)


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
