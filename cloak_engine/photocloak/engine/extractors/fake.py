"""A recogniser of a few lines, for tests of ours and of others: no file, no runtime, exact."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from photocloak.engine.extractors.protocol import Array, Kind, Objective, Step, checked
from photocloak.engine.extractors.spec import ExtractorSpec

_ARCFACE_112 = (
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
)


class FakeExtractor:
    """f = tanh(A · (chip / 255 − ½)) with a fixed random A; the ArcFace template scaled to size.

    Smooth everywhere, different for each seed and the same in every process.
    """

    def __init__(
        self, name: str = "fake", *, size: int = 16, embedding: int = 8, seed: int = 0
    ) -> None:
        pixels = 3 * size * size
        matrix = np.random.default_rng(seed).standard_normal((embedding, pixels))
        self._matrix = (matrix * np.sqrt(12.0 / pixels)).astype(np.float32)
        self.spec = ExtractorSpec(
            name=name,
            title="Fake recogniser for tests",
            model=Path("none.onnx"),
            sha256="",
            size=size,
            template=tuple((x * size / 112, y * size / 112) for x, y in _ARCFACE_112),
            embedding=embedding,
            threshold=0.5,
            licence="none",
            origin="made up",
        )

    def open(self, _kind: Kind, /) -> None:
        """Nothing."""

    def embed(self, chips: Array, /) -> Array:
        """Return the raw features (N, D)."""
        flat = checked(self.spec, chips).reshape(len(chips), -1)
        features: Array = np.tanh((flat / np.float32(255) - np.float32(0.5)) @ self._matrix.T)
        return features

    def step(self, chips: Array, objective: Objective, /) -> Step:
        """Return losses, features and gradient."""
        features = self.embed(chips)
        losses, pull = objective.pull(features)
        gradient = (pull * (1 - features**2)) @ self._matrix / np.float32(255)
        return Step(losses, features, gradient.reshape(chips.shape))
