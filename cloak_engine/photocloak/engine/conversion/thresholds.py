"""`python -m photocloak.engine.conversion.thresholds PHOTOS`: how well recognisers tell people.

PHOTOS holds one folder a person; of each photo the face nearest the middle counts. Printed are the
numbers that a manifest states (`threshold`, `true_accepts`) and two more to judge them by.
"""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from photocloak.engine.detection.alignment import chip
from photocloak.engine.detection.detector import Detector
from photocloak.engine.detection.faces import Face
from photocloak.engine.extractors.loader import load_extractor
from photocloak.engine.extractors.spec import ExtractorSpec, load_specs
from photocloak.engine.recognition.identification import false_accept_threshold

Pixels = NDArray[np.uint8]
RATE = 0.01
BATCH = 16


@dataclass(frozen=True, eq=False)
class DetectedPhoto:
    """One photo of one person: pixels (H, W, 3) uint8 RGB and the face that counts."""

    person: str
    pixels: Pixels
    face: Face


@dataclass(frozen=True)
class Separation:
    """How a recogniser separates pairs of photos, all of raw cosines.

    Attributes:
        threshold: what RATE of the pairs of different people reach.
        true_accepts: share of the pairs of one person that reach it.
        nearest: share of photos whose nearest other photo is of the same person.
        same: mean over the pairs of one person.
        different: mean over the pairs of different people.

    """

    threshold: float
    true_accepts: float
    nearest: float
    same: float
    different: float


def detect_photos(photos: Path) -> list[DetectedPhoto]:
    """Return the people in `photos`, in order of their names; photos without a face drop out."""
    detector = Detector()
    detected = []
    for path in sorted(p for p in photos.glob("*/*") if p.is_file()):
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
        middle = np.array(pixels.shape[1::-1]) / 2
        faces = detector(pixels)
        if faces:
            face = min(faces, key=lambda f: float(np.hypot(*(f.landmarks.mean(axis=0) - middle))))
            detected.append(DetectedPhoto(path.parent.name, pixels, face))
    return detected


def embed(spec: ExtractorSpec, detected: list[DetectedPhoto]) -> NDArray[np.float32]:
    """Return the (N, D) raw features of the sightings."""
    extractor = load_extractor(spec, threads=1)
    template = np.asarray(spec.template)
    features = []
    for start in range(0, len(detected), BATCH):
        part = detected[start : start + BATCH]
        chips = np.stack([chip(s.pixels, s.face, template, spec.size) for s in part])
        features.append(extractor.embed(np.ascontiguousarray(chips.transpose(0, 3, 1, 2))))
    return np.concatenate(features)


def separate(features: NDArray[np.float32], people: NDArray[np.str_]) -> Separation:
    """Compare every photo with every other: features (N, D) of people (N,)."""
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    cosines = unit @ unit.T
    same = people[:, None] == people[None, :]
    pairs = np.triu(np.ones_like(same), 1)
    own, other = cosines[same & pairs], cosines[~same & pairs]
    labels = np.unique(people, return_inverse=True)[1]
    threshold = false_accept_threshold(features, labels, rate=RATE)
    np.fill_diagonal(cosines, -np.inf)
    judged = same.sum(axis=1) > 1
    nearest = people[cosines.argmax(axis=1)] == people
    return Separation(
        threshold,
        float((own >= threshold).mean()),
        float(nearest[judged].mean()),
        float(own.mean()),
        float(other.mean()),
    )


def report(results: Mapping[str, Separation]) -> str:
    """Return a table for people."""
    rows = ["name           threshold  true_accepts  nearest  same   different"]
    rows += [
        f"{name:14} {r.threshold:9.4f} {r.true_accepts:13.4f} {r.nearest:8.3f} {r.same:6.3f} "
        f"{r.different:6.3f}"
        for name, r in results.items()
    ]
    return "\n".join(rows)


def main() -> None:
    """Measure every shipped recogniser."""
    parser = argparse.ArgumentParser(prog="python -m photocloak.engine.conversion.thresholds")
    parser.add_argument("photos", type=Path, help="folder with one folder of photos a person")
    options = parser.parse_args()
    detected = detect_photos(options.photos)
    people = np.array([s.person for s in detected])
    print(f"{len(detected)} photos of {len(set(people))} people")
    specs = load_specs()
    print(report({n: separate(embed(s, detected), people) for n, s in specs.items()}))


if __name__ == "__main__":
    main()
