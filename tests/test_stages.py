"""Seconds by stage: each counted once, and nothing while nobody measures."""

import threading

import pytest

from photocloak.core.stages import recorded, stage


class Clock:
    """Goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_is_within_counts_once() -> None:
    clock = Clock()
    with recorded(clock) as seconds:
        for _ in range(2):
            with stage("cloak"):
                clock.now += 2
                with stage("render"):
                    clock.now += 3
                clock.now += 4
    assert seconds == {"cloak": 12, "render": 6}


def test_what_fails_counts_and_threads_are_apart() -> None:
    clock = Clock()

    def elsewhere() -> None:
        with stage("embed"):
            clock.now += 1

    with recorded(clock) as seconds:
        with pytest.raises(ValueError), stage("read"):
            clock.now += 5
            raise ValueError
        with stage("detect"):
            thread = threading.Thread(target=elsewhere)
            thread.start()
            thread.join()
    assert seconds == {"read": 5, "embed": 1, "detect": 1}


def test_nothing_is_counted_before_and_after() -> None:
    with stage("before"), recorded() as seconds:
        pass
    with stage("after"):
        pass
    assert seconds == {}
