"""Ctrl-C loses nothing, says what is true, and the same command goes on; with real processes."""

import os
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from photocloak.engine.modes import load_mode
from photocloak.plugin import Status
from photocloak.plugin.pipeline import process_photo
from tests.lab.interrupts import Batch
from tests.plugin.fakes import PORTRAIT, write_photo
from tests.plugin.studio import Studio


def test_stopped_at_random_photos_and_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The long one is run by hand: `python -m tests.lab.interrupts`."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for number in range(16):
        write_photo(tmp_path / "in" / f"{number}.png", *PORTRAIT, seed=number)
    batch = Batch(tmp_path / "in", tmp_path / "out", "fakes", random.Random(5))
    batch.stopped_and_resumed(3)
    stopped = [run for run in batch.runs if run.counts()["not done"]]
    assert stopped and all(run.code == 130 for run in stopped)
    cloaked = [
        row["source"] for run in batch.runs for row in run.rows if row["status"] == "cloaked"
    ]
    assert len(cloaked) == len(set(cloaked)), "each photo was made once"


class TestDoneBefore:
    """The same photo, settings and people, and both files as they were."""

    @pytest.fixture(autouse=True)
    def quick(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            process_photo, "load_mode", lambda name: replace(load_mode(name), steps=2)
        )

    @pytest.fixture
    def studio(self, tmp_path: Path) -> Studio:
        studio = Studio(tmp_path)
        studio.first = studio.pipeline.run(studio.job())  # type: ignore[attr-defined]
        assert studio.pipeline.run(studio.job()).status is Status.DONE_BEFORE
        return studio

    def test_it_says_what_was_said(self, studio: Studio) -> None:
        again = studio.pipeline.run(studio.job())
        first = studio.first  # type: ignore[attr-defined]
        said, now = first.as_json(), again.as_json()
        assert now == said | {"status": "done_before", "seconds": now["seconds"]}
        assert again.seconds < 0.5 * first.seconds

    def test_a_touched_file_is_read_and_a_changed_one_done(self, studio: Studio) -> None:
        os.utime(studio.photo, (1, 1))
        assert studio.pipeline.run(studio.job()).status is Status.DONE_BEFORE
        os.utime(studio.out / "a.png", (1, 1))
        assert studio.pipeline.run(studio.job()).status is Status.DONE_BEFORE
        write_photo(studio.photo, *PORTRAIT, seed=9)
        assert studio.pipeline.run(studio.job()).status is Status.CLOAKED
        assert studio.written() == ["a.png"], "in its place"

    @pytest.mark.parametrize(
        "change", [{"mode": "strong"}, {"preset": "web"}, {"no_face": "copy"}, {"seed": 3}]
    )
    def test_other_settings_are_done(self, studio: Studio, change: dict[str, Any]) -> None:
        assert studio.pipeline.run(studio.job(**change)).status is Status.CLOAKED

    def test_other_targets_are_done(self, studio: Studio) -> None:
        with studio.database.transaction() as connection:
            connection.execute("UPDATE people SET target = 'nobody-4'")
        assert studio.pipeline.run(studio.job()).status is Status.CLOAKED
        assert studio.written() == ["a.png"]

    def test_redo_makes_it_again_in_its_place(self, studio: Studio) -> None:
        again = studio.pipeline.run(studio.job(redo=True))
        assert (again.status, again.output) == (Status.CLOAKED, studio.out / "a.png")
        assert studio.written() == ["a.png"]

    def test_what_somebody_changed_or_removed_is_made_again(self, studio: Studio) -> None:
        (studio.out / "a.png").unlink()
        assert studio.pipeline.run(studio.job()).status is Status.CLOAKED
        (studio.out / "a.png").write_bytes(b"edited")
        assert studio.pipeline.run(studio.job()).output == studio.out / "a-2.png"
        assert studio.pipeline.run(studio.job()).status is Status.DONE_BEFORE
        assert studio.written() == ["a-2.png", "a.png"]

    def test_the_longest_names_are_found_again(self, studio: Studio) -> None:
        photo = write_photo(studio.photo.with_name("x" * 251 + ".png"), *PORTRAIT, seed=2)
        changes: list[dict[str, Any]] = [{}, {}, {"redo": True}, {"mode": "strong"}]
        for change in changes:
            assert studio.pipeline.run(replace(studio.job(photo), **change)).output is not None
        assert studio.written() == ["a.png", photo.name]
        own = studio.out / photo.name
        elsewhere = studio.out.with_name("elsewhere")
        elsewhere.mkdir()
        (elsewhere / photo.name).write_bytes(b"somebody else's")
        handed = {studio.pipeline.run(studio.job(own, folder=elsewhere)).output for _ in range(3)}
        assert len(handed) == 1 and len(list(elsewhere.iterdir())) == 2
