"""Sets as judges get them, of the portrait that ships: what is in them, and what must not be."""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from benchmarks.visibility.__main__ import main
from benchmarks.visibility.build import build, check_places
from benchmarks.visibility.design import CONTROL
from benchmarks.visibility.key import KeyEntry, read_key
from benchmarks.visibility.portrait import GAP, LONGEST, portrait
from benchmarks.visibility.sources import Source, find_ready, find_sources
from benchmarks.visibility.versions import save_again
from photocloak import exporters
from photocloak.core import ConfigError, InputError, manifest_root
from photocloak.engine.detection.detector import Detector
from tests.plugin.fakes import face_at

PORTRAIT = manifest_root() / "demo" / "astronaut.png"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Write a folder of four photos: one JPEG, one darker, one in the mirror, one as it is."""
    folder = tmp_path / "photos"
    folder.mkdir()
    picture = Pillow.open(PORTRAIT).convert("RGB")
    picture.save(folder / "one.png")
    picture.save(folder / "two.jpg", quality=85)
    picture.transpose(Pillow.Transpose.FLIP_LEFT_RIGHT).save(folder / "three.png")
    picture.point(lambda level: level * 0.8).save(folder / "four.png")
    return folder


@pytest.fixture
def ready(photos: Path, tmp_path: Path) -> Path:
    """Write a version of each that is not to be mistaken for anything else: all red."""
    folder = tmp_path / "red"
    folder.mkdir()
    for path in photos.iterdir():
        with Pillow.open(path) as picture:
            Pillow.new("RGB", picture.size, "red").save(folder / f"{path.stem}.png")
    return folder


def made(photos: Path, ready: Path, place: Path, detector: Detector) -> dict[str, KeyEntry]:
    place.mkdir()
    sources = find_sources([photos], None)
    versions = {"red": find_ready(ready, sources)}
    return dict(build(sources, versions, place / "sets", place / "key.json", detector))


def pixels(path: Path) -> np.ndarray:
    with Pillow.open(path) as picture:
        return np.asarray(picture)


def test_pictures_show_what_the_key_says(
    photos: Path, ready: Path, tmp_path: Path, detector: Detector
) -> None:
    entries = made(photos, ready, tmp_path / "out", detector)
    assert entries == read_key(tmp_path / "out" / "key.json")
    files = {path.stem: path for path in (tmp_path / "out" / "sets").glob("*/*.png")}
    assert files.keys() == entries.keys()
    assert {one.side for one in entries.values() if one.kind == "pairs"} == {"left", "right"}
    red = np.array([255, 0, 0])
    for number, entry in entries.items():
        shown = pixels(files[number])
        assert files[number].parent.name == entry.set
        if entry.kind == "alone":
            assert (shown == red).all() == (entry.version == "red")
            continue
        width = (shown.shape[1] - GAP) // 2
        halves = {"left": shown[:, :width], "right": shown[:, -width:]}
        other = halves["right" if entry.side == "left" else "left"]
        assert not (other == red).all()
        assert (halves[entry.side] == red).all() == (entry.version == "red")
        # All photos are kept as they are where nothing was changed, so these halves are the same.
        assert (halves["left"] == halves["right"]).all() == (entry.version == CONTROL)


def test_sets_tell_nothing(photos: Path, ready: Path, tmp_path: Path, detector: Detector) -> None:
    made(photos, ready, tmp_path / "out", detector)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"sets", "key.json"}
    for path in (tmp_path / "out" / "sets").rglob("*"):
        if path.is_dir():
            assert re.fullmatch(r"(alone|pairs)-\d\d", path.name)
        elif path.name == "instructions.txt":
            words = path.read_text("utf-8").lower()
            assert not re.search(r"cloak|recogni|saved again|control|red\b", words)
        else:
            assert re.fullmatch(r"\d{6}\.png", path.name)
            with Pillow.open(path) as picture:
                assert picture.info == {}


def test_the_same_files_make_the_same_sets_and_others_other_numbers(
    photos: Path, ready: Path, tmp_path: Path, detector: Detector
) -> None:
    first = made(photos, ready, tmp_path / "first", detector)
    assert made(photos, ready, tmp_path / "second", detector) == first
    Pillow.new("RGB", (512, 512), "blue").save(ready / "one.png")
    other = made(photos, ready, tmp_path / "third", detector)
    assert len(other) == len(first)
    assert not other.keys() & first.keys()


def test_what_lacks_a_version_is_left_out_and_told(
    photos: Path,
    ready: Path,
    tmp_path: Path,
    detector: Detector,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (ready / "two.png").unlink()
    entries = made(photos, ready, tmp_path / "out", detector)
    assert {Path(one.photo).name for one in entries.values()} == {
        "one.png",
        "three.png",
        "four.png",
    }
    assert "red has no version of two.jpg" in capsys.readouterr().err


def test_nothing_is_half_written(
    photos: Path, ready: Path, tmp_path: Path, detector: Detector
) -> None:
    Pillow.new("RGB", (512, 500), "red").save(ready / "two.png")
    with pytest.raises(InputError, match=r"two\.png: is not of the size"):
        made(photos, ready, tmp_path / "out", detector)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_photo_without_a_face_is_an_error(tmp_path: Path, detector: Detector) -> None:
    blank = tmp_path / "blank.png"
    Pillow.new("RGB", (200, 200)).save(blank)
    with pytest.raises(InputError, match="shows no face"):
        build(
            [Source(blank, "nobody")],
            {"same": {blank: blank}},
            tmp_path / "sets",
            tmp_path / "key.json",
            detector,
        )
    assert [path.name for path in tmp_path.iterdir()] == ["blank.png"]


@pytest.mark.parametrize(
    ("out", "key", "message"),
    [
        ("sets", "sets/key.json", "keep the key elsewhere"),
        ("sets", "sets/../sets/deep/key.json", "keep the key elsewhere"),
        ("photos", "key.json", "exists already"),
        ("sets", "photos/one.png", "exists already"),
        ("sets", "nowhere/key.json", "no such folder"),
    ],
)
def test_places_that_will_not_do(
    photos: Path, tmp_path: Path, out: str, key: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        check_places(tmp_path / out, tmp_path / key)


def test_people_are_sub_folders(tmp_path: Path) -> None:
    for name in ("ann/1.png", "ann/2.png", "bob/3.png", "4.png", "5.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    people: dict[str, list[str]] = {}
    for one in find_sources([tmp_path], None):
        people.setdefault(one.person, []).append(one.path.name)
    assert sorted(people.values()) == [["1.png", "2.png"], ["3.png"], ["4.png"], ["5.png"]]
    (tmp_path / "bob/1.jpg").touch()
    with pytest.raises(ConfigError, match="have one name"):
        find_sources([tmp_path], None)


@pytest.mark.parametrize("text", ["", "faces = 3", "[faces]\na = 1", "[faces", "\xff"])
def test_what_is_no_selection(tmp_path: Path, text: str) -> None:
    path = tmp_path / "faces.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match=r"faces\.toml: cannot be read as a selection"):
        find_sources([tmp_path], path)


def test_the_selection_is_of_photos_that_the_lab_has(lab: Path) -> None:
    faces = ROOT / "benchmarks" / "visibility" / "faces.toml"
    found = find_sources([lab / "data/faces"], faces)
    assert len(found) >= 40
    assert max([one.person for one in found].count(one.person) for one in found) == 3


@pytest.mark.parametrize(
    ("size", "shape", "shown"),
    [
        (100, (600, 600), (440, 440)),  # small: twice as large
        (200, (600, 600), (440, 440)),  # as it is
        (600, (1500, 1500), (LONGEST, LONGEST)),  # reduced
        (200, (250, 600), (440, 250)),  # cut off above and below
        (100, (2000, 110), (220, 440)),  # and at the sides
    ],
)
def test_how_large_a_portrait_is(size: int, shape: tuple[int, int], shown: tuple[int, int]) -> None:
    middle = shape[1] / 2, shape[0] / 2
    face = face_at(middle[0] - size / 2, middle[1] - size / 2, size)
    assert portrait(np.zeros((*shape, 3), np.uint8), face).size == shown


def test_controls_went_through_the_exporter(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in photos.iterdir():
        photo = exporters.read(path)
        assert (save_again(photo) == photo.pixels).all()
    taken: list[bytes] = []
    encode = exporters.encode

    def remembered(*given: object) -> exporters.Encoded:
        encoded = encode(*given)  # type: ignore[arg-type]
        taken.append(encoded.data)
        return encoded

    monkeypatch.setattr(exporters, "encode", remembered)
    save_again(exporters.read(photos / "two.jpg"))
    assert len(taken) == 1


def ran(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command: Sequence[str | Path] = [sys.executable, "-m", "benchmarks.visibility", *arguments]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)


def test_a_mode_from_photo_to_score(tmp_path: Path) -> None:
    done = ran(
        *("build", PORTRAIT, "--mode", "balanced"),
        *("--out", tmp_path / "sets", "--key", tmp_path / "key.json"),
    )
    assert done.returncode == 0, done.stderr
    assert "4 sets, 1 photos in saved again, balanced" in done.stdout
    entries = read_key(tmp_path / "key.json")
    shown = {one.version: number for number, one in entries.items() if one.kind == "alone"}
    clean, cloaked = (
        pixels(tmp_path / "sets" / entries[shown[name]].set / f"{shown[name]}.png").astype(int)
        for name in (CONTROL, "balanced")
    )
    assert 0 < np.abs(cloaked - clean).mean() < 10
    answers = tmp_path / "answers.jsonl"
    answers.write_text(
        "\n".join(
            json.dumps({"id": number, "edited": 3 * (name != CONTROL), "publish": 1, "what": "x"})
            for name, number in shown.items()
        )
    )
    scored = ran("score", tmp_path / "key.json", answers, "--remarks")
    assert scored.returncode == 0, scored.stderr
    assert "edited, above saved again: +1.00" in scored.stdout
    assert f"3 {PORTRAIT}: x" in scored.stdout


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--mode", "nosuch"], "nosuch"),
        (["--ready", "x"], "NAME=FOLDER"),
        (["--ready", "x=/nowhere"], "NAME=FOLDER"),
        (["--ready", f"saved again={PORTRAIT.parent}"], "one name"),
        ([], "No photo has every version"),
    ],
)
def test_a_mistake_is_one_sentence(
    tmp_path: Path,
    extra: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    place = ["--out", str(tmp_path / "sets"), "--key", str(tmp_path / "key.json")]
    monkeypatch.setattr(sys, "argv", ["looks", "build", str(PORTRAIT), *place, *extra])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 3
    error = capsys.readouterr().err
    assert len(error.strip().splitlines()) == 1
    assert message in error
    assert not {"sets", "key.json"} & {path.name for path in tmp_path.iterdir()}
