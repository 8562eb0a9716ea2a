"""A face that a mode's budget leaves too weak gets the next one's, and the others keep theirs."""

from dataclasses import replace
from pathlib import Path

import pytest

from photocloak.core import ConfigError, manifest_root
from photocloak.engine import modes
from photocloak.engine.cloaker import Cloaker
from photocloak.engine.modes import load_mode, load_modes
from photocloak.plugin import FaceOutcome, Outcome, Status
from photocloak.plugin.pipeline import process_photo
from tests.plugin.fakes import make_engine, write_photo
from tests.plugin.studio import FACES, TWO, Studio


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_photo, "load_mode", lambda name: replace(load_mode(name), steps=12))


def group(home: Path, threshold: float, mode: str) -> Outcome:
    """Cloak two faces with recognisers that accept from a similarity on."""
    studio = Studio(home, make_engine(FACES, threshold=threshold))
    photo = write_photo(studio.photo.with_name("group.png"), *TWO)
    return studio.pipeline.run(studio.job(photo, mode=mode))


def decisive(face: FaceOutcome) -> float:
    """Return the similarity that must be refused: of three recognisers one may accept."""
    return sorted(face.similarity.values())[1]


def between(home: Path) -> float:
    """Return a threshold that one of the faces passes in balanced, the other in strong only."""
    balanced, strong = (group(home / mode, 0.99999, mode).faces for mode in ("balanced", "strong"))
    weaker = max((0, 1), key=lambda i: decisive(balanced[i]))
    low = max(decisive(balanced[1 - weaker]), decisive(strong[weaker]))
    high = decisive(balanced[weaker])
    assert low < high, "the scene has no such face"
    return (low + high) / 2


def test_only_the_weak_face_gets_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threshold = between(tmp_path)
    spent: list[int] = []
    call = Cloaker.__call__

    def counted(self, image, subjects, **options):  # type: ignore[no-untyped-def]
        spent.append(sum(one.steps > 0 for one in subjects))
        return call(self, image, subjects, **options)

    monkeypatch.setattr(Cloaker, "__call__", counted)
    outcome = group(tmp_path / "between", threshold, "balanced")
    assert outcome.status is Status.CLOAKED
    assert spent == [2, 1]
    assert sorted(face.mode or "" for face in outcome.faces) == ["balanced", "strong"]
    assert "budget of strong, since balanced was too weak" in str(outcome.reason)
    for face in outcome.faces:
        assert face.mode is not None
        mode = load_mode(face.mode)
        bounds = {"warp": mode.warp, "contrast": mode.contrast, "light": mode.light}
        for name, bound in {**bounds, "delta": mode.rho}.items():
            assert face.edits[name] <= bound * 90 / 70 * 1.001  # 70 pixels: see LARGE in retouch.py
        assert decisive(face) < threshold


def test_what_the_next_budget_leaves_too_weak_is_held_back(tmp_path: Path) -> None:
    outcome = group(tmp_path, -1.0, "balanced")
    assert outcome.status is Status.TOO_WEAK
    assert {face.mode for face in outcome.faces} == {"strong"}
    assert "crop or cover it" in str(outcome.reason)


def test_strong_and_fawkes_have_no_next_one(tmp_path: Path) -> None:
    for mode in ("strong", "fawkes"):
        outcome = group(tmp_path / mode, -1.0, mode)
        assert {face.mode for face in outcome.faces} == {mode}
    assert [mode.then for mode in load_modes().values()] == ["balanced", "strong", "", ""]


def test_a_next_one_that_is_no_mode_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = (manifest_root() / "modes.toml").read_text("utf-8")
    (tmp_path / "modes.toml").write_text(shipped.replace('then = "strong"', 'then = "stronger"'))
    monkeypatch.setattr(modes, "manifest_root", lambda: tmp_path)
    with pytest.raises(ConfigError, match="'balanced' is no mode: 'stronger'"):
        load_modes.__wrapped__()
