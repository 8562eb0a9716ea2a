"""People are found again, keep their target, and are forgotten for good."""

import multiprocessing
import stat
from pathlib import Path

import numpy as np
import pytest

from photocloak.core import ConfigError
from photocloak.engine.recognition.ensemble import Embeddings
from photocloak.engine.targets.library import Target, target_from_photos
from photocloak.plugin.people.assignment import Assignment, ObservedFace, Sighted, UserHint
from photocloak.plugin.people.learning import Merged
from photocloak.plugin.people.matching import likeness
from photocloak.plugin.people.profiles import SAMPLES
from photocloak.plugin.people.registry import People
from photocloak.plugin.people.roster import Roster, TogetherError
from photocloak.plugin.storage.database import Database
from tests.plugin.fakes import THRESHOLDS, FirstFree, face

DAY = 86400.0


class Store:
    """A people store with a clock that can be set."""

    def __init__(self, folder: Path, *, targets: int = 10) -> None:
        self.path = folder / "data" / "photocloak.db"
        self.now = 1_000_000_000.0
        self.choose = FirstFree(targets)
        self.database = database = Database(self.path)
        self.people = People(database, THRESHOLDS, clock=lambda: self.now)
        self.roster = Roster(database, clock=lambda: self.now)

    def see(
        self,
        photo: str,
        *faces: Embeddings,
        hint: UserHint | None = None,
        certain: bool = True,
        only_named: bool = False,
    ) -> list[Assignment]:
        seen = Sighted(
            photo, [ObservedFace(one, certain) for one in faces], hint or UserHint(), only_named
        )
        self.meet(seen)
        options = {"library": self.choose.library, "choose": self.choose}
        return self.people.assign(seen, **options)  # type: ignore[arg-type]

    def meet(self, *photos: Sighted) -> list[Merged]:
        return self.people.learn(photos, library=self.choose.library, choose=self.choose)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def target(assigned: Assignment) -> Target:
    assert assigned.target is not None
    return assigned.target


def ids(assigned: list[Assignment]) -> list[int | None]:
    return [None if one.person is None else one.person.id for one in assigned]


def test_a_person_is_found_again_and_keeps_the_target(store: Store) -> None:
    first = store.see("a", face(1))
    again = store.see("b", face(1, 1))
    other = store.see("c", face(2))
    assert ids(first) == ids(again) != ids(other)
    assert target(first[0]).name == target(again[0]).name != target(other[0]).name
    assert [person.photos for person in store.roster.everybody()] == [2, 1]


def test_the_same_photo_teaches_once(store: Store) -> None:
    store.see("a", face(1))
    before = store.path.read_bytes()
    store.now += 1
    store.see("a", face(1))
    (person,) = store.roster.everybody()
    assert (person.photos, person.last_seen - person.created) == (1, 1)
    assert before.count(face(1)["one"].tobytes()) == 1


def test_the_reference_is_the_mean_of_a_person_s_first_photos(store: Store) -> None:
    photos = [face(1, number) for number in range(SAMPLES + 2)]
    references = [store.see(str(i), one)[0].reference for i, one in enumerate(photos)]
    for extractor in photos[0]:
        for count, known in enumerate(references, start=1):
            first = [one[extractor] for one in photos[: min(count, SAMPLES)]]
            assert known[extractor] == pytest.approx(np.mean(first, axis=0), abs=1e-6)
    again = store.see("2", photos[2])[0].reference
    assert all((again[extractor] == references[2][extractor]).all() for extractor in again)
    unsure = store.see("unsure", face(1), certain=False)[0]
    assert (unsure.person is not None, unsure.reference) == (True, {}), "it would change with time"
    assert store.see("stranger", face(2), certain=False)[0].reference == {}


def test_two_faces_in_one_photo_are_never_one_person(store: Store) -> None:
    store.see("a", face(1))
    twins = store.see("b", face(1, 1), face(1, 2))
    assert len(set(ids(twins))) == 2
    assert len({target(one).name for one in twins}) == 2


def test_most_extractors_decide(store: Store) -> None:
    store.see("a", face(1))
    assert ids(store.see("b", face(1, 1) | {"one": face(2)["one"]})) == [1]
    assert ids(store.see("c", face(1, 2) | {"one": face(3)["one"], "two": face(3)["two"]})) == [2]


def test_many_doubtful_extractors_do_not_make_a_match() -> None:
    axis = np.array([1, 0], np.float32)
    doubtful = np.array([0.51, np.sqrt(1 - 0.51**2)], np.float32)
    person, stranger = dict.fromkeys(THRESHOLDS, axis), dict.fromkeys(THRESHOLDS, doubtful)
    found = likeness(stranger, person, THRESHOLDS)
    assert found.score > 0 and not found.matches
    assert likeness(person, person, THRESHOLDS).matches


def test_targets_are_distinct_until_the_library_is_used_up(tmp_path: Path) -> None:
    store = Store(tmp_path, targets=3)
    names = [target(store.see(str(i), face(i))[0]).name for i in range(4)]
    assert len(set(names[:3])) == 3
    assert names[3] in names[:3]


