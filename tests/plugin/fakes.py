"""People without a model: a face's features are its identity's direction plus some noise."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from photocloak.engine.detector import Detector
from photocloak.engine.ensemble import Embeddings, Ensemble
from photocloak.engine.extractors import FakeExtractor
from photocloak.engine.faces import Face
from photocloak.engine.space import ARCFACE, Image
from photocloak.engine.targets import Target, TargetLibrary, target_from_photos
from photocloak.plugin.attempt import Engine

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


class FakeDetector(Detector):
    """Finds the faces that a test says a photo of a given (height, width) has."""

    def __init__(self, faces: Mapping[tuple[int, int], Sequence[Face]]) -> None:
        self.low, self.high, self.faces = 0.5, 0.7, faces

    def __call__(self, image: Image) -> list[Face]:
        return list(self.faces.get(image.shape[:2], ()))


def face_at(x: float, y: float, size: float, *, score: float = 0.9, upright: bool = True) -> Face:
    """Return a frontal face whose aligned square has its corner at (x, y); else a hopeless one."""
    points = np.asarray(ARCFACE, np.float32) / 112
    if not upright:
        points = points[[4, 0, 3, 1, 2]]
    return Face((x, y, size, size), np.asarray(points * size + (x, y), np.float32), score)


def make_engine(
    faces: Mapping[tuple[int, int], Sequence[Face]], *, threshold: float = 0.9999
) -> Engine:
    """Return an engine whose extractors are fakes; nearly any change satisfies the threshold."""
    fakes = [FakeExtractor(name, seed=seed) for seed, name in enumerate(("one", "two", "three"))]
    for one in fakes:
        one.spec = replace(one.spec, threshold=threshold)
    rng = np.random.default_rng(7)
    targets = {
        f"nobody-{i}": target_from_photos(
            f"nobody-{i}",
            [{one.spec.name: rng.uniform(-1, 1, 8).astype(np.float32) for one in fakes}] * 2,
        )
        for i in range(5)
    }
    means = {one.spec.name: np.zeros(8, np.float32) for one in fakes}
    return Engine(
        FakeDetector(faces),
        Ensemble({one.spec.name: one for one in fakes}),
        TargetLibrary(targets, {}, means),
        lambda *_: None,
    )


def picture(height: int, width: int, seed: int = 0) -> Image:
    """Return a smooth random photo, (H, W, 3) uint8."""
    coarse = np.random.default_rng(seed).integers(40, 216, (6, 8, 3), np.uint8)
    return np.asarray(Pillow.fromarray(coarse).resize((width, height), Pillow.Resampling.BICUBIC))


def write_photo(path: Path, height: int, width: int, seed: int = 0) -> Path:
    """Write such a photo as the suffix says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(picture(height, width, seed)).save(path, quality=92)
    return path
