"""Who sees what: nobody twice, everything as often, half of it controls."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as some

from benchmarks.visibility.design import CONTROL, draw_sets

PEOPLE = some.lists(some.sampled_from("abcdefghij"), min_size=1, max_size=40)
VERSIONS = some.integers(1, 4).map(lambda count: [f"version {n}" for n in range(count)])


@given(PEOPLE, VERSIONS, some.integers(0, 99))
def test_a_judge_sees_nobody_twice(people: list[str], versions: list[str], seed: int) -> None:
    for shown in draw_sets(people, versions, np.random.default_rng(seed)):
        seen = Counter(people[photo] for photo in shown)
        assert max(seen.values()) == 1


@given(PEOPLE, VERSIONS, some.integers(0, 99))
def test_every_photo_is_shown_once_in_each_version_and_as_often_as_control(
    people: list[str], versions: list[str], seed: int
) -> None:
    sets = draw_sets(people, versions, np.random.default_rng(seed))
    shown = Counter((photo, version) for one in sets for photo, version in one.items())
    for photo in range(len(people)):
        assert [shown[photo, name] for name in versions] == [1] * len(versions)
        assert shown[photo, CONTROL] == len(versions)


@given(PEOPLE, VERSIONS, some.integers(0, 99))
def test_half_of_each_set_are_controls(people: list[str], versions: list[str], seed: int) -> None:
    for shown in draw_sets(people, versions, np.random.default_rng(seed)):
        counts = Counter(shown.values())
        assert abs(2 * counts[CONTROL] - len(shown)) <= 1
        altered = [counts[name] for name in versions]
        assert max(altered) - min(altered) <= 1


def test_sets_are_of_one_size_and_the_first_show_everybody() -> None:
    people = [person for person in "abcdefg" for _ in range(3)] + [*"hijklmnopqrstuvwxyz"]
    sets = draw_sets(people, ["one"], np.random.default_rng(0))
    assert sorted(map(len, sets)) == [13, 13, 13, 13, 14, 14]
    assert {photo for shown in sets[:3] for photo in shown} == set(range(len(people)))
