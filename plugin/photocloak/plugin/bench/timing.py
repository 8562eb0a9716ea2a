"""Times whose ratios mean something: what is compared takes turns, and medians are taken."""

import time
from collections.abc import Callable, Hashable, Mapping
from statistics import median
from typing import TypeVar

Name = TypeVar("Name", bound=Hashable)


def in_turns(calls: Mapping[Name, Callable[[], object]], repeats: int) -> dict[Name, float]:
    """Return the median seconds of each call, after one run of each that does not count.

    The calls take turns, so that whatever else the machine does meets all of them alike.
    """
    for call in calls.values():
        call()
    times: dict[Name, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - started)
    return {name: median(seconds) for name, seconds in times.items()}
