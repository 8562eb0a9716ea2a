"""Weak cloaks are held back unless they are asked for; what is no cloak goes out for nobody."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from photocloak.engine.modes import load_mode, load_modes
from photocloak.engine.verdict import Verdict
from photocloak.plugin import Outcome, Status
from photocloak.plugin.pipeline import process_photo
from photocloak.plugin.progress import face_lines, line
from tests.plugin.fakes import make_engine
from tests.plugin.studio import FACES, Studio


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_photo, "load_mode", lambda name: replace(load_mode(name), steps=2))


def studio_where(home: Path, accepting: int) -> Studio:
    """Return one in which so many of the three recognisers accept whatever is written."""
    studio = Studio(home, make_engine(FACES, threshold=1.1))
    for one in list(studio.engine.ensemble.extractors.values())[:accepting]:
        one.spec = replace(one.spec, threshold=-1.0)  # type: ignore[misc]
    return studio


@pytest.mark.parametrize("mode", load_modes())
@pytest.mark.parametrize("accept_weak", [False, True])
@pytest.mark.parametrize("accepting", range(4))
def test_no_mode_is_more_lenient_than_another(
    tmp_path: Path, mode: str, accept_weak: bool, accepting: int
) -> None:
    studio = studio_where(tmp_path, accepting)
    outcome = studio.pipeline.run(studio.job(mode=mode, accept_weak=accept_weak))
    verdict = [Verdict.GOOD, Verdict.FAIR, Verdict.WEAK, Verdict.NONE][accepting]
    assert outcome.verdict is verdict
    published = verdict in (Verdict.GOOD, Verdict.FAIR) or (accept_weak and verdict is Verdict.WEAK)
    assert (outcome.status is Status.CLOAKED) == published == bool(studio.written())
    if verdict is Verdict.WEAK and not accept_weak:
        assert "--accept-weak publishes it" in str(outcome.reason)
    if verdict is Verdict.NONE:
        assert "--accept-weak" not in str(outcome.reason), "it would not help"


def again(studio: Studio, *, accept_weak: bool = False) -> Outcome:
    return studio.pipeline.run(studio.job(accept_weak=accept_weak))


def test_what_is_done_stays_done_when_weak_ones_are_accepted(tmp_path: Path) -> None:
    """The photos that were good must not all be made once more for the few that were weak."""
    good = studio_where(tmp_path / "good", 0)
    assert again(good).status is Status.CLOAKED
    assert again(good, accept_weak=True).status is Status.DONE_BEFORE
    assert again(good).status is Status.DONE_BEFORE


def test_a_weak_one_that_was_accepted_does_not_count_as_done_for_who_accepts_none(
    tmp_path: Path,
) -> None:
    weak = studio_where(tmp_path, 2)
    assert again(weak, accept_weak=True).status is Status.CLOAKED
    assert again(weak, accept_weak=True).status is Status.DONE_BEFORE
    assert again(weak).status is Status.TOO_WEAK
    copy = weak.photo.with_name("copy.png")
    copy.write_bytes(weak.photo.read_bytes())
    assert weak.pipeline.run(weak.job(copy)).status is Status.TOO_WEAK
    assert weak.pipeline.run(weak.job(copy, accept_weak=True)).status is Status.CLOAKED


def test_the_line_has_the_word_and_the_recognisers_come_on_request(tmp_path: Path) -> None:
    studio = studio_where(tmp_path, 1)
    outcome = again(studio)
    assert "[1 face: person-1 fair, " in line(outcome)
    assert "one" not in line(outcome).rpartition("[")[2].replace("person", "")
    assert face_lines(outcome) == [
        "  person-1 at 40, 20: fair, 1 of 3 recognisers still knows it: one"
    ]
    row = json.loads(json.dumps(outcome.as_json()))
    assert (row["verdict"], row["faces"][0]["verdict"]) == ("fair", "fair")
    assert row["faces"][0]["accepting"] == ["one"]
    assert outcome.reason is None
    before = again(studio).as_json()
    assert (before["status"], before["verdict"]) == ("done_before", "fair")
    assert before["faces"] == outcome.as_json()["faces"]


def test_who_accepts_weak_ones_gets_no_stronger_mode_for_them(tmp_path: Path) -> None:
    """Whoever chose `subtle` for its looks must be able to keep them."""
    for accept_weak, mode in ((True, "subtle"), (False, "balanced")):
        studio = studio_where(tmp_path / mode, 2)
        outcome = studio.pipeline.run(studio.job(mode="subtle", accept_weak=accept_weak))
        assert [face.mode for face in outcome.faces] == [mode]
    bare = studio_where(tmp_path / "bare", 3)
    outcome = bare.pipeline.run(bare.job(mode="subtle", accept_weak=True))
    assert [face.mode for face in outcome.faces] == ["balanced"], "what is no cloak is tried again"
