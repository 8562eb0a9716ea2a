"""Every face of a photo, at any size: YuNet over a pyramid of tiles, then a closer look at each."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from photocloak.core import InputError, manifest_root
from photocloak.core.cores import cores
from photocloak.engine.detection.faces import SMALLEST, Face
from photocloak.engine.detection.refine import (
    Glimpse,
    Pose,
    glimpse,
    intersection,
    last_level,
    overlap,
    refine,
    unseen,
)
from photocloak.engine.detection.tiles import Pixels, Tile, halvings, tiles
from photocloak.engine.detection.yunet import Candidates, YuNet

LOW = 0.5
"""Score from which something may be a face."""

HIGH = 0.7
"""Score from which it certainly is one."""

GLIMPSED, MOST = 32, 6
"""Candidates that are looked at coarsely, and closely, although the scan is not sure of them.

And one more, coarsely and closely, for each that it is sure of: a crowd has many of both.
"""

_RISE = 0.1  # that a closer look may add to a coarse one, as far as that counts
_FAINTEST = 0.2  # of the scan: the closer look may raise a score
_SMALLEST_SEEN = 10  # pixels on a level; smaller patterns are texture
_LARGEST_SEEN = 160  # pixels on a level but the last; larger faces are cut by tiles
_SAME = 0.3  # IoU of two detections of one face


class Detector:
    """`Detector()(image)`: all faces of an upright photo with score ≥ `low`, largest first.

    A face with score ≥ `high` is certain; what to do about one below is the caller's decision.
    """

    def __init__(
        self,
        manifest: Path | None = None,
        *,
        low: float = LOW,
        high: float = HIGH,
        threads: int = 0,
        cache: Path | None = None,
    ) -> None:
        """Load the shipped model or the one another `manifest` names; raises `ModelError`.

        Tiles and faces are looked at by so many `threads` side by side, 0: one a core. `cache` is
        a folder for models that are ready to run.
        """
        self.low, self.high = low, high
        shipped = manifest_root() / "detectors" / "yunet.toml"
        self._network = YuNet(manifest or shipped, cache=cache)
        self._threads = threads or len(cores())

    def __call__(self, image: Pixels, *, near: Sequence[Face] | None = None) -> list[Face]:
        """Find the faces of `image` (H, W, 3) uint8 sRGB, of `SMALLEST` pixels and more.

        To find faces `near` those of an earlier look again, nothing is scanned: each is looked at
        as closely as in a whole photo, from where it was; others are not found.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
            raise InputError(
                f"Faces are looked for in 8-bit RGB photos, not in {image.dtype} {image.shape}."
            )
        if near is None:
            levels = halvings(image)
            looked = self._looked(levels, suppress(self._scan(levels)))
        else:
            largest = max((max(face.box[2:]) for face in near), default=0.0)
            levels = halvings(image, last=last_level(largest))
            look = partial(refine, levels, network=self._network, low=self.low)
            looked = Candidates.concatenate(self._pool.map(look, map(_as_seen, near)))
        large = looked.boxes[:, 2:].min(axis=1) >= SMALLEST
        faces = without_parts(suppress(looked[(looked.scores >= self.low) & large]))
        return sorted(_faces(faces), key=lambda face: -face.box[2] * face.box[3])

    def _looked(self, levels: Sequence[Pixels], scanned: Candidates) -> Candidates:
        """Look closer at all that the scan is sure of, and at so many others; best first.

        Of the rest, which a photo of pots or patterns can have by the hundred, what the looks so
        far take for a face stays one that nobody is sure of.
        """
        rows = [scanned[np.array([index])] for index in range(len(scanned))]
        sure = sum(bool(row.scores[0] >= self.high) for row in rows)  # the best come first
        at = partial(glimpse, levels, network=self._network)
        glimpsed, most = 2 * sure + GLIMPSED, sure + MOST
        seen = list(self._pool.map(at, rows[:glimpsed]))
        rest = [unseen(row) for row in rows[glimpsed:]]
        first, others = seen[:sure], sorted(seen[sure:], key=lambda one: -one.score)
        rest += others[most:]
        close = [one for one in [*first, *others[:most]] if one.score >= self.low - _RISE]
        look = partial(refine, levels, network=self._network, low=self.low)
        looked = list(self._pool.map(look, close))
        looked += [one.unsettled(self.high - _RISE) for one in rest if one.score >= self.low]
        return Candidates.concatenate(looked)

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        """Threads that each look at a tile: two tiles at once beat one tile on two cores."""
        return ThreadPoolExecutor(max_workers=self._threads)

    def _scan(self, levels: Sequence[Pixels]) -> Candidates:
        """Return raw candidates in continuous pixels of the photo, their landmarks meaningless."""
        return Candidates.concatenate(self._pool.map(self._seen, tiles(levels)))

    def _seen(self, tile: Tile) -> Candidates:
        """Return what is seen in a tile, in pixels of the photo.

        All levels but the finest are also seen lying on either side: that finds the lying faces
        which the network misses, for half as much time again.
        """
        [raw] = self._network(tile.pixels[None], low=_FAINTEST)
        seen = [raw]
        if not tile.finest:
            sides = np.stack([np.rot90(tile.pixels, turn) for turn in (1, 3)])
            left, right = self._network(sides, low=_FAINTEST)
            seen += _turned_back(left, right, tile.pixels.shape)
        found = []
        for raw in seen:
            sizes = raw.boxes[:, 2:].min(axis=1)
            usable = (sizes >= _SMALLEST_SEEN) & ((sizes <= _LARGEST_SEEN) | tile.coarsest)
            found.append(raw[usable].moved(tile.scale, tile.x * tile.scale, tile.y * tile.scale))
        return Candidates.concatenate(found)


