"""Runs made up for the report: photos whose original is red and whose cloaked photo is blue."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PIL import Image as Pillow

from photocloak.engine.extractors import ExtractorSpec, load_specs
from tests.plugin.html.test_html import Reader

Make = Callable[..., tuple[int, Reader, str]]
"""Makes a report of rows: (exit code, page, stderr)."""

RED, BLUE = (200, 30, 30), (30, 30, 200)
FACE = {
    "box": [40, 30, 60, 80],
    "person": "Ada",
    "edits": {"warp": 1.12, "contrast": 20.0, "light": 0.062, "delta": 0.002},
    "dssim": 0.0105,
    "similarity": {"dlib": 0.85, "hse": 0.41, "mobileface": 0.45, "sface": 0.21},
}


def specs() -> Mapping[str, ExtractorSpec]:
    return load_specs()


def paint(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (320, 200)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.new("RGB", size, colour).save(path)
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def cloaked(folder: Path, name: str, **other: Any) -> dict[str, Any]:
    """Return the outcome of a photo of that name, which is made."""
    source, output = paint(folder / "in" / name, RED), paint(folder / "out" / name, BLUE)
    return {
        "source": str(source),
        "source_sha256": sha256(source),
        "output": str(output),
        "output_sha256": sha256(output),
        "status": "cloaked",
        "reason": None,
        "seconds": 7.9,
        "faces": [FACE],
    } | other


def held(folder: Path, name: str, **other: Any) -> dict[str, Any]:
    """Return the outcome of a photo that was held back."""
    row = cloaked(folder, name)
    Path(row["output"]).unlink()
    return (
        row
        | {
            "output": None,
            "output_sha256": None,
            "status": "too_weak",
            "reason": f"{row['source']}: held back, since hse would still recognise a face in it.",
            "faces": [FACE | {"similarity": FACE["similarity"] | {"hse": 0.7}}],  # type: ignore[operator]
        }
        | other
    )


def write_run(path: Path, *rows: Mapping[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def pictured(shown: Reader) -> list[str]:
    return [
        one["alt"] or ""
        for name, one in shown.elements
        if name == "img" and (one["src"] or "").startswith("data:image/jpeg;base64,")
    ]
