"""Who is who over a batch: whatever the order of photos, and whatever was known before."""

import random
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from photocloak.engine.recognition.ensemble import Embeddings
from photocloak.plugin.people.assignment import ObservedFace, Sighted, UserHint
from photocloak.plugin.people.profiles import SAMPLES, everybody, photos_of_people
from tests.plugin.fakes import face
from tests.plugin.people.test_people import Store, ids


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path, targets=40)


def seen(
    photo: str, *faces: tuple[int, int], noise: float = 0.3, hint: str | None = None
) -> Sighted:
    """Return a photo of (identity, number) each."""
    observed = [ObservedFace(face(*one, noise=noise), certain=True) for one in faces]
    return Sighted(photo, observed, UserHint(hint))


def known(store: Store) -> dict[frozenset[str], str]:
    """Return whose target each set of photos teaches."""
    with store.people._database.transaction() as connection:
        targets = {one.id: one.target for one in everybody(connection).values()}
        photos = photos_of_people(connection)
    return {frozenset(photos[person]): name for person, name in targets.items()}


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_photos_decides_nothing(tmp_path: Path, seed: int) -> None:
    """Photos hard enough that one after the other often makes two profiles of a person."""
    photos = [
        seen(f"{who}-{number}", (who, number), (who + 1, 50 + number), noise=0.95)
        for who in range(0, 8, 2)
        for number in range(6)
    ]
    found = []
    for turn in range(3):
        store = Store(tmp_path / str(turn), targets=40)
        random.Random(seed * 10 + turn).shuffle(photos)
        store.meet(*photos)
        found.append(known(store))
    assert found[0] == found[1] == found[2]


def test_everybody_is_known_by_all_photos_before_the_first_is_cloaked(store: Store) -> None:
    photos = [seen(str(number), (1, number)) for number in range(5)]
    store.meet(*photos)
    assert store.choose.asked == [5], "the target is chosen by all of them"
    for photo in photos:
        (one,) = store.see(photo.photo, photo.faces[0].features)
        for extractor, mean in one.reference.items():
            all_of_them = [other.faces[0].features[extractor] for other in photos]
            assert mean == pytest.approx(np.mean(all_of_them, axis=0), abs=1e-5)


def test_the_reference_of_a_photo_stays_what_it_was(store: Store) -> None:
    """Cloaks that differ could be averaged away."""
    store.meet(seen("a", (1, 1)), seen("b", (1, 2)))
    first = store.see("a", face(1, 1))[0].reference
    store.meet(*(seen(f"later-{number}", (1, 10 + number)) for number in range(SAMPLES)))
    again = store.see("a", face(1, 1))[0].reference
    assert all((first[name] == again[name]).all() for name in first)


def test_a_batch_that_is_learned_again_changes_nothing(store: Store) -> None:
    photos = [seen(f"{who}-{n}", (who, n), (9, 10 * who + n)) for who in (1, 2) for n in range(3)]
    store.meet(*photos)
    before = known(store)
    for part in (photos, photos[2:], photos[:1]):
        assert store.meet(*part) == []
        assert known(store) == before


def test_a_photo_asks_the_store_no_more_often_when_more_people_are_known(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, asked, spent = store.people._database, list[str](), list[int]()
    connect = database._connect

    def traced() -> sqlite3.Connection:
        connection = connect()
        connection.set_trace_callback(asked.append)
        return connection

    monkeypatch.setattr(database, "_connect", traced)
    for who in range(30):
        asked.clear()
        store.meet(seen(str(who), (who, 0)))
        spent.append(len(asked))
    assert spent[1] == spent[29]


def test_faces_of_one_photo_are_never_one_person(store: Store) -> None:
    store.meet(seen("a", (1, 1), (1, 2)), seen("b", (1, 3)))
    assert sorted(map(len, known(store))) == [1, 2]


def blend(*identities: int) -> Embeddings:
    """Return features that are as like each of several people."""
    return {name: np.sum([face(one)[name] for one in identities], axis=0) for name in face(0)}


def test_profiles_that_a_later_photo_shows_to_be_one_are_joined_and_told(store: Store) -> None:
    """Two photos that have half in common, and one that is like both."""
    left, right = blend(5, 1), blend(5, 2)
    assert ids(store.see("left", left)) != ids(store.see("right", right))
    between = {name: left[name] + right[name] for name in left}
    (merged,) = store.meet(Sighted("between", [ObservedFace(between, certain=True)]))
    assert (merged.kept.id, merged.gone.id) == (1, 2)
    assert merged.gone.target != merged.kept.target
    assert known(store) == {frozenset({"left", "right", "between"}): merged.kept.target}
    assert store.see("right", right)[0].target == store.see("left", left)[0].target


def test_two_names_are_never_joined(store: Store) -> None:
    store.meet(seen("a", (1, 1), hint="Ada"))
    store.meet(seen("b", (1, 2), hint="Eve"), seen("c", (1, 3)))
    assert {one.name for one in store.roster.everybody()} == {"Ada", "Eve"}


def test_a_name_is_for_all_photos_of_one_face_and_for_the_like_of_others(store: Store) -> None:
    store.meet(
        seen("group", (3, 0), (1, 0), hint="Ada"),
        seen("one", (1, 1), hint="Ada"),
        seen("hard", (7, 1), hint="Ada"),
    )
    group = store.see("group", face(3, 0), face(1, 0))
    assert [one.person and one.person.name for one in group] == [None, "Ada"]
    (hard,) = store.see("hard", face(7, 1))
    assert hard.person is not None and hard.person.name == "Ada"
    assert ids([hard]) == ids([group[1]])
