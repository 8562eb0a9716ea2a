"""A face on the edges of a 360° photo is one: cloaked as one and judged as one, by real models."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from photocloak import exporters
from photocloak.core import manifest_root
from photocloak.engine.modes import load_mode
from photocloak.plugin import Folders, Settings, Status, load_engine
from photocloak.plugin.pipeline import process_photo as attempt_module
from photocloak.plugin.pipeline.process_photo import Engine
from tests.exporters.leaks.places import packet
from tests.plugin.studio import Studio

Image = NDArray[np.uint8]
PORTRAIT = manifest_root() / "demo" / "astronaut.png"
WIDTH, HEIGHT, SIDE = 1024, 512, 384
SPACE = 'xmlns:GPano="http://ns.google.com/photos/1.0/panorama/"'


@pytest.fixture(scope="module")
def engine() -> Engine:
    return load_engine(Settings(), Folders(Path("none"), Path("none")))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few steps: enough to see which pixels a cloak reaches, and that it counts."""
    monkeypatch.setattr(
        attempt_module, "load_mode", lambda name: replace(load_mode(name), steps=10, then="")
    )


def scene(engine: Engine) -> Image:
    """Return a picture of all around whose edges go through the middle of a face."""
    portrait = Pillow.open(PORTRAIT).convert("RGB")
    (face, *_) = engine.detector(np.asarray(portrait))
    x, y, w, h = face.box
    left, top, side = x - 0.6 * w, y - 0.5 * h, 2.2 * w
    box = (left, top, left + side, top + side)
    part = portrait.resize((SIDE, SIDE), Pillow.Resampling.LANCZOS, box=box)
    picture = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    picture[60 : 60 + SIDE, np.arange(-SIDE // 2, SIDE // 2) % WIDTH] = np.asarray(part)
    return picture


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_a_face_on_the_edges_is_cloaked_as_one(tmp_path: Path, engine: Engine, suffix: str) -> None:
    before = scene(engine)
    studio = Studio(tmp_path, engine)
    photo = tmp_path / "in" / f"round{suffix}"
    said = packet("", f'{SPACE} GPano:ProjectionType="equirectangular"')
    Pillow.fromarray(before).save(photo, quality=95, xmp=said)
    outcome = studio.pipeline.run(studio.job(photo))
    # A few steps may leave the cloak too weak; what it was measured on is the whole face.
    assert outcome.status in (Status.CLOAKED, Status.TOO_WEAK)
    (face,) = outcome.faces
    x, _, w, _ = face.box
    assert x == 0 or x + w == WIDTH
    assert max(face.similarity.values()) < 0.98
    if outcome.output is not None:
        after = exporters.read(outcome.output).pixels
        changed = np.abs(after.astype(int) - exporters.read(photo).pixels).max(axis=2) > 3
        assert changed[:, :60].any() and changed[:, -60:].any()
        assert exporters.wraps(exporters.read(outcome.output))


def test_a_cubemap_is_held_back_in_words(tmp_path: Path, engine: Engine) -> None:
    studio = Studio(tmp_path, engine)
    photo = tmp_path / "in" / "cube.jpg"
    said = packet("", f'{SPACE} GPano:ProjectionType="cubemap"')
    Pillow.fromarray(scene(engine)).save(photo, xmp=said)
    outcome = studio.pipeline.run(studio.job(photo))
    assert outcome.status is Status.FAILED
    assert "cube.jpg: this is a 360° photo as 'cubemap'" in (outcome.reason or "")
    assert studio.written() == []
