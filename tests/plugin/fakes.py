"""People without a model: a face's features are its identity's direction plus some noise."""

import os
import signal
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from photocloak.engine.detection.alignment import ARCFACE, Image
from photocloak.engine.detection.detector import Detector
from photocloak.engine.detection.faces import Face
from photocloak.engine.detection.landmarks import average_landmarks
from photocloak.engine.extractors import FakeExtractor
from photocloak.engine.modes import load_mode
from photocloak.engine.recognition.ensemble import Embeddings, Ensemble
from photocloak.engine.targets.library import Target, TargetLibrary, target_from_photos
from photocloak.plugin.people.assignment import ObservedFace
from photocloak.plugin.pipeline import process_photo
from photocloak.plugin.pipeline.process_photo import Engine
from photocloak.plugin.pipeline.worker import Worker

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
        self.asked: list[int] = []

    def __call__(self, faces: Sequence[ObservedFace], photo: str, taken: Collection[str]) -> Target:
        self.asked.append(len(faces))
        free = [name for name in self.library if name not in taken] or list(self.library)
        return self.library[free[0]]


class FakeDetector(Detector):
    """Finds the faces that a test says a photo of a given (height, width) has."""

    def __init__(self, faces: Mapping[tuple[int, int], Sequence[Face]]) -> None:
        self.low, self.high, self.faces = 0.5, 0.7, faces

    def __call__(self, image: Image, *, near: Sequence[Face] | None = None) -> list[Face]:
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
        average_landmarks,
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


def noisy(path: Path, height: int, width: int, seed: int = 0) -> Path:
    """Write a photo that no format makes small."""
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    Pillow.fromarray(noise).save(path)
    return path


PORTRAIT, GROUP, BARE = (120, 160), (130, 260), (96, 128)
LARGE = (820, 900)
"""With `noisy`, 2 MB as a PNG."""
CRASH, HANG, LINGER = (97, 128), (98, 128), (99, 128)
"""Sizes of photos on which the process segfaults, hangs in a decoder, or waits to be killed."""

CAST: Mapping[tuple[int, int], Sequence[Face]] = {
    PORTRAIT: [face_at(40, 20, 70)],
    GROUP: [face_at(20, 20, 80), face_at(150, 30, 70)],
    LINGER: [face_at(20, 10, 70)],
    LARGE: [face_at(40, 20, 70)],
}


class TroubledDetector(FakeDetector):
    """Comes to grief over photos of certain sizes, for real."""

    def __init__(self, marker: Path | None) -> None:
        super().__init__(CAST)
        self._marker = marker

    def __call__(self, image: Image, *, near: Sequence[Face] | None = None) -> list[Face]:
        size = image.shape[:2]
        if size == CRASH:
            os.kill(os.getpid(), signal.SIGSEGV)
        if size == HANG:
            time.sleep(3600)
        if size == LINGER and self._marker is not None and not self._marker.exists():
            self._marker.write_text(str(os.getpid()))
            time.sleep(3600)
        return super().__call__(image, near=near)


@dataclass(frozen=True)
class FakeRecipe:
    """Makes a worker without a model in any process; `marker` hears of the process that waits."""

    marker: Path | None = None

    def __call__(self) -> Worker:
        # For a process of its own, where no monkeypatch reaches: fewer steps are enough.
        vars(process_photo)["load_mode"] = lambda name: replace(load_mode(name), steps=4)
        return Worker(replace(make_engine(CAST), detector=TroubledDetector(self.marker)))
