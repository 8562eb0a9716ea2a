"""The command and its process: what it prints, how it ends, and what a kill leaves behind."""

import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

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


@pytest.fixture
def command(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Return the real command, with an engine of fakes, for an album of one portrait."""
    write_photo(tmp_path / "in" / "a.png", *PORTRAIT)
    line = ["review", "--no-browser", str(tmp_path / "in"), "-o", str(tmp_path / "out")]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.plugin.fake_cloak", "fakes", *line],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def test_the_command_prints_a_link_and_ctrl_c_ends_it(
    command: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    assert command.stdout is not None and command.stderr is not None
    link = command.stdout.readline().strip()
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
    assert run(["review", "--no-browser", "somewhere"]) == 2
    assert run(["review", "--no-browser", "-o", "somewhere"]) == 2
