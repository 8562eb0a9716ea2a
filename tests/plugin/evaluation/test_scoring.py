"""The rows: a cloak that teaches somebody else protects; a leaked or missing one does not."""

from pathlib import Path
from typing import cast

import numpy as np
import pytest

from photocloak.plugin.evaluation.cloaks import CloakedPicture
from photocloak.plugin.evaluation.observer import ObservedPhoto, Observer, Shot
from photocloak.plugin.evaluation.protocol import Identity, Picture
from photocloak.plugin.evaluation.scoring import Row, Scorer, shots_of
from photocloak.plugin.evaluation.trackers import Tracker
from tests.plugin.fakes import face_at

PEOPLE, PROTECTED = 8, 3
TRACKER = Tracker(
    "fake", False, 0.5, "", lambda *_: np.zeros((1, 1, 3), np.float32), lambda chips: chips
)


class FakeObserver:
    """Sees a person's direction in clean photos, `moved` of the way to another one in cloaked."""

    def __init__(self, moved: float) -> None:
        self.moved = moved

    def features(self, shot: Shot, tracker: Tracker) -> np.ndarray:
        name, number = shot.file.sha256.split("/")[:2]
        own = np.random.default_rng(int(name)).standard_normal(64)
        other = np.random.default_rng(int(name) + 1000).standard_normal(64)
        noise = np.random.default_rng([int(name), int(number)]).standard_normal(64)
        moved = self.moved if shot.file.sha256.endswith("cloaked") else 0.0
        return np.asarray((1 - moved) * own + moved * other + 0.3 * noise, np.float32)

    def seen(self, shot: Shot) -> ObservedPhoto:
        detected = not (shot.treatment == "blur σ 1" and shot.file.sha256.startswith("0/0/"))
        return ObservedPhoto(face_at(0, 0, 50), detected, (60, 60))


def picture(name: int, number: int, kind: str = "clean") -> Picture:
    return Picture(Path(f"{name}-{number}-{kind}.jpg"), f"{name}/{number}/{kind}")


def identity(name: int) -> Identity:
    photos = [picture(name, number) for number in range(15)]
    return Identity(str(name), name < PROTECTED, tuple(photos[:10]), tuple(photos[10:]))


IDENTITIES = [identity(name) for name in range(PEOPLE)]


def cloaks(held: int = 0, *, all_of: int | None = None) -> dict[str, list[CloakedPicture]]:
    """Return everybody's cloaked photos; the first `held` of each, or all of one, held back."""
    return {
        str(name): [
            CloakedPicture(
                picture(name, number),
                None if number < held or name == all_of else picture(name, number, "cloaked"),
                "cloaked",
                1,
                1.0,
            )
            for number in range(10)
        ]
        for name in range(PROTECTED)
    }


def rows(moved: float, made: dict[str, list[CloakedPicture]]) -> dict[tuple[str, str], Row]:
    observer = cast(Observer, FakeObserver(moved))
    scorer = Scorer(IDENTITIES, observer, {"fake": 0.5})
    found = scorer.rows(TRACKER, "balanced", made)
    return {(row.variant, row.held): row for row in found}


def test_without_cloaks_everybody_is_recognised() -> None:
    scorer = Scorer(IDENTITIES, cast(Observer, FakeObserver(0)), {"fake": 0.5})
    row = scorer.clean(TRACKER)
    for score in (row.linear, row.nearest, row.verified):
        assert (score.protection, score.failed, score.tested, score.others) == (0, 0, 15, 1)


def test_a_cloak_that_does_nothing_protects_nobody() -> None:
    found = rows(0.0, cloaks())
    assert all(row.linear.protection == row.nearest.protection == 0 for row in found.values())


def test_a_cloak_that_teaches_another_protects_until_photos_leak() -> None:
    found = rows(1.0, cloaks())
    row = found["cloaked", "left out"]
    assert row.linear.protection == row.verified.protection == 1
    assert row.nearest.protection >= 0.8, "nothing of theirs is near: it is somebody's by chance"
    assert row.nearest.others == row.linear.others == 1
    assert (row.photos, row.undetected) == (30, 0)
    leaks = [found[f"{n} of 10 clean", "left out"] for n in (1, 3, 5, 9)]
    assert all(row.nearest.protection == 0 for row in leaks)
    verified = [row.verified.protection for row in leaks]
    assert verified == pytest.approx([0.9, 0.7, 0.5, 0.1])
    swapped = found["sides swapped", "left out"]
    assert swapped.linear.tested == 30, "the cloaked photos are to be named"
    assert swapped.verified.protection == 1
    assert found["blur σ 1", "left out"].undetected == 1
    assert not any(held == "clean" for _, held in found), "nothing was held back"


def test_photos_held_back_are_scored_twice() -> None:
    found = rows(1.0, cloaks(held=4))
    left_out, clean = found["cloaked", "left out"], found["cloaked", "clean"]
    assert (left_out.photos, clean.photos) == (18, 30)
    assert left_out.verified.protection == 1
    assert clean.verified.protection == pytest.approx(0.6)
    assert clean.nearest.protection == 0


def test_somebody_of_whom_nothing_is_published_does_not_count_as_protected() -> None:
    """A cloak must not win by emptying the class."""
    found = rows(0.0, cloaks(all_of=1))
    score = found["cloaked", "left out"].linear
    assert score.by_identity == (0, None, 0)
    assert (score.protection, score.tested) == (0, 10)
    assert found["cloaked", "clean"].linear.by_identity == (0, 0, 0)


def test_everything_that_is_scored_is_looked_at_first() -> None:
    detections = set(shots_of([one for photos in cloaks(held=4).values() for one in photos]))
    asked = set()

    class Noting(FakeObserver):
        def features(self, shot: Shot, tracker: Tracker) -> np.ndarray:
            asked.add(shot)
            return super().features(shot, tracker)

    Scorer(IDENTITIES, cast(Observer, Noting(1)), {"fake": 0.5}).rows(TRACKER, "m", cloaks(held=4))
    clean = {Shot(one) for who in IDENTITIES for one in (*who.train, *who.test)}
    assert asked <= detections | clean
