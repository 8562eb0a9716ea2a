"""Times whose ratios mean something: what is compared takes turns, and medians are taken."""

import time
from collections.abc import Callable, Hashable, Mapping
from statistics import median
from typing import TypeVar

Name = TypeVar("Name", bound=Hashable)


def in_turns(
    calls: Mapping[Name, Callable[[], object]],
    repeats: int,
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[Name, float]:
    """Return the median seconds of each call, after one run of each that does not count.

    The calls take turns, so that whatever else the machine does meets all of them alike; it counts
    for little where they keep to one thread and `clock` is the processor's.
    """
    for call in calls.values():
        call()
    times: dict[Name, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            started = clock()
            call()
            times[name].append(clock() - started)
    return {name: median(seconds) for name, seconds in times.items()}
