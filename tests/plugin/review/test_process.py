"""The command and its process: what it prints, how it ends, and what a kill leaves behind."""

import os
import signal
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from photocloak.plugin import Folders
from photocloak.plugin.main import run
from tests.plugin.fakes import PORTRAIT, write_photo
from tests.plugin.review.conftest import Scene


@pytest.mark.parametrize("files", [0, 1, 2])
def test_killed_while_it_publishes(scene: Scene, files: int) -> None:
    staged = {
        one.outcome.output.read_bytes()
        for one in scene.desk.album.photos
        if one.outcome is not None and one.outcome.output is not None
    }
    scene.desk.close()
    command = [sys.executable, "-m", "tests.plugin.review.publishing_process", str(scene.home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        end = time.monotonic() + 60
        while len(scene.written()) < files and time.monotonic() < end:
            pass
        process.kill()
    out = scene.home / "out"
    for name in scene.written():
        assert (out / name).read_bytes() in staged
    scene.open()
    scene.settled()
    scene.client.post("/publish")
    scene.settled()
    assert len(scene.written()) == 4 == len({(out / one).read_bytes() for one in scene.written()})
    assert not any(Path(one).stem.endswith("-2") for one in scene.written())
    assert all(one.published for one in scene.desk.album.photos if one.ready)


@contextmanager
def review(*album: Path | str) -> Iterator["subprocess.Popen[str]"]:
    """Run the real command, with an engine of fakes."""
    line = ["review", "--no-browser", *map(str, album)]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.plugin.fake_cloak", "fakes", *line],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def command(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Return the command for an album of one portrait."""
    write_photo(tmp_path / "in" / "a.png", *PORTRAIT)
    with review(tmp_path / "in", "-o", tmp_path / "out") as process:
        yield process


def first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def ask(link: str, what: str, data: bytes | None = None) -> str:
    """Ask for an address of the page as the page itself does."""
    origin = "/".join(link.split("/")[:3])
    request = urllib.request.Request(link + what, data, {"Origin": origin})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(answer.read().decode())


def test_without_a_folder_it_publishes_where_beside_would(tmp_path: Path) -> None:
    """Photos that lie in several folders come to lie beside themselves, each."""
    album = tmp_path / "album"
    photos = [album / "one" / "a.png", album / "two" / "deep" / "a.png"]
    for seed, photo in enumerate(photos):
        write_photo(photo, *PORTRAIT, seed=seed)
    before = [photo.read_bytes() for photo in photos]
    with review(*photos) as process:
        link = first_line(process)
        end = time.monotonic() + 120
        while "Publish 2 photos" not in ask(link, "summary") and time.monotonic() < end:
            time.sleep(0.1)
        assert "a folder cloaked beside each photo" in ask(link, "summary")
        assert not list(album.rglob("cloaked"))
        ask(link, "publish", b"")
        while "Publish 0 photos" not in ask(link, "summary") and time.monotonic() < end:
            time.sleep(0.1)
    written = sorted(album.rglob("cloaked/*"))
    assert written == [one.parent / "cloaked" / "a.jpg" for one in photos], "preset web: JPEG"
    assert [photo.read_bytes() for photo in photos] == before


def test_an_album_that_is_open_already_is_led_to(
    command: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    """Who closed the page and chooses the menu once more must not be sent away."""
    link = first_line(command)
    with review(tmp_path / "in", "-o", tmp_path / "out") as again:
        assert first_line(again) == link
        assert again.wait(60) == 0
    (told,) = Folders.of_user().data.glob("review/*/link")
    assert stat.S_IMODE(told.stat().st_mode) == 0o600
    command.kill()
    command.wait()
    with review(tmp_path / "in", "-o", tmp_path / "out") as fresh:
        new = first_line(fresh)
        assert new != link and ask(new, "summary")
        fresh.send_signal(signal.SIGINT)
        assert fresh.wait(60) == 0
    assert not told.exists()


def test_from_a_menu_an_error_is_shown_on_the_desktop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = tmp_path / "told"
    (tmp_path / "notify-send").write_text(f"#!/bin/sh\nprintf '%s|' \"$@\" >'{told}'\n")
    (tmp_path / "notify-send").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / "empty").mkdir()
    assert run(["review", str(tmp_path / "empty")]) == 4
    assert "There are no photos" in told.read_text()
    assert "--urgency=critical" in told.read_text()


def test_the_command_prints_a_link_and_ctrl_c_ends_it(
    command: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    assert command.stderr is not None
    link = first_line(command)
    assert link.startswith("http://127.0.0.1:") and len(link) > 60
    assert urllib.request.urlopen(link, timeout=30).status == 200
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(link.rsplit("/", 2)[0] + "/", timeout=30)
    command.send_signal(signal.SIGINT)
    assert command.wait(30) == 0
    error = command.stderr.read()
    assert "photocloak review" in error and "Traceback" not in error
    assert not (tmp_path / "out").exists()


def test_without_an_album_there_is_the_last_one_or_a_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["review", "--no-browser"]) == 3
    assert "No album was opened before" in capsys.readouterr().err
    assert run(["review", "--no-browser", "-o", "somewhere"]) == 2
