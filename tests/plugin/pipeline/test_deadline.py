"""Refused early, given up in time, and never published late."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from photocloak import exporters
from photocloak.core import ExitCode
from photocloak.engine.modes import load_mode
from photocloak.plugin import Outcome, Status
from photocloak.plugin.pipeline import process_photo
from photocloak.plugin.pipeline.process_photo import Engine
from tests.plugin.fakes import make_engine, write_photo
from tests.plugin.studio import FACES, TWO, Studio
from tests.plugin.test_cli import Run, album, cli, engine

__all__ = ["album", "cli", "engine"]  # fixtures

STEPS = 12


class Slow(Studio):
    """A studio where a step of the cloak takes a while."""

    def __init__(self, home: Path, seconds: float) -> None:
        super().__init__(home, slowed(make_engine(FACES), seconds))

    def within(self, seconds: float, source: Path | None = None) -> tuple[Outcome, float]:
        """Do a photo; return what came of it, and how long that took."""
        started = time.monotonic()
        outcome = self.pipeline.run(self.job(source, deadline=started + seconds))
        return outcome, time.monotonic() - started


def slowed(engine: Engine, seconds: float) -> Engine:
    for extractor in engine.ensemble.extractors.values():  # one of the two in each step

        def slowly(*arguments: Any, step: Any = extractor.step) -> Any:
            time.sleep(seconds)
            return step(*arguments)

        extractor.step = slowly  # type: ignore[method-assign]
    return engine


@pytest.fixture(autouse=True)
def steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        process_photo, "load_mode", lambda name: replace(load_mode(name), steps=STEPS)
    )


def test_what_can_be_done_is_done(tmp_path: Path) -> None:
    outcome, _ = Slow(tmp_path, 0.0).within(60.0)
    assert outcome.status is Status.CLOAKED


def test_what_cannot_be_done_is_refused_after_a_few_steps(tmp_path: Path) -> None:
    """Twelve steps of .5 s: far more than 3 s, which shows after three of them."""
    studio = Slow(tmp_path, 0.5)
    outcome, seconds = studio.within(3.0)
    assert (outcome.status, outcome.code, outcome.output) == (
        Status.FAILED,
        ExitCode.OUTPUT,
        None,
    )
    assert "1 face would take another" in str(outcome.reason)
    assert "`photocloak watch`" in str(outcome.reason)
    assert seconds < 3.0 and studio.written() == []


def test_every_face_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On one core, where one is cloaked after the other."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0})
    studio = Slow(tmp_path, 0.1)
    group = write_photo(tmp_path / "in" / "group.png", *TWO)
    assert studio.within(30.0)[0].status is Status.CLOAKED
    outcome, seconds = studio.within(2.2, group)
    assert "2 faces would take another" in str(outcome.reason) and seconds < 2.2


def test_a_machine_that_becomes_slow_is_left_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio = Slow(tmp_path, 0.0)
    done: list[int] = []
    for extractor in studio.engine.ensemble.extractors.values():

        def late(*arguments: Any, step: Any = extractor.step) -> Any:
            if len(done) > 6:
                time.sleep(2.0)
            return step(*arguments)

        extractor.step = late  # type: ignore[method-assign]
    started = time.monotonic()
    job = studio.job(deadline=started + 6.0)
    outcome = studio.pipeline.run(job, on_step=lambda step, _: done.append(step))
    assert outcome.status is Status.FAILED and "are left" in str(outcome.reason)
    assert 6 < len(done) < STEPS and time.monotonic() - started < 8.5
    assert studio.written() == []


def test_a_cloak_that_is_late_all_the_same_is_not_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio = Slow(tmp_path, 0.0)
    encode = exporters.encode

    def slowly(*arguments: Any) -> exporters.Encoded:
        time.sleep(3.0)
        return encode(*arguments)

    monkeypatch.setattr(exporters, "encode", slowly)
    assert studio.within(30.0)[0].status is Status.CLOAKED
    (studio.out / "a.png").unlink()
    outcome, _ = studio.within(3.0)
    assert outcome.status is Status.FAILED and "the deadline is over" in str(outcome.reason)
    assert studio.written() == []


def test_the_command_gives_all_photos_one_deadline(cli: Run, album: Path, tmp_path: Path) -> None:
    code, rows, _ = cli("cloak", album, "-o", tmp_path / "out", "--deadline", 600, "--json")
    assert [row["status"] for row in rows] == ["cloaked", "cloaked", "no_face"]
    code, rows, _ = cli("cloak", album, "-o", tmp_path / "late", "--deadline", 0.001, "--json")
    assert code == 9 and [row["status"] for row in rows] == ["failed"] * 3
    assert all("in the time that was given" in row["reason"] for row in rows)
    assert not (tmp_path / "late").exists()
    assert cli("cloak", album / "a.png", "-o", tmp_path / "late", "--deadline", 0.001)[0] == 7
    for senseless in (0, "nan", "inf"):
        assert cli("cloak", album, "-o", tmp_path, "--deadline", senseless)[0] == 2
