"""What of a cloak is left in the file that is written, by format and preset.

python -m benchmarks.lab.written DATA_FACES [COUNT] [LEFT_OUT]

Photos of `benchmarks/visibility/faces.toml` (every third by default) are put into each format,
cloaked in `balanced` without the extractor LEFT_OUT (sface), and written by the exporter. Told are
the cosines of centred features to the clean face, before encoding and read back: of the extractor
left out and the mean of the others; and the file's size against the same photo written without a
cloak.
"""

import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image, ImageOps

from photocloak.core import manifest_root
from photocloak.engine import (
    Attributes,
    Cloaker,
    Detector,
    Ensemble,
    Face,
    Subject,
    TargetLibrary,
    load_extractor,
    load_modes,
    load_specs,
)
from photocloak.engine.detection.landmarks import load_landmarker
from photocloak.engine.recognition.ensemble import direction
from photocloak.exporters import encode, load_policy, prepare, read, written_pixels

FACES = Path(__file__).parents[1] / "visibility" / "faces.toml"
SAVED: dict[str, dict[str, Any]] = {
    ".jpg": {"quality": 90},
    ".png": {},
    ".webp": {"quality": 85},
    ".avif": {"quality": 80},
    ".heic": {"quality": 80},
}
WAYS = [(suffix, "keep") for suffix in SAVED] + [(".jpg", "web"), (".jpg", "instagram")]


class Bench:
    """Cloaks and measures."""

    def __init__(self, left_out: str) -> None:
        self.left_out = left_out
        specs = load_specs()
        every = {name: load_extractor(spec) for name, spec in specs.items()}
        self.ensemble = Ensemble(every)
        library = TargetLibrary.load(manifest_root() / "targets" / "library.npz")
        self.library, self.means = library, dict(library.means)
        known = {name: one for name, one in every.items() if name != left_out}
        self.cloaker = Cloaker(Ensemble(known), self.means, load_landmarker())
        self.detector = Detector()

    def cosines(self, image: np.ndarray, face: Face, own: dict[str, np.ndarray]) -> list[float]:
        """Return what is left of the own identity: of the one left out, mean of the others."""
        found = self.ensemble.embed(image, [face])[0]
        left = {
            name: float(
                direction(found[name], self.means[name]) @ direction(own[name], self.means[name])
            )
            for name in own
        }
        return [left.pop(self.left_out), float(np.mean(list(left.values())))]

    def measure(self, source: Path, preset: str) -> list[float] | None:
        """Return cosines before encoding, read back, and the file's relative size."""
        photo, policy = read(source), load_policy(preset)
        base = prepare(photo, policy)
        faces = self.detector(base)
        if not faces:
            return None
        face = max(faces, key=lambda one: one.box[2] * one.box[3])
        own = self.ensemble.embed(base, [face])[0]
        target = self.library.choose([own], Attributes(35.0, 0.0, 0.0), seed=1)
        subject = Subject(face, target, own, load_modes()["balanced"])
        cloaked = self.cloaker(base, [subject], seed=1).pixels
        written = encode(photo, base, cloaked, policy)
        clean = encode(photo, base, base, policy)
        again = written_pixels(written, base.shape, source.name)
        size = len(written.data) / len(clean.data)
        return [*self.cosines(cloaked, face, own), *self.cosines(again, face, own), size]


def sources(root: Path, count: int, place: Path) -> Iterator[tuple[str, Path]]:
    """Yield suffix and file: each photo as it is in JPEG, made anew in the other formats."""
    pillow_heif.register_heif_opener()
    named = list(tomllib.loads(FACES.read_text("utf-8"))["faces"])
    for number, name in enumerate(named[:: max(1, len(named) // count)][:count]):
        yield ".jpg", root / name
        pixels = ImageOps.exif_transpose(Image.open(root / name)).convert("RGB")
        for suffix, options in list(SAVED.items())[1:]:
            path = place / f"{number}{suffix}"
            pixels.save(path, **options)
            yield suffix, path


def main(arguments: Sequence[str]) -> None:
    """Print a Markdown table."""
    root, count = Path(arguments[0]), int(arguments[1]) if len(arguments) > 1 else 16
    bench = Bench(arguments[2] if len(arguments) > 2 else "sface")
    found: dict[tuple[str, str], list[list[float]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as place:
        for suffix, path in sources(root, count, Path(place)):
            for way in [way for way in WAYS if way[0] == suffix]:
                row = bench.measure(path, way[1])
                if row is not None:
                    found[way].append(row)
    print(
        f"| source, preset | photos | {bench.left_out}, left out: before, in the file "
        "| the others | size |"
    )
    print("|---|---|---|---|---|")
    for (suffix, preset), rows in found.items():
        mean = np.mean(rows, axis=0)
        print(
            f"| {suffix}, `{preset}` | {len(rows)} | {mean[0]:.2f}, {mean[2]:.2f} "
            f"| {mean[1]:.2f}, {mean[3]:.2f} | × {mean[4]:.3f} |"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
