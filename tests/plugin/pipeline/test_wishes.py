"""What is wished for all photos of a run: whom to cloak, whom to spare, where there is no face."""

from dataclasses import replace
from pathlib import Path

import pytest

from photocloak import exporters
from photocloak.core import ConfigError
from photocloak.engine.modes import load_mode
from photocloak.plugin import Roster, Status, UserHint
from photocloak.plugin.people.corrections import Correction, Corrections
from photocloak.plugin.pipeline import process_photo
from photocloak.plugin.pipeline.job import FaceOutcome
from photocloak.plugin.pipeline.reasons import LEFT_NAMED, left
from photocloak.plugin.progress import line
from tests.plugin.fakes import face_at, make_engine, write_photo
from tests.plugin.studio import ONE, TWO, Studio


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_photo, "load_mode", lambda name: replace(load_mode(name), steps=4))


class TestWhom:
    @pytest.fixture
    def studio(self, tmp_path: Path) -> Studio:
        """Return one that knows Ada, on the left of the photo, and person-2."""
        studio = Studio(tmp_path)
        studio.photo = write_photo(studio.photo.with_name("group.png"), *TWO)
        first = studio.pipeline.run(studio.job(hint=UserHint("Ada")))
        assert [face.person for face in first.faces] == ["Ada", "person-2"]
        return studio

    @pytest.mark.parametrize(
        ("wish", "cloaked"),
        [
            ({"spared": ("ada",)}, [False, True]),
            ({"spared": ("person-2",)}, [True, False]),
            ({"only": ("Ada",)}, [True, False]),
            ({"only": ("person-2",)}, [False, True]),
            ({"only": ("person-2", "Ada")}, [True, True]),
        ],
    )
    def test_by_name_or_label(
        self, studio: Studio, wish: dict[str, tuple[str, ...]], cloaked: list[bool]
    ) -> None:
        outcome = studio.pipeline.run(studio.job(None, **wish))
        assert outcome.status is Status.CLOAKED and outcome.output is not None
        assert [face.cloaked for face in outcome.faces] == cloaked
        assert [face.left for face in outcome.faces] == [not one for one in cloaked]
        assert [face.person for face in outcome.faces] == ["Ada", "person-2"]
        alone = [face.person for face in outcome.faces if not face.cloaked]
        assert ("left as they are" in line(outcome)) == bool(alone)
        assert all(f"left as they are: {name}, " in line(outcome) for name in alone)
        before, after = (exporters.read(path).pixels for path in (studio.photo, outcome.output))
        columns = (before != after).any(axis=(0, 2))
        assert [bool(columns[:120].any()), bool(columns[130:].any())] == cloaked
        assert studio.pipeline.run(studio.job(None, **wish)).status is Status.DONE_BEFORE
        assert studio.pipeline.run(studio.job()).status is Status.CLOAKED

    def test_who_is_not_known_is_named_with_those_who_are(self, studio: Studio) -> None:
        for wish in ({"only": ("Eve",)}, {"spared": ("Ada", "Eve")}):
            with pytest.raises(ConfigError, match="nobody 'Eve'; there are: Ada"):
                studio.pipeline.check(studio.job(None, **wish))
        Roster(studio.database).forget(["Ada"])
        with pytest.raises(ConfigError, match="nobody has a name yet"):
            studio.pipeline.check(studio.job(only=("Ada",)))

    def test_a_photo_of_spared_people_is_written_as_it_is(self, studio: Studio) -> None:
        wish = {"spared": ("Ada", "person-2")}
        outcome = studio.pipeline.run(studio.job(None, **wish))
        assert (outcome.status, outcome.code) == (Status.LEFT_ALONE, 0)
        assert "[left as they are: Ada, person-2, " in line(outcome)
        assert outcome.output is not None
        before, after = (exporters.read(path).pixels for path in (studio.photo, outcome.output))
        assert (before == after).all()

    def test_a_photo_without_who_is_to_be_cloaked_is_held_back(self, studio: Studio) -> None:
        stranger = write_photo(studio.photo.with_name("other.png"), *ONE, seed=3)
        held = studio.pipeline.run(studio.job(stranger, only=("Ada",)))
        assert held.status is Status.NOBODY_NAMED and "Ada was not found in it" in str(held.reason)
        assert [one.label for one in Roster(studio.database).everybody()] == ["Ada", "person-2"]
        copied = studio.pipeline.run(studio.job(stranger, only=("Ada",), no_face="copy"))
        assert (copied.status, copied.code) == (Status.NOBODY_NAMED, 0)

    def test_who_is_not_surely_spared_is_cloaked(self, studio: Studio) -> None:
        stranger = write_photo(studio.photo.with_name("other.png"), *ONE, seed=3)
        outcome = studio.pipeline.run(studio.job(stranger, spared=("Ada",)))
        assert [face.cloaked for face in outcome.faces] == [True]


def test_a_crowd_that_is_left_alone_is_counted() -> None:
    def face(person: str | None) -> FaceOutcome:
        return FaceOutcome((0, 0, 9, 9), person, None, {}, None, cloaked=False, left=True)

    assert left([]) == left([replace(face("Ada"), left=False)]) == ""
    assert left([face(None), face(None)]) == "left as they are: 2 faces"
    crowd = [face(f"person-{n}") for n in range(LEFT_NAMED + 3)] + [face(None)]
    assert left(crowd).endswith("person-4, 4 more")


class TestNotAFace:
    UNSURE = (
        face_at(40, 20, 60),
        face_at(110, 20, 40, score=0.6),
        face_at(5, 5, 30, score=0.6, upright=False),
    )

    def test_what_is_uncertain_is_none(self, tmp_path: Path) -> None:
        studio = Studio(tmp_path, make_engine({ONE: self.UNSURE}))
        held = studio.pipeline.run(studio.job())
        assert held.status is Status.UNCERTAIN and "--not-a-face" in str(held.reason)
        outcome = studio.pipeline.run(studio.job(not_a_face=True))
        assert outcome.status is Status.CLOAKED
        assert [face.box for face in outcome.faces] == [(40, 20, 60, 60)]

    def test_a_photo_of_nothing_else_has_no_face(self, tmp_path: Path) -> None:
        studio = Studio(tmp_path, make_engine({ONE: self.UNSURE[1:]}))
        held = studio.pipeline.run(studio.job(not_a_face=True))
        assert held.status is Status.NO_FACE
        copied = studio.pipeline.run(studio.job(not_a_face=True, no_face="copy"))
        assert (copied.status, copied.code, copied.faces) == (Status.NO_FACE, 0, ())

    def test_what_the_user_spoke_of_is_a_face(self, tmp_path: Path) -> None:
        studio = Studio(tmp_path, make_engine({ONE: self.UNSURE}))
        held = studio.pipeline.run(studio.job())
        assert held.content is not None
        corrections = Corrections(studio.database)
        corrections.set(held.content, (110, 20, 40, 40), Correction(mode="strong"))
        outcome = studio.pipeline.run(studio.job(not_a_face=True))
        assert [face.mode for face in outcome.faces] == ["balanced", "strong"]