def _as_seen(face: Face) -> Glimpse:
    """Return where to look for a face that was found before."""
    x, y, width, height = face.box
    placed = face.landmarks[None] + np.float32(0.5)
    box = np.array([[x + 0.5, y + 0.5, width, height]], np.float32)
    was = Candidates(box, placed, np.array([face.score], np.float32))
    return Glimpse(was, Pose.of(placed[0]), face.score)


def _turned_back(
    left: Candidates, right: Candidates, shape: tuple[int, ...]
) -> tuple[Candidates, Candidates]:
    """Undo the quarter turn to the left and that to the right of a tile of `shape`, for boxes."""
    x, y, w, h = left.boxes.T
    u, v, a, b = right.boxes.T
    return (
        replace(left, boxes=np.stack([shape[1] - y - h, x, h, w], axis=1)),
        replace(right, boxes=np.stack([v, shape[0] - u - a, b, a], axis=1)),
    )


def suppress(candidates: Candidates) -> Candidates:
    """Keep the best-scoring of candidates that overlap, best first."""
    order = np.argsort(-candidates.scores, kind="stable")
    boxes, kept = candidates.boxes, []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(best)
        order = order[overlap(boxes[best], boxes[order]) <= _SAME]
    return candidates[np.array(kept, int)]


def without_parts(candidates: Candidates) -> Candidates:
    """Drop what lies inside a better face, and ears: small, weak, and a quarter over its edge."""
    kept = []
    areas = candidates.boxes[:, 2:].prod(axis=1)
    for row, (box, score) in enumerate(zip(candidates.boxes, candidates.scores, strict=True)):
        covered = intersection(box, candidates.boxes) / areas[row]
        ear = (areas[row] < 0.3 * areas) & (score < candidates.scores - 0.2) & (covered > 0.25)
        inside = (score < candidates.scores) & (covered > 0.7)
        if not (ear | inside).any():
            kept.append(row)
    return candidates[np.array(kept, int)]


def _faces(candidates: Candidates) -> list[Face]:
    """Turn continuous coordinates into the project's, whose origin is the first pixel's middle."""
    placed = candidates.moved(1, -0.5, -0.5)
    return [
        Face((float(box[0]), float(box[1]), float(box[2]), float(box[3])), points, float(score))
        for box, points, score in zip(placed.boxes, placed.landmarks, placed.scores, strict=True)
    ]