def test_an_uncertain_face_teaches_nobody_but_is_recognised(store: Store) -> None:
    assert ids(store.see("a", face(1), certain=False)) == [None]
    assert store.roster.everybody() == []
    known = store.see("b", face(1))
    assert store.see("c", face(1, 1), certain=False)[0].target is known[0].target
    assert store.roster.everybody()[0].photos == 1


def test_a_target_that_the_library_lost_is_chosen_again_from_all_photos(store: Store) -> None:
    old = target(store.see("a", face(1))[0]).name
    store.see("b", face(1, 1))
    del store.choose.library[old]
    new = target(store.see("c", face(1, 2))[0]).name
    assert new != old
    assert store.choose.asked[-1] == 3
    assert target(store.see("d", face(1, 3))[0]).name == new


class TestOnlyNamed:
    """People without a name are left alone; whoever might have one is not."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        store = Store(tmp_path)
        store.see("a", face(1), hint=UserHint("Ada"))
        return store

    def test_others_are_left_alone_and_nothing_is_learned_of_them(self, store: Store) -> None:
        found = store.see("b", face(2), face(1, 1), only_named=True)
        assert [one.target is None for one in found] == [True, False]
        assert ids(found) == [None, 1]
        assert [one.label for one in store.roster.everybody()] == ["Ada"]

    def test_who_may_be_somebody_named_is_cloaked_as_that_person(self, store: Store) -> None:
        ada = target(store.see("b", face(1, 1))[0])
        half = face(1, 2) | {name: face(3)[name] for name in ("two", "three")}
        (doubtful,) = store.see("c", half, only_named=True)
        assert target(doubtful) is ada and doubtful.person is None
        assert ids(store.see("d", half)) == [2], "everyone's way, it would be somebody new"

    def test_a_face_that_cannot_be_seen_well_is_cloaked(self, store: Store) -> None:
        (hidden,) = store.see("b", face(2), certain=False, only_named=True)
        assert hidden.target is not None and hidden.person is None

    def test_known_people_without_a_name_are_left_alone(self, store: Store) -> None:
        store.see("b", face(2))
        (known,) = store.see("c", face(2, 1), only_named=True)
        assert known.target is None and known.person is not None and known.person.id == 2
        assert [one.photos for one in store.roster.everybody()] == [1, 1]
        store.roster.name("2", "Bob")
        assert ids(store.see("c", face(2, 1), only_named=True)) == [2]

    def test_two_of_whom_either_may_be_the_one(self, store: Store) -> None:
        found = store.see("b", face(1, 1), face(1, 2), only_named=True)
        assert all(one.target is not None for one in found)

    def test_whoever_the_user_names_is_cloaked(self, store: Store) -> None:
        (new,) = store.see("b", face(2), hint=UserHint("Bob"), only_named=True)
        assert new.target is not None and new.person is not None and new.person.name == "Bob"

    def test_without_a_name_there_is_nobody_to_cloak(self, tmp_path: Path) -> None:
        store = Store(tmp_path / "other")
        store.see("a", face(1))
        with pytest.raises(ConfigError, match="nobody has one yet"):
            store.see("b", face(1, 1), only_named=True)
        with pytest.raises(ConfigError, match="people name"):
            store.people.require_named()

    def test_a_named_person_of_whom_nothing_is_comparable_leaves_all_in_doubt(
        self, store: Store
    ) -> None:
        other = {"four": face(2)["one"]}
        people = People(Database(store.path), THRESHOLDS | {"four": 0.5})
        (found,) = people.assign(
            Sighted("b", [ObservedFace(other, certain=True)], only_named=True),
            library=store.choose.library,
            choose=store.choose,
        )
        assert found.target is not None


class TestWishes:
    def test_the_only_face_is_named(self, store: Store) -> None:
        (one,) = store.see("a", face(1), hint=UserHint("Ada"))
        assert one.person is not None and one.person.name == "Ada"
        assert ids(store.see("b", face(1, 1))) == ids([one])

    def test_an_unnamed_profile_gets_the_name(self, store: Store) -> None:
        known = store.see("a", face(1))
        assert ids(store.see("b", face(1, 1), hint=UserHint("Ada"))) == ids(known)
        assert store.roster.everybody()[0].name == "Ada"

    def test_a_new_name_goes_to_the_largest_face(self, store: Store) -> None:
        found = store.see("a", face(1), face(2), hint=UserHint("Ada"))
        assert [one.person and one.person.name for one in found] == ["Ada", None]

    def test_a_known_name_goes_to_whoever_looks_like_it(self, store: Store) -> None:
        store.see("a", face(2), hint=UserHint("Ada"))
        found = store.see("b", face(1), face(2, 1), hint=UserHint("ada"))
        assert [one.person and one.person.name for one in found] == [None, "Ada"]
        absent = store.see("c", face(1, 1), face(3), hint=UserHint("Ada"))
        assert "Ada" not in [one.person and one.person.name for one in absent]

    def test_the_user_knows_better_than_the_extractors(self, store: Store) -> None:
        store.see("a", face(1), hint=UserHint("Ada"))
        (one,) = store.see("b", face(9), hint=UserHint("Ada"))
        assert one.person is not None and one.person.name == "Ada"

    def test_a_target_of_ones_own_is_kept(self, store: Store) -> None:
        own = target_from_photos("folder-1", [face(50, i) for i in range(3)])
        store.see("a", face(1), hint=UserHint("Ada", own))
        kept = target(store.see("b", face(1, 1))[0])
        assert kept.name == "folder-1"
        assert np.array_equal(kept.members["one"], own.members["one"])
        store.roster.forget(["Ada"])
        assert own.members["one"].tobytes() not in store.path.read_bytes()


class TestRoster:
    def test_name_merge_forget(self, store: Store) -> None:
        for number in (1, 2, 3):
            store.see(f"photo {number}", face(number))
        assert store.roster.name("person-1", "Ada").name == "Ada"
        merged = store.roster.merge("ada", ["2"])
        assert (merged.id, merged.photos, merged.target) == (1, 2, "nobody-0")
        assert ids(store.see("x", face(2, 1))) == [1]
        assert [person.id for person in store.roster.forget([], all_unnamed=True)] == [3]
        assert [person.id for person in store.roster.everybody()] == [1]

    def test_who_is_in_one_photo_with_another_is_somebody_else(self, store: Store) -> None:
        store.see("alone", face(3))
        store.see("both", face(1), face(2))
        store.see("both once more", face(1, 1), face(2, 1))
        store.roster.name("2", "Ada")
        for who, others in (("Ada", ["3"]), ("3", ["1", "Ada"]), ("1", ["Ada", "3"])):
            with pytest.raises(TogetherError, match=r"(Ada|person-3) are in 2 photos together"):
                store.roster.merge(who, others)
            assert len(store.roster.everybody()) == 3, "all or nothing"
        assert store.roster.merge("1", ["Ada"]).photos == 3
        merged = store.roster.merge("1", ["3"], though_together=True)
        assert (merged.label, len(store.roster.everybody())) == ("Ada", 1)

    def test_a_name_is_taken_over_by_an_unnamed_profile(self, store: Store) -> None:
        store.see("a", face(1))
        store.see("b", face(2), hint=UserHint("Bo"))
        assert store.roster.merge("1", ["Bo"]).name == "Bo"

    @pytest.mark.parametrize("name", ["", "  ", "7", "person-7", "a\nb", "x" * 201])
    def test_names_that_cannot_be_used(self, store: Store, name: str) -> None:
        store.see("a", face(1))
        with pytest.raises(ConfigError, match="name"):
            store.roster.name("1", name)

    def test_a_name_belongs_to_one_person(self, store: Store) -> None:
        store.see("a", face(1), hint=UserHint("Ada"))
        store.see("b", face(2))
        with pytest.raises(ConfigError, match="merge 1 2"):
            store.roster.name("2", "ADA")
        with pytest.raises(ConfigError, match="itself"):
            store.roster.merge("1", ["Ada"])
        with pytest.raises(ConfigError, match="nobody 'Eve'"):
            store.roster.forget(["Eve"])

    def test_the_unnamed_expire_after_90_days_the_named_do_not(self, store: Store) -> None:
        store.see("a", face(1), hint=UserHint("Ada"))
        store.see("b", face(2))
        store.now += 89 * DAY
        store.see("c", face(2, 1))
        store.now += 89 * DAY
        assert len(store.roster.everybody()) == 2
        store.now += 2 * DAY
        assert [person.name for person in store.roster.everybody()] == ["Ada"]


def planted(features: Embeddings) -> list[bytes]:
    """Return what would betray the features: as they are, and as unit vectors."""
    return [
        array.tobytes()[:16]
        for raw in features.values()
        for array in (raw, raw / np.linalg.norm(raw))
    ]


def test_forgetting_leaves_no_byte_behind(store: Store) -> None:
    for number in range(30):
        store.see(f"photo {number}", face(number % 3, number))
    traces = [trace for photo in range(0, 30, 3) for trace in planted(face(0, photo))]
    assert any(trace in store.path.read_bytes() for trace in traces)
    store.roster.forget(["1"])
    left = b"".join(path.read_bytes() for path in store.path.parent.iterdir())
    assert not any(trace in left for trace in traces)


def test_only_the_first_samples_are_kept(store: Store) -> None:
    for number in range(12):
        store.see(f"photo {number}", face(1, number))
    data = store.path.read_bytes()
    kept = [number for number in range(12) if face(1, number)["three"].tobytes() in data]
    assert kept == list(range(8))


def test_everything_is_private(store: Store) -> None:
    store.see("a", face(1))
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700


def _meet(folder: Path, photo: int) -> tuple[int | None, str]:
    (one,) = Store(folder).see(f"photo {photo}", face(1, photo))
    return (one.person.id if one.person else None), target(one).name


def test_processes_that_meet_somebody_at_once_agree(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        found = pool.starmap(_meet, [(tmp_path, photo) for photo in range(12)])
    assert len(set(found)) == 1
    assert Store(tmp_path).roster.everybody()[0].photos == 12
