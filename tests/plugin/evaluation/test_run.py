"""A whole evaluation with fake models: it ends, can be killed at any moment, and goes on."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from photocloak.plugin.main import run
from tests.plugin.evaluation.run_with_fakes import SIZE, fakes, main
from tests.plugin.executors.test_process_pool import HUNG
from tests.plugin.fakes import write_photo

ROOT = Path(__file__).parents[3]
PHOTOS, PROTECTED, TRAIN = 6, 2, 3


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for person in range(5):
        for number in range(PHOTOS):
            path = tmp_path / "data" / f"p{person}" / f"{number}.jpg"
            write_photo(path, *SIZE, seed=100 * person + number)
    return tmp_path / "data"


def start(data: Path, cache: Path, out: Path, delay: float) -> subprocess.Popen[bytes]:
    module = "tests.plugin.evaluation.run_with_fakes"
    arguments = [str(one) for one in (data, cache, out, delay)]
    return subprocess.Popen([sys.executable, "-m", module, *arguments], cwd=ROOT)


def done(cache: Path) -> list[Path]:
    return sorted(cache.glob("cloaks/*/done/*.json"))


def comparable(out: Path) -> dict[str, object]:
    """Return the results without when and how fast."""
    table: dict[str, object] = json.loads((out / "results.json").read_text())
    modes = table["modes"]
    assert isinstance(modes, dict)
    for mode in modes.values():
        del mode["seconds_per_face"]
    del table["date"], table["commit"]
    return table


def test_a_killed_run_goes_on_where_it_was(data: Path, tmp_path: Path) -> None:
    """SIGKILL in the middle of the cloaks; the second run redoes none of them, and ends alike."""
    main(data, tmp_path / "whole", tmp_path / "expected", 0)
    cache, out = tmp_path / "cache", tmp_path / "out"
    process = start(data, cache, out, 0.5)
    patience = time.monotonic() + HUNG
    while len(done(cache)) < 4 and process.poll() is None:
        assert time.monotonic() < patience
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it was killed, not done"
    before = {path: path.stat().st_mtime_ns for path in done(cache)}
    assert 4 <= len(before) < PROTECTED * TRAIN
    assert not out.exists()
    assert start(data, cache, out, 0).wait() == 0
    assert len(done(cache)) == PROTECTED * TRAIN
    assert all(path.stat().st_mtime_ns == when for path, when in before.items())
    assert comparable(out) == comparable(tmp_path / "expected")


def test_what_was_done_is_not_done_again(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = data, tmp_path / "cache"
    main(*places, tmp_path / "first", 0)

    def never(*_: object) -> None:
        raise AssertionError("this was computed before")

    monkeypatch.setattr("photocloak.engine.extractors.FakeExtractor.embed", never)
    monkeypatch.setattr("tests.plugin.fakes.FakeDetector.__call__", never)
    main(*places, tmp_path / "second", 0)
    assert comparable(tmp_path / "first") == comparable(tmp_path / "second")


def test_what_is_written_is_the_users_alone_and_fetches_nothing(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    main(data, tmp_path / "cache", out, 0, modes=("subtle", "balanced"))
    assert out.stat().st_mode & 0o777 == 0o700
    for name in ("results.json", "results.csv", "index.html"):
        assert (out / name).stat().st_mode & 0o777 == 0o600
    page = (out / "index.html").read_text()
    assert "run with &lt;fakes&gt;" in page
    assert page.count("data:image/png;base64,") >= 3
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    assert page.count("<svg") == 7, "three for each mode, one for both"
    rows = (out / "results.csv").read_text().splitlines()
    assert len(rows) == 1 + len(json.loads((out / "results.json").read_text())["rows"])


def test_when_everything_is_held_back_nothing_is_called_protected(
    data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    main(data, tmp_path / "cache", out, 0, noise=0, modes=("strong",))
    table = json.loads((out / "results.json").read_text())
    assert table["modes"]["strong"]["held_back"] == {"too_weak": PROTECTED * TRAIN}
    rows = [row for row in table["rows"] if row["variant"] == "cloaked"]
    assert {row["linear"]["protection"] for row in rows if row["held"] == "left out"} == {None}
    published = [row["linear"]["protection"] for row in rows if row["held"] == "clean"]
    assert len(published) == 3
    assert all(value is not None for value in published)
    assert "nan" not in re.sub('base64,[^"]*', "", (out / "index.html").read_text().lower())


def test_seen_extractors_and_strangers_are_told_apart(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    main(data, tmp_path / "cache", out, 0)
    rows = json.loads((out / "results.json").read_text())["rows"]
    assert {row["tracker"] for row in rows if not row["seen"]} == {"three"}
    variants = {row["variant"] for row in rows if row["mode"] == "balanced"}
    assert variants == {
        "cloaked",
        "JPEG 75",
        "1080 px, JPEG 80",
        "blur σ 1",
        "1 of 3 clean",
        "sides swapped",
    }


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Twelve photos each, every third person; what is private lies in the cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for person in range(9):
        for number in range(12):
            path = tmp_path / "data" / f"p{person}" / f"{number}.jpg"
            write_photo(path, *SIZE, seed=100 * person + number)
    out = tmp_path / "out"
    arguments = ["--data", str(tmp_path / "data"), "--protected", "1", "--leave-out", "two"]
    with fakes():
        assert run(["evaluate", *arguments, "--third", "confirmation", "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out / 'index.html'}\n"
    table = json.loads((out / "results.json").read_text())
    assert sorted(table["protected"] + table["others"]) == ["p1", "p4", "p7"]
    assert not (tmp_path / "home" / "data").exists(), "nothing becomes one of the user's people"
    private = tmp_path / "cache" / "photocloak" / "evaluation"
    assert private.stat().st_mode & 0o777 == 0o700
    assert len(done(private)) == 10
    with fakes():
        assert run(["evaluate", *arguments, "--leave-out", "four", "--out", str(out)]) == 3
    assert "one, two, three" in capsys.readouterr().err
