"""What a menu's run is told to the user: every photo, where it lies, what is held back."""

import json
import os
from pathlib import Path

import pytest

from photocloak.plugin import Status
from photocloak.plugin.beside import Result, cloak_group, groups, notify, summary
from photocloak.plugin.bridges import menus
from photocloak.plugin.main import run


def engine(place: Path, body: str) -> Path:
    """Write a photocloak; $out is its output folder, its photos are the arguments."""
    command = place / "photocloak"
    start = 'while [ "$1" != -o ]; do shift; done\nout=$2\nshift 3\n'
    command.write_text(f"#!/bin/sh\n{start}{body}")
    command.chmod(0o755)
    return command


def outcome(source: Path, output: str | None, status: str = "cloaked", reason: str = "") -> str:
    return json.dumps(
        {"source": str(source), "output": output, "status": status, "reason": reason or None}
    )


def test_what_the_files_tell_is_in_the_notification(tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    row = json.loads(outcome(photo, "x")) | {"discloses": ["place", "serial"]}
    (tmp_path / "said").write_text(json.dumps(row) + "\n")
    result = cloak_group(engine(tmp_path, f"cat '{tmp_path}/said'"), [photo], tmp_path / "o", "web")
    assert "also tell the place, serial numbers; the preset web does not." in summary([result])[1]


def test_every_photo_is_told_of(tmp_path: Path) -> None:
    a, b, c = tmp_path / "a.jpg", tmp_path / "b.jpg", tmp_path / "c.jpg"
    lines = [
        outcome(a, "x"),
        outcome(b, None, "too_weak", f"{b}: too weak; a stronger --mode has a larger budget."),
        outcome(c, "y", "no_face"),
    ]
    (tmp_path / "said").write_text("\n".join(lines) + "\n")
    result = cloak_group(
        engine(tmp_path, f"cat '{tmp_path}/said'; exit 9"), [a, b, c], tmp_path / "o", "web"
    )
    why = f"{b}: too weak; a stronger --mode has a larger budget."
    assert result == Result(tmp_path / "o", 1, 1, {b: why}, 9)
    headline, text = summary([result])
    assert headline == "1 photo cloaked, 1 written as they are, 1 left out"
    told, hint, folder = text.splitlines()
    assert (told, folder) == (f"{b}: too weak.", str(tmp_path / "o")), "no options in a menu"
    assert menus.REVIEW.name in hint


@pytest.mark.parametrize(
    "end", ["kill -KILL $$", "kill -SEGV $$", "exit 1", "printf '{\"source\": '; kill -KILL $$"]
)
def test_a_run_that_dies_is_told_of(tmp_path: Path, end: str) -> None:
    a, b = tmp_path / "a.jpg", tmp_path / "b.jpg"
    said = "" if end == "exit 1" else f"cat '{tmp_path}/said'\n"
    (tmp_path / "said").write_text(outcome(a, "x") + "\n")
    result = cloak_group(engine(tmp_path, said + end), [a, b], tmp_path / "o", "web")
    assert b in result.missing
    assert "ended with code" in result.missing[b]
    assert summary([result])[0].endswith("left out")


def test_a_program_that_is_gone_is_told_of(tmp_path: Path) -> None:
    result = cloak_group(tmp_path / "gone", [tmp_path / "a.jpg"], tmp_path / "o", "web")
    assert set(result.missing) == {tmp_path / "a.jpg"}


def test_results_lie_beside_the_photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    album = tmp_path / "album"
    album.mkdir()
    photos = [album / "a.jpg", tmp_path / "b.jpg", album]
    assert groups(photos, "cloaked") == {
        album / "cloaked": [album / "a.jpg", album],
        tmp_path / "cloaked": [tmp_path / "b.jpg"],
    }
    assert set(groups(photos, "~/out")) == {Path(os.environ["HOME"], "out")}
    monkeypatch.chdir(album)
    assert set(groups([Path("-a.jpg")], "cloaked")) == {album / "cloaked"}


def test_a_notification_is_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    told = tmp_path / "told"
    tool = tmp_path / "notify-send"
    tool.write_text(f"#!/bin/sh\nprintf '%s\\0' \"$@\" >'{told}'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    notify("--help", "<b>a & b</b>")
    assert told.read_bytes().split(b"\0")[-4:-1] == [
        b"--", b"--help", b"&lt;b&gt;a &amp; b&lt;/b&gt;"
    ]  # fmt: skip
    assert "<b>a & b</b>" in capfd.readouterr().err


def test_without_photos_it_says_what_to_do(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["beside"]) == 0
    assert "Right-click" in capfd.readouterr().err


def test_a_photo_without_a_face_is_held_back_by_the_real_thing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from PIL import Image

    photo = tmp_path / "-no $(face)\n.png"
    Image.new("RGB", (120, 120), "teal").save(photo)
    before = photo.read_bytes()
    assert run(["beside", "--", str(photo)]) == 5
    err = capfd.readouterr().err
    assert "No photo was cloaked, 1 left out" in err and "face" in err
    assert photo.read_bytes() == before and [photo] == [
        p for p in tmp_path.glob("*") if p.is_file()
    ]
    assert Status.NO_FACE.value == "no_face"  # the word that `beside` counts copies by
