"""What the user said about single faces: done to these alone, and to no other photo."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from photocloak import exporters
from photocloak.engine.modes import load_mode
from photocloak.engine.seam import Box
from photocloak.plugin import Outcome, Roster, Status
from photocloak.plugin.people.corrections import Correction, Corrections
from photocloak.plugin.pipeline import process_photo
from tests.plugin.fakes import face_at, make_engine, write_photo
from tests.plugin.studio import ONE, TWO, Studio


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_photo, "load_mode", lambda name: replace(load_mode(name), steps=4))


class Group(Studio):
    """A photo of two, and another one beside it."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.beside = write_photo(self.photo.with_name("b.png"), *ONE)
        self.photo = write_photo(self.photo.with_name("group.png"), *TWO)
        self.corrections = Corrections(self.database)
        self.first = self.run()

    def run(self, source: Path | None = None, **changes: object) -> Outcome:
        return self.pipeline.run(self.job(source, **changes))

    def say(self, index: int, correction: Correction) -> Outcome:
        """Correct a face, and do the photo again."""
        content, found = self.first.content, self.first.faces[index].found
        assert content is not None and found is not None
        self.corrections.set(content, found, correction)
        return self.run()

    def changed(self, outcome: Outcome) -> list[bool]:
        """Tell of the left and the right half whether they are other than in the photo."""
        assert outcome.output is not None
        before, after = (exporters.read(path).pixels for path in (self.photo, outcome.output))
        columns = (before != after).any(axis=(0, 2))
        return [bool(half.any()) for half in (columns[:120], columns[120:])]


@pytest.fixture
def group(tmp_path: Path) -> Group:
    return Group(tmp_path)


def test_only_the_photo_that_was_corrected_is_made_anew(group: Group) -> None:
    group.run(group.beside)
    copy = group.photo.with_name("copy.png")
    copy.write_bytes(group.photo.read_bytes())
    group.run(copy)
    assert [group.run(one).status for one in (None, group.beside, copy)] == [Status.DONE_BEFORE] * 3
    assert group.say(1, Correction(mode="subtle")).status is Status.CLOAKED
    assert group.run(group.beside).status is Status.DONE_BEFORE
    again = group.run(copy)  # the correction is of its content, too
    assert again.status is Status.CLOAKED and again.faces[1].mode == "subtle"
    assert group.run().status is Status.DONE_BEFORE
    assert group.say(1, Correction()).status is Status.CLOAKED
    assert len(group.written()) == 3


def test_what_an_earlier_version_made_is_made_anew_once_there_are_corrections(
    group: Group,
) -> None:
    with group.database.transaction() as connection:
        connection.execute("UPDATE results SET outcome = json_remove(outcome, '$.content')")
    assert group.run().status is Status.DONE_BEFORE
    assert group.say(1, Correction(leave=True)).status is Status.CLOAKED


def test_no_face_is_dropped_and_unlearned(group: Group) -> None:
    outcome = group.say(0, Correction(not_a_face=True))
    assert [face.box for face in outcome.faces] == [(150, 30, 70, 70)]
    assert group.changed(outcome) == [False, True]
    assert [one.label for one in Roster(group.database).everybody()] == ["person-2"]
    both = group.say(1, Correction(not_a_face=True))
    assert (both.status, both.output) == (Status.NO_FACE, None)
    copied = group.run(no_face="copy")
    assert (copied.status, group.changed(copied)) == (Status.NO_FACE, [False, False])


def test_a_face_is_left_as_it_is(group: Group) -> None:
    outcome = group.say(1, Correction(leave=True))
    assert [face.cloaked for face in outcome.faces] == [True, False]
    assert group.changed(outcome) == [True, False]
    alone = group.say(0, Correction(leave=True))
    assert (alone.status, alone.code) == (Status.LEFT_ALONE, 0)
    assert group.changed(alone) == [False, False]
    assert [face.cloaked for face in alone.faces] == [False, False]


def test_one_face_has_another_mode(group: Group) -> None:
    outcome = group.say(1, Correction(mode="strong"))
    assert [face.mode for face in outcome.faces] == ["balanced", "strong"]
    assert "was too weak" not in str(outcome.reason)


def test_a_face_is_somebodys(group: Group) -> None:
    assert [face.person for face in group.first.faces] == ["person-1", "person-2"]
    assert [one.person for one in group.say(1, Correction(person="Ada")).faces] == [
        "person-1",
        "Ada",
    ]


def test_another_target_is_the_faces_alone(group: Group) -> None:
    people = Roster(group.database).everybody()
    first = group.out.joinpath("group.png").read_bytes()
    assert group.say(0, Correction(another_target=1)).status is Status.CLOAKED
    second = group.out.joinpath("group.png").read_bytes()
    assert first != second
    assert Roster(group.database).everybody() == [
        replace(now, last_seen=there.last_seen)
        for now, there in zip(people, Roster(group.database).everybody(), strict=True)
    ], "the person keeps theirs"
    assert group.run().status is Status.DONE_BEFORE
    group.say(0, Correction(another_target=2))
    assert group.out.joinpath("group.png").read_bytes() not in (first, second)
    group.say(0, Correction())
    assert group.out.joinpath("group.png").read_bytes() == first


class TestOutOfReach:
    """What cannot be aligned holds a photo back, unless the user knows better."""

    BOX: Box = (5, 5, 30, 30)

    @pytest.fixture
    def studio(self, tmp_path: Path) -> Studio:
        seen = {ONE: [face_at(40, 20, 70), face_at(5, 5, 30, score=0.6, upright=False)]}
        return Studio(tmp_path, make_engine(seen))

    @pytest.mark.parametrize("words", [Correction(not_a_face=True), Correction(leave=True)])
    def test_it_is_released(self, studio: Studio, words: Correction) -> None:
        held = studio.pipeline.run(studio.job())
        assert held.status is Status.UNCERTAIN and held.content is not None
        Corrections(studio.database).set(held.content, self.BOX, words)
        outcome = studio.pipeline.run(studio.job())
        assert outcome.status is Status.CLOAKED
        left = [] if words.not_a_face else [(self.BOX, False)]
        assert [(one.box, one.cloaked) for one in outcome.faces[1:]] == left


def test_boxes_are_of_the_photo_whatever_size_is_published(tmp_path: Path) -> None:
    """The preset web publishes 2560 pixels at most: of 5120, half."""
    large, small = (1536, 5120), (768, 2560)
    faces = {large: [face_at(400, 200, 700)], small: [face_at(200, 100, 350)]}
    studio = Studio(tmp_path, make_engine(faces))
    pixels = np.zeros((*large, 3), np.uint8)
    pixels[::2, ::3] = 200
    studio.photo = tmp_path / "in" / "large.png"
    Pillow.fromarray(pixels).save(studio.photo)
    web = studio.pipeline.run(studio.job(preset="web"))
    assert web.faces[0].box == (200, 100, 350, 350)
    assert web.faces[0].found == (400, 200, 700, 700)
    assert web.content is not None
    Corrections(studio.database).set(web.content, web.faces[0].found, Correction(leave=True))
    for preset in ("web", "keep"):
        outcome = studio.pipeline.run(studio.job(preset=preset, folder=tmp_path / preset))
        assert outcome.status is Status.LEFT_ALONE
