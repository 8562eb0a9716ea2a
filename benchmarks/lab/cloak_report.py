"""Summarise what `photocloak cloak --json` printed: DSSIM, similarity, shares, seconds.

By hand: `photocloak cloak PHOTOS -o OUT --mode M --json > M.jsonl`, then
`python benchmarks/lab/cloak_report.py M.jsonl ...`. Thresholds are those of the shipped extractors.
Of the written files, which must still be there, it says what there is to see, by size of the face.
"""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from photocloak import exporters
from photocloak.engine import load_specs
from photocloak.engine.detection.detector import Detector
from photocloak.plugin.evaluation.visibility import Change, by_class, change


def report(path: Path) -> None:
    """Print the figures of one run."""
    photos = [json.loads(line) for line in path.read_text().splitlines()]
    faces = [face for photo in photos for face in photo["faces"] if face["similarity"]]
    states = Counter(photo["status"] for photo in photos)
    held = 1 - states["cloaked"] / len(photos)
    print(f"{path.stem}: {len(photos)} photos {dict(states)}, held back {held:.1%}")
    dssim = np.array([face["dssim"] for face in faces])
    print(
        f"  DSSIM on file: mean {dssim.mean():.4f}, p95 {np.quantile(dssim, 0.95):.4f}, "
        f"max {dssim.max():.4f} over {len(faces)} faces"
    )
    for name, spec in load_specs().items():
        cosines = np.array([face["similarity"][name] for face in faces])
        print(
            f"  {name}: cosine mean {cosines.mean():.3f}, p95 {np.quantile(cosines, 0.95):.3f}; "
            f"below {spec.threshold:.3f}: {(cosines < spec.threshold).mean():.1%}"
        )
    below = [all(f["similarity"][n] < s.threshold for n, s in load_specs().items()) for f in faces]
    seconds = sum(photo["seconds"] for photo in photos) / len(faces)
    print(f"  below all thresholds: {np.mean(below):.1%}; {seconds:.2f} s a face, all included")
    budgets = Counter(
        face["mode"] for photo in photos if photo["output"] for face in photo["faces"]
    )
    print(f"  budgets of the faces that were written: {dict(budgets)}")
    for name, seen in by_class(changes(photos)).items():
        print(f"  {name}: {', '.join(f'{what} {value:.4g}' for what, value in seen.items())}")


def changes(photos: list[dict[str, Any]]) -> list[Change]:
    """Compare sources and written files at the largest face of each."""
    detector, found = Detector(), []
    for photo in photos:
        if photo["status"] != "cloaked":
            continue
        before, after = (exporters.read(Path(photo[key])).pixels for key in ("source", "output"))
        found.append(change(before, after, detector(before)[0]))
    return found


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        report(Path(argument))
