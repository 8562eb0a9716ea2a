"""What the user said about a face is found again, and goes with the person it speaks of."""

import random
from pathlib import Path

import pytest

from photocloak.engine.seam import Box
from photocloak.plugin.people.assignment import ObservedFace, Sighted
from photocloak.plugin.people.corrections import (
    NOTHING,
    SAME,
    Correction,
    Corrections,
    of_faces,
    overlap,
)
from photocloak.plugin.people.profiles import centroids, everybody, photos_of_people
from photocloak.plugin.storage.database import Database
from tests.plugin.fakes import face
from tests.plugin.people.test_people import Store

BOX = (40, 20, 70, 80)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path, targets=20)


@pytest.fixture
def corrections(store: Store) -> Corrections:
    return Corrections(Database(store.path))


def any_correction(dice: random.Random) -> Correction:
    return Correction(
        not_a_face=dice.random() < 0.5,
        leave=dice.random() < 0.5,
        person=dice.choice([None, "Ada", "person-3", "Ünal 'Ö'; --"]),
        mode=dice.choice([None, "strong"]),
        fallback=dice.choice([None, "blur", "pixelate", "box"]),
        another_target=dice.randrange(3),
    )


def test_what_is_said_is_kept_by_photo_and_box(corrections: Corrections) -> None:
    dice, kept = random.Random(4), dict[tuple[str, Box], Correction]()
    for _ in range(60):
        place = dice.randrange(5)  # so far apart that none is the same face
        key = dice.choice("ab"), (place * 200, 0, 90 + place, 80)
        said = any_correction(dice)
        corrections.set(*key, said)
        kept[key] = said
    for photo in "abc":
        there = {box: one for (name, box), one in kept.items() if name == photo and one != NOTHING}
        assert corrections.of(photo) == there


def test_one_face_has_one_correction_whatever_its_exact_box(corrections: Corrections) -> None:
    corrections.set("a", BOX, Correction(leave=True))
    corrections.set("a", (42, 21, 69, 80), Correction(mode="strong"))
    assert corrections.of("a") == {(42, 21, 69, 80): Correction(mode="strong")}
    corrections.set("a", BOX, Correction())
    assert corrections.of("a") == {}


def test_a_found_face_gets_the_correction_that_overlaps_it_most() -> None:
    near, nearer = Correction(mode="strong"), Correction(leave=True)
    said = {(40, 20, 70, 80): near, (44, 20, 70, 80): nearer}
    beside = 100, 20, 70, 80
    assert of_faces([(45, 20, 70, 80), beside], said) == (nearer, NOTHING)
    assert overlap(BOX, beside) < SAME
    assert of_faces([BOX], {}) == (NOTHING,)
    assert of_faces([(0, 0, 0, 0)], {(0, 0, 0, 0): near}) == (NOTHING,), "a box without pixels"


def test_the_digest_changes_with_this_photo_only(corrections: Corrections) -> None:
    assert corrections.digest("a") == corrections.digest(None) == ""
    corrections.set("a", BOX, Correction(leave=True))
    first = corrections.digest("a")
    assert first and corrections.digest(None)
    corrections.set("b", BOX, Correction(leave=True))
    assert corrections.digest("a") == first and corrections.digest("c") == ""
    corrections.set("a", BOX, Correction(leave=True, mode="strong"))
    assert corrections.digest("a") != first
    corrections.set("a", BOX, Correction())
    assert corrections.digest("a") == ""


class TestWhoseFace:
    def see(self, store: Store, photo: str, *faces: int, told: dict[int, str]) -> list[str | None]:
        """Show photo number 9 of somebody each, and return as whose the faces are taken."""
        observed = [ObservedFace(face(one, 9), certain=True) for one in faces]
        seen = Sighted(photo, observed, told=told)
        store.meet(seen)
        given = store.people.assign(seen, library=store.choose.library, choose=store.choose)
        return [None if one.person is None else one.person.label for one in given]

    def photos(self, store: Store) -> dict[str, set[str]]:
        with store.people._database.transaction() as connection:
            shown = photos_of_people(connection)
            return {one.label: shown.get(one.id, set()) for one in everybody(connection).values()}

    def test_a_name_that_is_new_names_the_profile(self, store: Store) -> None:
        store.see("x", face(1, 0), face(2, 0))
        assert self.see(store, "y", 1, 2, told={1: "Ada"}) == ["person-1", "Ada"]
        assert self.photos(store) == {"person-1": {"x", "y"}, "Ada": {"x", "y"}}

    @pytest.mark.parametrize("named", [True, False])
    def test_a_face_that_was_learned_as_another_is_unlearned_there(
        self, store: Store, named: bool
    ) -> None:
        store.see("x", face(1, 0))
        store.see("y", face(3, 0), face(2, 9))
        assert self.photos(store) == {"person-1": {"x"}, "person-2": {"y"}, "person-3": {"y"}}
        if named:
            store.roster.name("person-1", "Ada")
        label = "Ada" if named else "person-1"
        for who in (label, "person-1"):  # by name or label, and once more
            assert self.see(store, "y", 3, 2, told={1: who}) == ["person-2", label]
            assert self.photos(store) == {label: {"x", "y"}, "person-2": {"y"}}

    def test_only_this_photo_is_unlearned(self, store: Store) -> None:
        store.see("x", face(1, 0))
        for photo in range(2):
            store.see(f"y{photo}", face(2, photo))
        with store.people._database.transaction() as connection:
            before = centroids(connection)[2]
        assert self.see(store, "z", 2, told={}) == ["person-2"]
        assert self.see(store, "z", 2, told={0: "person-1"}) == ["person-1"]
        assert self.photos(store)["person-2"] == {"y0", "y1"}
        with store.people._database.transaction() as connection:
            after = centroids(connection)[2]
        for name, total in before.items():
            assert after[name] == pytest.approx(total, abs=1e-5)

    def test_somebody_who_was_forgotten_is_nobody(self, store: Store) -> None:
        store.see("x", face(1, 0))
        store.roster.forget(["person-1"])
        assert self.see(store, "y", 1, told={0: "person-1"}) == ["person-2"]

    def test_what_is_no_face_is_unlearned(self, store: Store) -> None:
        store.see("x", face(1, 0), face(2, 0))
        pot, real = (ObservedFace(face(one, 0), certain=True) for one in (1, 2))
        store.meet(Sighted("x", [real], none=[pot]))
        assert self.photos(store) == {"person-2": {"x"}}


def test_corrections_go_with_the_person(store: Store, corrections: Corrections) -> None:
    """A new name, a merge and a farewell are those of the person the correction speaks of."""
    for number in range(3):
        store.see(str(number), face(number, 0))
    store.roster.name("person-1", "Ada")
    corrections.set("a", BOX, Correction(person="ada", mode="strong"))
    corrections.set("b", BOX, Correction(person="person-2"))
    corrections.set("c", BOX, Correction(person="person-3"))
    store.roster.name("Ada", "Ada L.")
    assert corrections.of("a")[BOX] == Correction(person="Ada L.", mode="strong")
    store.roster.merge("Ada L.", ["person-2"])
    assert corrections.of("b")[BOX] == Correction(person="Ada L.")
    store.roster.forget(["Ada L."])
    assert corrections.of("a")[BOX] == Correction(mode="strong")
    assert corrections.of("b") == {}
    assert corrections.of("c")[BOX] == Correction(person="person-3")
    assert b"Ada" not in store.path.read_bytes()
