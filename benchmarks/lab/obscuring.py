"""How coarse a face must get until no recogniser knows it; the figures of docs/lab/detection.md.

    PHOTOCLOAK_LAB=/path/to/lab python benchmarks/lab/obscuring.py [FACES]

Faces of people of lfw_protect, highres and web_small, from 60 pixels to 1500 across. Each is
obscured, written as a JPEG of quality 90, and looked at twice: with the landmarks that the detector
finds in it, if any, and with those of the clean face. A recogniser knows it where the cosine to the
clean face reaches its threshold (1 % false accepts, so of strangers one in a hundred is "known").
"""

import csv
import io
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from photocloak.engine.detection.alignment import Image
from photocloak.engine.detection.faces import Face, alignable, same_face
from photocloak.engine.modes import Fallback
from photocloak.engine.obscure import TRIES, obscure
from photocloak.engine.recognition.ensemble import Embeddings, cosine
from photocloak.plugin.assembly import load_engine
from photocloak.plugin.settings import Settings
from photocloak.plugin.storage.folders import Folders

SIZES = (60, 90, 140, 220, 400, 700, 1100, 1500)
HOWS: tuple[Fallback, ...] = ("blur", "pixelate", "box")


def photos(data: Path, count: int) -> Iterator[tuple[int, Image]]:
    """Yield photos of somebody else each, and the size that their face shall have."""
    rows = list(csv.DictReader((data / "INDEX.csv").open(encoding="utf-8")))
    rows = [row for row in rows if row["group"] != "lfw_negative"]
    dice = np.random.default_rng(17)
    used: Counter[tuple[str, int]] = Counter()
    for number in range(count):
        wanted = SIZES[number % len(SIZES)]
        fit = [row for row in rows if int(row["face_box_min_px"]) >= wanted * 0.98]
        fewest = min(used[row["identity"], wanted] for row in fit)
        fit = [row for row in fit if used[row["identity"], wanted] == fewest]
        row = fit[int(dice.integers(len(fit)))]
        used[row["identity"], wanted] += 1
        photo = Pillow.open(data / row["group"] / row["identity"] / row["file"]).convert("RGB")
        scale = min(1.0, wanted / int(row["face_box_min_px"]))
        size = round(photo.width * scale), round(photo.height * scale)
        yield wanted, np.asarray(photo.resize(size, Pillow.Resampling.LANCZOS))


def around(image: Image, face: Face) -> Image:
    """Return the photo around a face, as far as anything here looks."""
    x, y, w, h = face.box
    left, top = max(round(x - w), 0), max(round(y - h), 0)
    return image[top : round(y + 2 * h), left : round(x + 2 * w)]


def known(clean: Embeddings, now: Embeddings, thresholds: dict[str, float]) -> list[str]:
    """Return the recognisers that know a face."""
    return [name for name in clean if cosine(clean[name], now[name]) >= thresholds[name]]


def written(image: Image) -> Image:
    """Return the pixels of a JPEG."""
    file = io.BytesIO()
    Pillow.fromarray(image).save(file, "JPEG", quality=90)
    return np.asarray(Pillow.open(file))


def main() -> None:
    """Print a line a way and try: known with found and with given landmarks, and found."""
    data = Path(os.environ["PHOTOCLOAK_LAB"]) / "data" / "faces"
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    engine = load_engine(Settings(match_targets=False), Folders.of_user())
    thresholds = {name: one.spec.threshold for name, one in engine.ensemble.extractors.items()}
    ways = [(how, tried) for how in HOWS for tried in range(TRIES)]
    totals: dict[tuple[str, int], Counter[str]] = {way: Counter() for way in ways}
    faces = 0
    for wanted, image in photos(data, count):
        seen = [one for one in engine.detector(image) if alignable(one, image.shape)]
        if not seen:
            continue
        faces += 1
        before = around(image, seen[0])
        face = engine.detector(before)[0]
        (clean,) = engine.ensemble.embed(before, [face])
        for how, tried in ways:
            after = written(obscure(before, face, engine.landmarks, how, tried=tried))
            again = same_face(face, engine.detector(after, near=[face]))
            looks: dict[str, Face] = {"given": face} | ({"found": again} if again else {})
            total = totals[how, tried]
            total["seen"] += again is not None
            embedded = engine.ensemble.embed(after, [*looks.values()])
            for name, now in zip(looks, embedded, strict=True):
                hits = known(clean, now, thresholds)
                total[name] += len(hits)
                total.update(f"{name} {hit}" for hit in hits)
                total[f"{name} faces"] += bool(hits)
                total[f"{name} {'small' if wanted < 300 else 'large'}"] += bool(hits)
        print(".", end="", file=sys.stderr, flush=True)
    print(f"{faces} faces")
    for way, total in totals.items():
        print(*way, dict(sorted(total.items())))


if __name__ == "__main__":
    main()
