"""The whole program on a real portrait: the claim, checked by looking at the written files."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from photocloak import exporters
from photocloak.core import manifest_root
from photocloak.engine.modes import load_mode
from photocloak.engine.recognition.ensemble import cosine
from photocloak.plugin import Folders, Settings, load_engine
from photocloak.plugin.main import run
from photocloak.plugin.pipeline.process_photo import Engine
from tests.plugin.json_schema import conforms

PORTRAIT = manifest_root() / "demo" / "astronaut.png"
EXIF_ORIENTATION = 0x0112


@pytest.fixture(scope="module")
def engine() -> Engine:
    return load_engine(Settings(), Folders(Path("none"), Path("none")))


def similarities(engine: Engine, before: Path, after: Path) -> dict[str, float]:
    """Return each extractor's cosine between the largest faces of two files, found anew."""
    features = []
    for path in (before, after):
        pixels = exporters.read(path).pixels
        features += engine.ensemble.embed(pixels, engine.detector(pixels)[:1])
    return {name: cosine(features[0][name], features[1][name]) for name in features[0]}


def assert_unrecognised(engine: Engine, found: dict[str, float], face: dict[str, Any]) -> None:
    """At most half of the recognisers accept the written face; the outcome names these."""
    extractors = engine.ensemble.extractors
    accepting = {name for name in extractors if found[name] >= extractors[name].spec.threshold}
    assert len(accepting) <= 3 and accepting == set(face["accepting"])
    assert face["verdict"] == ("good" if len(accepting) <= 1 else "fair")


def test_the_demo(tmp_path: Path, engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "demo"
    assert run(["demo", "-o", str(out), "--json"]) == 0
    printed = capsys.readouterr()
    outcome = json.loads(printed.out)
    conforms("outcome", outcome)
    assert all(str(path) in printed.err for path in out.iterdir())
    assert sorted(path.name for path in out.iterdir()) == [
        "after.png",
        "before.png",
        "difference.png",
    ]
    assert (out / "before.png").read_bytes() == PORTRAIT.read_bytes()
    assert outcome["output"] == str(out / "after.png")
    (face,) = outcome["faces"]
    assert face["edits"]["delta"] <= load_mode("balanced").rho * 1.001
    found = similarities(engine, out / "before.png", out / "after.png")
    for name in engine.ensemble.extractors:
        assert face["similarity"][name] == pytest.approx(found[name], abs=0.02)
    assert_unrecognised(engine, found, outcome["faces"][0])
    before, after = (
        exporters.read(out / f"{name}.png").pixels.astype(int) for name in ("before", "after")
    )
    x, y, w, h = face["box"]
    outside = np.ones(before.shape[:2], bool)
    outside[max(y - h, 0) : y + 2 * h, max(x - w, 0) : x + 2 * w] = False
    assert np.array_equal(before[outside], after[outside])
    assert run(["people", "list", "--json"]) == 0
    assert capsys.readouterr().out == "", "the portrait is nobody the user knows"


def test_a_photo_as_a_camera_writes_it(
    tmp_path: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Turned by EXIF, with a caption; done twice it is the same file, and stays what it is."""
    photo = tmp_path / "in" / "IMG 0001.JPG"
    photo.parent.mkdir()
    exif = Pillow.Exif()
    exif[EXIF_ORIENTATION] = 6
    exif[0x010E] = "At the launch site"
    turned = Pillow.open(PORTRAIT).transpose(Pillow.Transpose.ROTATE_90)
    turned.save(photo, quality=93, exif=exif)
    source = photo.read_bytes()
    assert run(["cloak", str(photo.parent), "-o", str(tmp_path / "out"), "--json"]) == 0
    outcome = json.loads(capsys.readouterr().out)
    written = tmp_path / "out" / "IMG 0001.JPG"
    assert (outcome["status"], outcome["output"]) == ("cloaked", str(written))
    assert photo.read_bytes() == source
    with Pillow.open(written) as image:
        assert image.getexif()[EXIF_ORIENTATION] == 6
        assert image.getexif()[0x010E] == "At the launch site"
        assert image.size == turned.size
    found = similarities(engine, photo, written)
    assert_unrecognised(engine, found, outcome["faces"][0])
    assert run(["cloak", str(written), "-o", str(tmp_path / "again"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "already_cloaked"
    assert (tmp_path / "again" / "IMG 0001.JPG").read_bytes() == written.read_bytes()
    assert run(["check", str(written), "--json"]) == 0
    assert run(["check", str(photo), "--json"]) == 7
