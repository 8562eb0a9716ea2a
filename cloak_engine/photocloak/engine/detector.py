"""Every face of a photo, at any size: YuNet over a pyramid of tiles, merged and refined."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from photocloak.core import manifest_root
from photocloak.engine.faces import Face
from photocloak.engine.tiles import Pixels, pyramid
from photocloak.engine.yunet import DIVISOR, Candidates, YuNet

LOW = 0.5
HIGH = 0.7
_SAME = 0.3


class Detector:
    """`Detector()(image)`: all faces of an upright photo with score ≥ `low`, largest first.

    A face with score ≥ `high` is certain; one below is the caller's `uncertain`.
    """

    def __init__(
        self,
        model: Path | None = None,
        *,
        low: float = LOW,
        high: float = HIGH,
        threads: int = 0,
    ) -> None:
        """Load the shipped model, or `model`; raises `ModelError`."""
        self.low, self.high = low, high
        path = model or manifest_root() / "models" / "yunet_2023mar.onnx"
        self._network = YuNet(path, threads=threads)

    def __call__(self, image: Pixels) -> list[Face]:
        """Find the faces of `image` (H, W, 3) uint8 sRGB."""
        found = [Candidates.concatenate([])]
        for tile in pyramid(image, divisor=DIVISOR):
            [raw] = self._network(tile.pixels[None], low=self.low)
            if len(raw):
                s = tile.scale
                found.append(raw.moved(s, tile.x * s, tile.y * s))
        kept = suppress(Candidates.concatenate(found))
        faces = [
            Face((float(b[0]), float(b[1]), float(b[2]), float(b[3])), points, float(score))
            for b, points, score in zip(kept.boxes, kept.landmarks, kept.scores, strict=True)
        ]
        return sorted(faces, key=lambda face: -face.box[2] * face.box[3])


def suppress(candidates: Candidates) -> Candidates:
    """Keep the best-scoring of candidates that overlap (IoU > 0.3), best first."""
    order = np.argsort(-candidates.scores, kind="stable")
    kept: list[int] = []
    while len(order):
        best, order = int(order[0]), order[1:]
        kept.append(best)
        order = order[overlap(candidates.boxes[best], candidates.boxes[order]) <= _SAME]
    return candidates[np.array(kept, int)]


def overlap(box: NDArray[np.float32], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the intersection over union of `box` (4,) with each of `boxes` (K, 4)."""
    low = np.maximum(box[:2], boxes[:, :2])
    high = np.minimum(box[:2] + box[2:], boxes[:, :2] + boxes[:, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=1)
    return shared / (box[2:].prod() + boxes[:, 2:].prod(axis=1) - shared)  # type: ignore[no-any-return]
