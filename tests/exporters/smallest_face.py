"""How few bytes a face takes that SFace still knows: `python -m tests.exporters.smallest_face LAB`.

Faces of LAB/data/faces/lfw_protect are cut out aligned, made small, coded, and compared with the
person's other photos. Nobody stores faces so tightly: it is the bound for what may be left over.
"""

import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from photocloak.engine.detection.alignment import chip
from photocloak.engine.detection.detector import Detector
from photocloak.engine.extractors import load_extractor, load_specs
from photocloak.engine.geometry import Array

PEOPLE, PHOTOS, PROBES = 12, 3, 12
EDGES = (16, 20, 24, 32)
CODERS = {"WEBP": (0, 15, 50), "AVIF": (10, 35), "JPEG": (10, 40)}


def measure(lab: Path) -> list[tuple[float, float, str]]:
    """Return (bytes, share of the person's photos that are accepted, how it was coded)."""
    spec = load_specs()["sface"]
    network, detector = load_extractor(spec, threads=1), Detector(threads=1)
    chips, names = [], []
    folders = sorted(path for path in (lab / "data/faces/lfw_protect").iterdir() if path.is_dir())
    for number, folder in enumerate(folders[:PEOPLE]):
        for path in sorted(folder.glob("*.jpg"))[:PHOTOS]:
            pixels = np.asarray(Pillow.open(path).convert("RGB"))
            for face in detector(pixels)[:1]:
                chips.append(chip(pixels, face, np.asarray(spec.template), spec.size))
                names.append(number)

    def features(one: Array) -> Array:
        found = network.embed(np.ascontiguousarray(one[None].transpose(0, 3, 1, 2)))[0]
        return np.asarray(found / np.linalg.norm(found), np.float32)

    known, who = np.stack([features(one) for one in chips]), np.array(names)
    rows = []
    for edge, form, mode in (
        (edge, form, mode) for edge in EDGES for form in CODERS for mode in ("L", "RGB")
    ):
        for quality in CODERS[form]:
            sizes, accepted = [], []
            for index in np.random.default_rng(1).permutation(len(chips))[:PROBES]:
                small = Pillow.fromarray(np.clip(chips[index], 0, 255).astype(np.uint8))
                small = small.resize((edge, edge), Pillow.Resampling.LANCZOS).convert(mode)
                file = io.BytesIO()
                small.save(file, form, quality=quality)
                sizes.append(len(file.getvalue()))
                shown = Pillow.open(file).convert("RGB").resize((spec.size, spec.size))
                others = (who == who[index]) & (np.arange(len(who)) != index)
                probe = features(np.asarray(shown, np.float32))
                accepted.append((known[others] @ probe >= spec.threshold).mean())
            title = f"{form} {edge} px, quality {quality}, {mode}"
            rows.append((float(np.mean(sizes)), float(np.mean(accepted)), title))
    return sorted(rows)


if __name__ == "__main__":
    for size, share, title in measure(Path(sys.argv[1])):
        print(f"{size:5.0f} bytes, accepted {share:.2f}: {title}")
