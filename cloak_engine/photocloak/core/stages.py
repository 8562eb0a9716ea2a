"""Where a photo's time goes: seconds by stage while somebody measures, nothing otherwise."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Clock = Callable[[], float]


class _Open(threading.local):
    """What the stages within each open stage of a thread took so far, the outermost first."""

    def __init__(self) -> None:
        self.within: list[float] = []


class _Recorder:
    """Adds up what stages take."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.seconds: dict[str, float] = {}
        self._lock = threading.Lock()

    def add(self, name: str, seconds: float) -> None:
        """Take note."""
        with self._lock:
            self.seconds[name] = self.seconds.get(name, 0.0) + seconds


_open = _Open()
_recorder: _Recorder | None = None


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Count what is done within to a stage, but for what is done in stages within it."""
    recorder = _recorder
    if recorder is None:
        yield
        return
    began = recorder.clock()
    _open.within.append(0.0)
    try:
        yield
    finally:
        took = recorder.clock() - began
        recorder.add(name, took - _open.within.pop())
        if _open.within:
            _open.within[-1] += took


@contextmanager
def recorded(clock: Clock = time.perf_counter) -> Iterator[dict[str, float]]:
    """Give a dictionary that the seconds of every stage of this process are added up in.

    Args:
        clock: seconds; with `time.process_time` those of a processor, of all threads together,
            which means something where one photo is done at a time.

    """
    global _recorder  # noqa: PLW0603 (who measures is one, and the stages are everywhere)
    _recorder = recorder = _Recorder(clock)
    try:
        yield recorder.seconds
    finally:
        _recorder = None
