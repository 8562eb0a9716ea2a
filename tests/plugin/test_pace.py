"""How far a run is, and how long it will take: never back, and from measured seconds a face."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photocloak.plugin.pace import Pace
from photocloak.plugin.pipeline.job import Job, Outcome, Status
from photocloak.plugin.pipeline.messages import Event
from photocloak.plugin.progress import duration, where

SOURCES = [Path(f"{number}.jpg") for number in range(4)]


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def job(source: Path) -> Job:
    return Job(source, Path("out"), "balanced", "keep")


def over(source: Path) -> Outcome:
    return Outcome(source, None, Status.CLOAKED)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-2, 200), st.integers(1, 200))))
def test_the_bar_never_goes_back(happened: list[tuple[int, int, int]]) -> None:
    """Whatever comes in whatever order: a second try starts its steps anew, others overtake."""
    pace, last = Pace(SOURCES), 0.0
    for number, done, total in happened:
        source = SOURCES[number]
        if done == -2:
            pace.end(over(source))
        elif done == -1:
            pace.event(Event("looked", job(source), 2))
        elif done == 0:
            pace.event(Event("begun", job(source), 2))
        else:
            pace.event(Event("step", job(source), min(done, total), total))
        assert last <= pace.position <= 1.0
        last = pace.position
    for source in SOURCES:
        pace.end(over(source))
    assert pace.position == pytest.approx(1.0)


def test_the_time_left_is_that_of_the_faces_left() -> None:
    """A face takes ten seconds; whether photos show one or six is known before the first."""
    clock = Clock()
    pace = Pace(SOURCES, clock)
    for source, faces in zip(SOURCES, (1, 0, 6, 2), strict=True):
        pace.event(Event("looked", job(source), faces))
    assert pace.left() is None, "nothing was measured"
    assert where(pace, 4, "3.jpg") == "Looking at photo 4 of 4, 3.jpg"
    pace.event(Event("begun", job(SOURCES[0]), 1))
    clock.now += 10
    pace.event(Event("step", job(SOURCES[0]), 120, 120))
    pace.end(over(SOURCES[0]))
    pace.end(over(SOURCES[1]))
    assert pace.left() == pytest.approx(80)
    pace.event(Event("begun", job(SOURCES[2]), 6))
    clock.now += 30
    pace.event(Event("step", job(SOURCES[2]), 60, 120))
    assert pace.left() == pytest.approx(50)
    assert where(pace, 4, "2.jpg") == "Photo 3 of 4, 2.jpg, 50 s left"


def test_a_time_is_told_no_finer_than_it_is_known() -> None:
    assert [duration(one) for one in (4.4, 89, 90, 3000, 6000)] == [
        "4 s", "89 s", "2 min", "50 min", "1 h 40 min",
    ]  # fmt: skip


def test_what_is_made_once_more_after_a_rest_takes_as_long_as_it_takes() -> None:
    """Somebody looks at the album for an hour, and then corrects a face."""
    clock = Clock()
    pace = Pace(SOURCES, clock)
    for source in SOURCES:
        pace.event(Event("begun", job(source), 2))
        clock.now += 20
        pace.end(over(source))
    assert pace.left() == 0
    clock.now += 3600
    for source in SOURCES[:2]:
        pace.again(source)
    assert pace.left() is None
    pace.event(Event("begun", job(SOURCES[0]), 2))
    clock.now += 20
    pace.end(over(SOURCES[0]))
    assert pace.left() == pytest.approx(20)
