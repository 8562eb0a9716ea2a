"""Photos in this process: threads that share the models.

A photo alone leaves a core idle for a third of its time: while it is decoded, encoded and between
the runs of the recognisers. So two are done at once. They share one interpreter: processes that
have a core each are faster, but are started first, and each holds memory of its own
(`executors/bound.py`, docs/lab/speed.md).
"""

from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from functools import cached_property
from threading import Event
from typing import Any

from photocloak.core.cores import cores
from photocloak.engine.cloaker import OnStep
from photocloak.plugin.executors.base import Phase, Recipe

AT_ONCE = 2
"""Photos under way, where there are as many cores; each needs the memory of a photo."""


def at_once() -> int:
    """Return how many photos at once are sooner done than one by one."""
    return min(AT_ONCE, len(cores()))


class WorkerThreads:
    """An executor of threads with one worker."""

    def __init__(self, recipe: Recipe, workers: int) -> None:
        """`recipe` makes the worker; `workers` photos are done at once."""
        self.workers = workers
        self._recipe = recipe
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="photo")
        self._given_up = Event()

    @cached_property
    def _worker(self) -> Any:
        return self._recipe()

    def start(self) -> None:
        """Load the models."""
        _ = self._worker

    def submit(self, phase: Phase, argument: Any, on_step: OnStep) -> "Future[Any]":
        """Run a phase in a thread."""

        def stepped(done: int, total: int) -> None:
            if self._given_up.is_set():
                raise CancelledError
            on_step(done, total)

        return self._threads.submit(phase, lambda: self._worker, argument, stepped)

    def close(self, *, wait: bool) -> None:
        """End; without `wait`, cloaks that are being computed end at their next step."""
        if not wait:
            self._given_up.set()
        self._threads.shutdown(wait, cancel_futures=not wait)
