"""What a run says at its end, and the names of what it writes."""

import json
from pathlib import Path

import pytest
from PIL import Image as Pillow

from tests.plugin.fakes import picture, write_photo
from tests.plugin.studio import NONE, ONE
from tests.plugin.test_cli import Run, cli, engine

__all__ = ["cli", "engine"]  # fixtures

OTHERS = ("a.mov", "b.MP4", "c.mts", "d.cr2", "notes.txt")
SAID = "5 passed over: 3 videos, 1 RAW, 1 text"


@pytest.fixture
def album(tmp_path: Path) -> Path:
    write_photo(tmp_path / "album" / "#1 birthday.png", *ONE)
    write_photo(tmp_path / "album" / "bare.png", *NONE)
    for name in OTHERS:
        (tmp_path / "album" / name).write_bytes(b"")
    return tmp_path / "album"


def test_the_last_line_counts_what_was_passed_over(cli: Run, album: Path, tmp_path: Path) -> None:
    _, rows, err = cli("cloak", album, "-o", tmp_path / "out", "--json")
    assert err.splitlines()[-1] == f"1 cloaked · 1 held back · {SAID}"
    assert len(rows) == 2 and "a.mov" not in err


def test_verbose_lists_it(cli: Run, album: Path, tmp_path: Path) -> None:
    _, _, err = cli("cloak", "-v", album, "-o", tmp_path / "out")
    lines = err.splitlines()
    assert lines[:5] == [
        f"passed over: {album / name} ({kind})"
        for name, kind in zip(OTHERS, ["video"] * 3 + ["RAW", "text"], strict=True)
    ]
    assert lines[-1].endswith(SAID)


def test_one_photo_among_others_has_a_last_line(cli: Run, album: Path, tmp_path: Path) -> None:
    (album / "bare.png").unlink()
    assert cli("cloak", album, "-o", tmp_path / "out")[2].endswith(f"\n1 cloaked · {SAID}\n")


def test_programs_hear_of_it_when_they_ask(cli: Run, album: Path, tmp_path: Path) -> None:
    _, _, err = cli("cloak", album, "-o", tmp_path / "out", "--progress", "json")
    assert "passed_over" not in err
    _, _, err = cli("cloak", "-v", album, "-o", tmp_path / "out", "--progress", "json")
    events = [json.loads(line) for line in err.splitlines()]
    assert [(one["source"], one["kind"]) for one in events if one["event"] == "passed_over"] == [
        (str(album / name), kind)
        for name, kind in zip(OTHERS, ["video"] * 3 + ["RAW", "text"], strict=True)
    ]
    assert cli("cloak", album, "-o", tmp_path / "o", "--progress", "none")[2].count("\n") == 1


def test_a_folder_without_photos_says_what_it_has(cli: Run, album: Path, tmp_path: Path) -> None:
    for path in album.glob("*.png"):
        path.unlink()
    code, _, err = cli("cloak", album, "-o", tmp_path / "out")
    assert code == 4 and f"There are no photos in {album} ({SAID}); name photos" in err


@pytest.mark.parametrize(
    ("name", "kind", "made"),
    [
        ("A.JPG", "JPEG", "A.JPG"),
        ("a.jpeg", "JPEG", "a.jpeg"),
        ("a.JPE", "JPEG", "a.JPE"),
        ("a.jfif", "JPEG", "a.jfif"),
        ("wedding.part.2.Jpg", "JPEG", "wedding.part.2.Jpg"),
        ("a.PNG", "PNG", "a.PNG"),
        ("a.TIF", "TIFF", "a.TIF"),
        ("a.tiff", "TIFF", "a.tiff"),
        ("a.png", "JPEG", "a.jpg"),  # its ending tells a lie
    ],
)
def test_the_ending_stays_as_it_is(
    cli: Run, tmp_path: Path, name: str, kind: str, made: str
) -> None:
    (tmp_path / "in").mkdir()
    Pillow.fromarray(picture(*ONE)).save(tmp_path / "in" / name, format=kind)
    for _ in range(2):  # done again, it takes the place of what was made before
        _, rows, err = cli("cloak", tmp_path / "in", "-o", tmp_path / "out", "--json")
        assert rows[0]["output"] == str(tmp_path / "out" / made), err
        assert [path.name for path in (tmp_path / "out").iterdir()] == [made]


def test_an_output_of_before_endings_were_kept_is_replaced(cli: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    Pillow.fromarray(picture(*ONE)).save(tmp_path / "in" / "A.JPG")
    cli("cloak", tmp_path / "in", "-o", tmp_path / "out")
    (tmp_path / "out" / "A.JPG").rename(tmp_path / "out" / "A.jpg")
    cli("cloak", tmp_path / "in", "-o", tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["A.jpg"]


@pytest.mark.parametrize("preset", ["web"])
def test_a_preset_that_makes_a_jpeg_keeps_a_jpegs_ending(
    cli: Run, tmp_path: Path, preset: str
) -> None:
    (tmp_path / "in").mkdir()
    Pillow.fromarray(picture(*ONE)).save(tmp_path / "in" / "A.JPEG")
    Pillow.fromarray(picture(*ONE, 1)).save(tmp_path / "in" / "B.PNG")
    cli("cloak", tmp_path / "in", "-o", tmp_path / "out", "--preset", preset)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["A.JPEG", "B.jpg"]


def test_a_very_long_name_made_again_replaces_itself(cli: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    name = "é" * 125 + ".tif"  # 254 bytes; the preset's .jpg fits, its counter would not
    Pillow.fromarray(picture(*ONE)).save(tmp_path / "in" / name)
    for _ in range(2):
        cli("cloak", tmp_path / "in", "-o", tmp_path / "out", "--preset", "web")
        assert len(list((tmp_path / "out").iterdir())) == 1


def test_what_cannot_be_placed_fails_alone(cli: Run, album: Path, tmp_path: Path) -> None:
    write_photo(album / "sub" / "deep" / "x.png", *ONE, 1)
    (album / "bare.png").unlink()
    write_photo(album / "z" / "z.png", *ONE, 2)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "sub").write_bytes(b"theirs")
    code, rows, _ = cli("cloak", album, "-o", tmp_path / "out", "--json")
    assert code == 9
    assert sorted(row["status"] for row in rows) == ["cloaked", "cloaked", "failed"]
    (failed,) = (row for row in rows if row["status"] == "failed")
    assert "out/sub is not a folder" in failed["reason"]
    assert (tmp_path / "out" / "sub").read_bytes() == b"theirs"
