"""People without a model: a face's features are its identity's direction plus some noise."""

from collections.abc import Collection, Sequence

import numpy as np

from photocloak.engine.ensemble import Embeddings
from photocloak.engine.targets import Target, target_from_photos

EXTRACTORS = {"one": 32, "two": 48, "three": 64}
THRESHOLDS = dict.fromkeys(EXTRACTORS, 0.5)


def face(identity: int, photo: int = 0, *, noise: float = 0.3) -> Embeddings:
    """Return features whose cosine to another photo of the identity is about 1 / (1 + noise²)."""
    features = {}
    for number, (name, size) in enumerate(EXTRACTORS.items()):
        own = np.random.default_rng([identity, number]).standard_normal(size)
        extra = np.random.default_rng([identity, number, photo]).standard_normal(size)
        features[name] = np.asarray(own + noise * extra, np.float32)
    return features


def library(size: int) -> dict[str, Target]:
    return {
        f"nobody-{i}": target_from_photos(f"nobody-{i}", [face(1000 + i, j) for j in range(2)])
        for i in range(size)
    }


class FirstFree:
    """Chooses the first target that nobody has, and remembers what it was asked."""

    def __init__(self, size: int = 10) -> None:
        self.library = library(size)
        self.asked: list[tuple[int, int]] = []

    def __call__(self, index: int, photos: Sequence[Embeddings], taken: Collection[str]) -> Target:
        self.asked.append((index, len(photos)))
        free = [name for name in self.library if name not in taken] or list(self.library)
        return self.library[free[0]]
