"""Who is measured: draws are fixed, fair and disjoint; nothing sealed is touched quietly."""

from itertools import pairwise
from pathlib import Path

import pytest

from photocloak.core import ConfigError
from photocloak.plugin.evaluation.protocol import THIRDS, Picture, Subject, divide, folders_of
from photocloak.plugin.evaluation.scoring import leaked
from photocloak.plugin.main import run


def person(name: str, photos: int = 18) -> Subject:
    pictures = (Picture(Path(f"{name}_{i:02}.jpg"), f"{name}{i}") for i in range(photos))
    return Subject(name, tuple(pictures))


PEOPLE = [person(f"p{i:02}") for i in range(21)]


def test_the_thirds_are_everybody_once(tmp_path: Path) -> None:
    for number in range(11):
        (tmp_path / f"p{number:02}").mkdir()
    thirds = [folders_of(tmp_path, [third]) for third in THIRDS]
    assert sorted(path for third in thirds for path in third) == sorted(tmp_path.iterdir())
    assert [len(third) for third in thirds] == [4, 4, 3]
    assert folders_of(tmp_path, ["development"])[1].name == "p03"


def test_photos_to_train_and_to_test_are_different_ones() -> None:
    identities = divide(PEOPLE, protected=None)
    assert sum(who.protected for who in identities) == 10
    for who in identities:
        assert (len(who.train), len(who.test)) == (10, 5)
        assert not set(who.train) & set(who.test)
    assert divide(PEOPLE[::-1], protected=None)[::-1] == identities, "the order is no matter"


def test_who_is_protected_does_not_change_with_others() -> None:
    more = {who.name for who in divide(PEOPLE, protected=6) if who.protected}
    fewer = {who.name for who in divide(PEOPLE, protected=5) if who.protected}
    assert fewer < more


def test_who_has_too_few_photos_is_left_out() -> None:
    identities = divide([*PEOPLE, person("few", 11), person("enough", 12)], protected=3)
    names = {who.name: len(who.test) for who in identities}
    assert "few" not in names
    assert names["enough"] == 2


@pytest.mark.parametrize("count", [0, 21, 30])
def test_some_must_be_protected_and_some_not(count: int) -> None:
    with pytest.raises(ConfigError, match="21 people"):
        divide(PEOPLE, protected=count)


def test_more_leaks_contain_the_fewer() -> None:
    (who, *_) = divide(PEOPLE, protected=3)
    leaks = [leaked(who, count) for count in range(11)]
    assert [len(one) for one in leaks] == list(range(11))
    assert all(a < b for a, b in pairwise(leaks))


@pytest.mark.parametrize("option", [["--third", "sealed"], ["--trackers", "."]])
def test_what_is_for_releases_is_refused_without_a_log(
    tmp_path: Path, option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(["evaluate", "--data", str(tmp_path), "--out", str(out), *option]) == 3
    assert "--release" in capsys.readouterr().err
    assert not out.exists()


def test_a_release_is_logged_before_anything_is_measured(tmp_path: Path) -> None:
    log = tmp_path / "log.md"
    log.write_text("# Runs\n")
    arguments = ["--data", str(tmp_path), "--third", "sealed", "--release", str(log)]
    assert run(["evaluate", *arguments, "--mode", "none-such"]) == 3
    (line,) = log.read_text().splitlines()[1:]
    assert "sealed" in line
    assert "commit " in line
