"""`python -m photocloak.engine.conversion.average_face PHOTOS`: manifests/landmarks/average.csv.

PHOTOS holds one folder a person. Each person's landmarks are averaged, then those of all people, in
the face space, so that what is left belongs to nobody.
"""

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np

from photocloak.engine.conversion.thresholds import DetectedPhoto, detect_photos
from photocloak.engine.detection.landmarks import Landmarker, load_landmarker
from photocloak.engine.geometry import Array

FEWEST = 50
"""People below which an average would tell of single faces."""


def average(detected: list[DetectedPhoto], landmarker: Landmarker) -> Array:
    """Return the mean points, (468, 2) float32, of people whose landmarks are certain."""
    people: dict[str, list[Array]] = defaultdict(list)
    for one in detected:
        landmarks = landmarker(one.pixels, one.face)
        if landmarks.certain:
            people[one.person].append(landmarks.points)
    if len(people) < FEWEST:
        raise SystemExit(f"Only {len(people)} people have certain landmarks; {FEWEST} are needed.")
    means = [np.mean(points, axis=0) for points in people.values()]
    return np.asarray(np.mean(means, axis=0), np.float32)


def main() -> None:
    """Print the average face, a line of x and y a point."""
    parser = argparse.ArgumentParser(prog="python -m photocloak.engine.conversion.average_face")
    parser.add_argument("photos", type=Path, help="folder with one folder of photos a person")
    options = parser.parse_args()
    for x, y in average(detect_photos(options.photos), load_landmarker()):
        print(f"{x:.2f},{y:.2f}")


if __name__ == "__main__":
    main()
