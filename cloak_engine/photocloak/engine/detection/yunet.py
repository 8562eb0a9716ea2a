"""YuNet 2023mar through ONNX Runtime: from equally large RGB tiles to raw face candidates.

Decoding as in OpenCV's `FaceDetectorYN` (modules/objdetect/src/face_detect.cpp): at each stride s
in 8, 16, 32 and cell (column c, row r) the heads give cls, obj, (dx, dy, log w, log h) and five
points; score = √(cls · obj), centre = ((c + dx) s, (r + dy) s), size = s exp(log size), point =
((c + px) s, (r + py) s).
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from photocloak.core import ModelError
from photocloak.engine.extractors.cache import ModelCache, plain_key
from photocloak.engine.extractors.weights import read_model

Floats = NDArray[np.float32]

_STRIDES = (8, 16, 32)
_HEADS = ("cls", "obj", "bbox", "kps")
_OUTPUTS = [f"{head}_{stride}" for stride in _STRIDES for head in _HEADS]
_LARGEST_LOG_SIZE = 6.0  # e⁶ strides is more than any tile: keeps exp() finite on odd inputs


@dataclass(frozen=True, eq=False)
class Candidates:
    """Raw detections: boxes (K, 4) as x, y, w, h; landmarks (K, 5, 2); scores (K,); float32."""

    boxes: Floats
    landmarks: Floats
    scores: Floats

    @classmethod
    def concatenate(cls, parts: Iterable["Candidates"]) -> "Candidates":
        """Join `parts`; without any, the result has no rows."""
        parts = [_NONE, *parts]
        return cls(
            np.concatenate([part.boxes for part in parts]),
            np.concatenate([part.landmarks for part in parts]),
            np.concatenate([part.scores for part in parts]),
        )

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, rows: NDArray[Any]) -> "Candidates":
        return Candidates(self.boxes[rows], self.landmarks[rows], self.scores[rows])

    def moved(self, scale: float, x: float, y: float) -> "Candidates":
        """Multiply all coordinates by `scale`, then shift them by (x, y)."""
        shift = np.array([x, y], np.float32)
        boxes = self.boxes * np.float32(scale)
        boxes[:, :2] += shift
        return Candidates(boxes, self.landmarks * np.float32(scale) + shift, self.scores)


_NONE = Candidates(
    np.empty((0, 4), np.float32), np.empty((0, 5, 2), np.float32), np.empty(0, np.float32)
)


class YuNet:
    """The network behind the detector."""

    def __init__(self, manifest: Path, *, cache: Path | None = None) -> None:
        """Load the model that `manifest` pins; each call of it keeps to its own thread.

        `cache` is a folder for models that are ready to run.

        Raises:
            ModelError: no manifest, no model, a model that is not the pinned one, no runtime.

        """
        try:
            entry = tomllib.loads(manifest.read_text("utf-8"))
            path, sha256 = manifest.parent / entry["model"], entry["sha256"]
            read = partial(read_model, path, sha256)
            self._session = ModelCache(cache).open(
                plain_key("yunet", sha256), read, threads=1, device="cpu"
            )
        except (OSError, KeyError, ValueError) as error:
            raise ModelError(
                f"The face detector's manifest {manifest} cannot be used "
                f"({type(error).__name__}: {error}); reinstall photocloak."
            ) from error

    def __call__(self, tiles: NDArray[np.uint8], *, low: float) -> list[Candidates]:
        """Find the candidates with score ≥ `low` of each tile, in pixels of that tile.

        `tiles` is (N, H, W, 3) uint8 RGB, H and W multiples of 32. Coordinates are continuous:
        the first pixel spans 0 to 1.
        """
        count, height, width, _ = tiles.shape
        planes = np.empty((count, 3, height, width), np.float32)
        for channel in range(3):  # BGR planes 0..255; ten times as fast as one transposing cast
            planes[:, channel] = tiles[..., 2 - channel]
        outputs = iter(self._session.run(_OUTPUTS, {"input": planes}))
        owners, found = zip(
            *(
                _decode([next(outputs) for _ in _HEADS], stride, width // stride, low)
                for stride in _STRIDES
            ),
            strict=True,
        )
        owner, candidates = np.concatenate(owners), Candidates.concatenate(found)
        return [candidates[np.flatnonzero(owner == index)] for index in range(count)]


def _decode(
    heads: list[Floats], stride: int, columns: int, low: float
) -> tuple[NDArray[np.intp], Candidates]:
    """Return the candidates of a stride in all tiles, and for each which tile it is in."""
    cls, obj, box, points = heads
    scores = np.sqrt(np.clip(cls[..., 0], 0, 1) * np.clip(obj[..., 0], 0, 1))
    kept = owner, cell = np.nonzero(scores >= low)
    cells = np.stack([cell % columns, cell // columns], axis=1).astype(np.float32)
    box = box[kept]
    size = np.exp(np.minimum(box[:, 2:], _LARGEST_LOG_SIZE)) * stride
    centre = (cells + box[:, :2]) * stride
    landmarks = (cells[:, None] + points[kept].reshape(-1, 5, 2)) * stride
    boxes = np.concatenate([centre - size / 2, size], axis=1)
    return owner, Candidates(boxes, landmarks, scores[kept])
