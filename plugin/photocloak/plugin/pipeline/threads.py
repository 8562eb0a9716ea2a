"""Two photos at once in this process: threads that share the models.

A photo alone leaves a core idle for a third of its time: while it is decoded, encoded and between
the runs of the recognisers. A second process would do, too, but holds the models once more and is
no faster (docs/lab/speed.md).
"""

import os
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event

from photocloak.engine.cloaker import OnStep
from photocloak.plugin.pipeline.job import Job, Outcome
from photocloak.plugin.pipeline.messages import CloakedFile, CloakRequest
from photocloak.plugin.pipeline.process_photo import Engine
from photocloak.plugin.pipeline.worker import Worker

AT_ONCE = 2
"""Photos under way, where there are as many cores; each needs the memory of a photo."""


class WorkerThreads(ThreadPoolExecutor):
    """An executor for a coordinator; its `recipe` gives one worker to all threads."""

    def __init__(self, engine: Engine) -> None:
        """`engine`: the models."""
        self.workers = min(AT_ONCE, os.cpu_count() or 1)
        super().__init__(self.workers, thread_name_prefix="photo")
        self._given_up = Event()
        self._steps: SimpleQueue[tuple[Job, int, int] | None] = SimpleQueue()
        self._worker = _Heard(engine, self)

    def recipe(self) -> Worker:
        """Return the worker, of which there is one."""
        return self._worker

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End; without `wait`, cloaks that are being computed end at their next step."""
        if not wait:
            self._given_up.set()
        super().shutdown(wait, cancel_futures=cancel_futures)

    def heard(self, job: Job, done: int, total: int) -> None:
        """Take note of a step, in the thread that has done it."""
        if self._given_up.is_set():
            raise CancelledError
        self._steps.put((job, done, total))

    def steps(self, job: Job, future: "Future[Outcome]") -> Iterator[tuple[int, int]]:
        """Yield (steps done, steps in all) of one photo until it is done; others' are passed over.

        So it is one thread, the caller's, that shows the progress.
        """
        future.add_done_callback(lambda _: self._steps.put(None))
        while (step := self._steps.get()) is not None:
            whose, done, total = step
            if whose is job:
                yield done, total


class _Heard(Worker):
    """A worker whose steps an `WorkerThreads` hears of."""

    def __init__(self, engine: Engine, executor: WorkerThreads) -> None:
        super().__init__(engine)
        self._executor = executor

    def cloak(self, order: CloakRequest, on_step: OnStep | None = None) -> CloakedFile:
        def stepped(done: int, total: int) -> None:
            self._executor.heard(order.task.job, done, total)
            if on_step is not None:
                on_step(done, total)

        return super().cloak(order, stepped)
