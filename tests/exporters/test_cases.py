"""The lab's small inputs that once came out wrong, each with what is right."""

import html
import io
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from photocloak import exporters
from photocloak.core import InputError, manifest_root
from photocloak.exporters.metadata.credits import Credits, gather
from photocloak.exporters.scanning import parts_of

PORTRAIT = manifest_root() / "demo" / "astronaut.png"


@pytest.fixture(scope="module")
def cases(lab: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the inputs."""
    folder = tmp_path_factory.mktemp("cases")
    command = [
        sys.executable,
        "-B",
        str(lab / "cases/make.py"),
        str(folder),
        "--face",
        str(PORTRAIT),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def written(cases: Path, key: str, preset: str) -> exporters.Encoded:
    (path,) = cases.glob(f"{key}_*")
    photo, policy = exporters.read(path), exporters.load_policy(preset)
    base = exporters.prepare(photo, policy)
    cloaked = base.copy()
    cloaked[100:160, 100:160] ^= 4
    return exporters.encode(photo, base, cloaked, policy)


def credits_of(encoded: exporters.Encoded) -> Credits:
    return gather(parts_of(encoded.data))


def portrait() -> np.ndarray:
    return np.asarray(Pillow.open(PORTRAIT).convert("RGB"))


def plain(data: bytes) -> str:
    """Return a file as text without what a base64 text may be broken up and escaped with."""
    text = html.unescape(data.decode("latin-1")).replace("\\/", "/")
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize("key", ["L5", "L6"])
def test_a_picture_written_as_text_goes(cases: Path, key: str) -> None:
    (path,) = cases.glob(f"{key}_*")
    found = re.search(r"/9j/[A-Za-z0-9+/]{8000,}", plain(path.read_bytes()))
    assert found, "the clean picture is in the source"
    hidden = found[0]
    encoded = written(cases, key, "keep")
    left = plain(encoded.data)
    pieces = [hidden[at : at + 16] for at in range(0, len(hidden) - 16, 8)]
    # a JPEG begins as any other does, in 24 bytes or so
    assert [one for one in pieces[8:] if one in left] == []
    assert any("neither short nor readable" in note for note in encoded.notes)


def test_colours(cases: Path) -> None:
    kept = written(cases, "C2", "keep").data
    assert b"colrnclx\0\x0c\0\r\0\x06\x80" in kept, "still Display P3"
    with pytest.raises(InputError, match=r"is an HDR picture \(PQ\)"):
        written(cases, "C4", "keep")
    web = np.asarray(Pillow.open(io.BytesIO(written(cases, "C5", "web").data)))
    assert abs(float(web.mean()) - float(portrait().mean())) < 8


def test_exif_forms(cases: Path) -> None:
    assert credits_of(written(cases, "M2", "keep")).creator == ["Ada Example"]
    web = np.asarray(Pillow.open(io.BytesIO(written(cases, "M5", "web").data)))
    side = portrait()[:, 60:460]
    assert web.shape == side.shape
    assert np.abs(web.astype(int) - side).mean() < 6


@pytest.mark.parametrize(
    ("key", "creator", "copyright_", "caption"),
    [
        ("M6", ["Jörg Müller"], {"x-default": "© Jörg Müller"}, {"x-default": "Schloß"}),
        ("M7", ["Jörg Müller"], {"x-default": "© Jörg Müller"}, {}),
        ("M8", ["Ada One", "Ben Two"], {}, {}),
        ("M9", [], {"x-default": "Editor House Ltd"}, {}),
        ("M10", [], {}, {"x-default": "The castle", "de": "Das Schloss"}),
        ("M12", ["Jörg Müller"], {}, {}),
    ],
)
def test_credits(
    cases: Path,
    key: str,
    creator: list[str],
    copyright_: dict[str, str],
    caption: dict[str, str],
) -> None:
    found = credits_of(written(cases, key, "web"))
    assert (found.creator, found.copyright, found.caption) == (creator, copyright_, caption)
    assert found.editor == ("Editor House Ltd" if key == "M9" else "")


def test_dates(cases: Path) -> None:
    assert credits_of(written(cases, "M11", "web")).date == "2019-07-04T10:11:12+02:00"


def test_what_every_viewer_shows_is_taken(cases: Path) -> None:
    many = written(cases, "R1", "keep")  # 24,000 identifiers may be a picture in pieces
    assert "dropped: XMP list item, 57 bytes, neither short nor readable" in many.notes
    shown = np.asarray(Pillow.open(io.BytesIO(many.data)))
    assert np.array_equal(shown[160:], portrait()[160:]), "the picture is as it was"
    holes = exporters.read_bytes(written(cases, "R5", "keep").data, "a").raster.samples[..., 1]
    assert np.array_equal(holes == 0, np.pad(np.ones((60, 60), bool), ((0, 452), (0, 452))))
    assert "without an end marker" in " ".join(written(cases, "R6", "keep").notes)
    assert "4 bytes between its segments" in " ".join(written(cases, "R7", "keep").notes)
