"""YuNet 2023mar through ONNX Runtime: from equally large RGB tiles to raw face candidates.

Decoding as in OpenCV's `FaceDetectorYN` (modules/objdetect/src/face_detect.cpp): at each stride s
in 8, 16, 32 and cell (column c, row r) the heads give cls, obj, (dx, dy, log w, log h) and five
points; score = √(cls · obj), centre = ((c + dx) s, (r + dy) s), size = s exp(log size), point =
((c + px) s, (r + py) s).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from photocloak.core import ModelError

Floats = NDArray[np.float32]
Tiles = NDArray[np.uint8]

DIVISOR = 32
"""Height and width of a tile are multiples of the coarsest stride."""

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
    def concatenate(cls, parts: "list[Candidates]") -> "Candidates":
        """Join `parts`; without any, the result has no rows."""
        return cls(
            np.concatenate([np.empty((0, 4), np.float32), *(part.boxes for part in parts)]),
            np.concatenate([np.empty((0, 5, 2), np.float32), *(p.landmarks for p in parts)]),
            np.concatenate([np.empty(0, np.float32), *(part.scores for part in parts)]),
        )

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, rows: NDArray[Any]) -> "Candidates":
        return Candidates(self.boxes[rows], self.landmarks[rows], self.scores[rows])

    def moved(self, scale: float, x: float, y: float) -> "Candidates":
        """Map from a tile to the photo: coordinates times `scale`, then shifted by (x, y)."""
        shift = np.array([x, y], np.float32)
        boxes = self.boxes * np.float32(scale)
        boxes[:, :2] += shift
        return Candidates(boxes, self.landmarks * np.float32(scale) + shift, self.scores)


class YuNet:
    """The network: `tiles` (N, H, W, 3) uint8 RGB, H and W multiples of 32, to N `Candidates`."""

    def __init__(self, model: Path, *, threads: int = 0) -> None:
        """Load `model`; `threads` 0 lets the runtime choose. Raises `ModelError`."""
        try:
            import onnxruntime as ort
        except ImportError as error:
            raise ModelError(
                "ONNX Runtime is not installed, so faces cannot be found; "
                "install photocloak[cpu] or photocloak[gpu]."
            ) from error
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        # Tiles come in several shapes; the arena would keep the largest plan of each.
        options.enable_mem_pattern = False
        try:
            self._session = ort.InferenceSession(
                str(model), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime's own errors share no base class but this
            raise ModelError(
                f"The face detector {model} cannot be loaded ({error}); reinstall photocloak."
            ) from error
        self._input = self._session.get_inputs()[0].name

    def __call__(self, tiles: Tiles, *, low: float) -> list[Candidates]:
        """Return the candidates with score ≥ `low` of each tile, in pixels of that tile."""
        _, height, width, _ = tiles.shape
        # BGR planes, 0..255, as the network was trained.
        planes = np.ascontiguousarray(tiles[..., ::-1].transpose(0, 3, 1, 2), dtype=np.float32)
        outputs = self._session.run(_OUTPUTS, {self._input: planes})
        heads = dict(zip(_OUTPUTS, outputs, strict=True))
        found = []
        for index in range(len(tiles)):
            levels = [
                _decode(*(heads[f"{h}_{s}"][index] for h in _HEADS), s, width // s, low)
                for s in _STRIDES
            ]
            found.append(Candidates.concatenate(levels))
        return found


def _decode(
    cls: Floats, obj: Floats, box: Floats, points: Floats, stride: int, columns: int, low: float
) -> Candidates:
    scores = np.sqrt(np.clip(cls[:, 0], 0, 1) * np.clip(obj[:, 0], 0, 1))
    kept = np.flatnonzero(scores >= low)
    cells = np.stack([kept % columns, kept // columns], axis=1).astype(np.float32)
    size = np.exp(np.minimum(box[kept, 2:], _LARGEST_LOG_SIZE)) * stride
    centre = (cells + box[kept, :2]) * stride
    landmarks = (cells[:, None] + points[kept].reshape(-1, 5, 2)) * stride
    boxes = np.concatenate([centre - size / 2, size], axis=1)
    return Candidates(boxes, landmarks, scores[kept])
