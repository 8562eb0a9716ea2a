"""Many photos at once, over any executor: look (worker), assign (here), cloak (worker), publish.

People get their targets in the order in which the jobs were submitted, however many workers there
are and whichever is first to finish: a photo that was looked at waits until all before it were.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from queue import SimpleQueue

from photocloak.plugin.pipeline import worker
from photocloak.plugin.pipeline.decisions import Decisions
from photocloak.plugin.pipeline.job import Job, Outcome
from photocloak.plugin.pipeline.messages import (
    CloakedFile,
    CloakPlan,
    Detections,
    PhotoTask,
    settled,
)
from photocloak.plugin.pipeline.resubmit import Resubmitter


@dataclass(eq=False)
class _Photo:
    """A job on its way."""

    job: Job
    future: Future[Outcome] = field(default_factory=Future)
    started: float = 0.0
    plan: Callable[[], CloakPlan | Outcome] | None = None  # once it was looked at


class Coordinator:
    """Runs jobs over an executor; one thread owns all state and the user's stores.

    No more photos are under way than there are workers. So it is the worker that looked at a photo
    that is free to cloak it, as a rule, and need not look again.
    """

    def __init__(
        self, decisions: Decisions, executor: Executor, recipe: worker.Recipe, *, workers: int
    ) -> None:
        """`recipe` makes a worker in the executor's processes, `workers` of them."""
        self._decisions, self._executor, self._recipe = decisions, executor, recipe
        self._limit = workers
        self._calls: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._resubmitter = Resubmitter(self._calls.put)
        self._waiting: deque[_Photo] = deque()
        self._unassigned: deque[_Photo] = deque()
        self._under_way: set[_Photo] = set()
        self._closing = self._abandoned = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="coordinator", daemon=True)

    def check(self, job: Job) -> None:
        """Raise ConfigError when no photo could be done like this, before a batch is begun."""
        self._decisions.check(job)

    def submit(self, job: Job) -> "Future[Outcome]":
        """Do one photo. The future raises nothing but CancelledError: a failure is an outcome."""
        photo = _Photo(job)
        with self._lock:
            if self._closing:
                raise RuntimeError("the coordinator is closed")
            if self._thread.ident is None:
                self._thread.start()
            self._calls.put(partial(self._waiting.append, photo))
        return photo.future

    def close(self, *, wait: bool) -> None:
        """End, and shut the executor down.

        Args:
            wait: finish what was submitted; else give it up: nothing of it is published any more,
                and its futures raise CancelledError.

        """
        with self._lock:
            self._closing = True
            self._abandoned = self._abandoned or not wait
            self._calls.put(lambda: None)
        if self._thread.ident is not None:
            self._thread.join()
        self._executor.shutdown(wait=wait)

    def _work(self) -> None:
        while not (self._closing and self._calls.empty() and not self._under_way):
            self._calls.get()()
            if self._abandoned:
                break
            self._fill()
        for photo in [*self._waiting, *self._under_way]:
            if not photo.future.cancel():
                photo.future.set_exception(CancelledError())

    def _fill(self) -> None:
        """Begin as many photos as there is room for.

        Of two that would get one name, the first one gets it, so the second waits for its end.
        """
        while self._waiting and len(self._under_way) < self._limit:
            if _name(self._waiting[0]) in map(_name, self._under_way):
                break
            photo = self._waiting.popleft()
            if photo.future.set_running_or_notify_cancel():
                self._begin(photo)

    def _begin(self, photo: _Photo) -> None:
        photo.started = time.monotonic()
        task = settled(photo.job, lambda: self._decisions.accept(photo.job))
        self._under_way.add(photo)
        if isinstance(task, Outcome):
            self._end(photo, task)
            return
        self._unassigned.append(photo)
        ask = partial(self._executor.submit, worker.detect, self._recipe, task)
        self._resubmitter(photo.job, ask, partial(self._detected, photo, task))

    def _detected(self, photo: _Photo, task: PhotoTask, detections: Detections | Outcome) -> None:
        """Assign this photo and those that waited for it, in the order of submission."""
        if isinstance(detections, Outcome):
            photo.plan = lambda: detections
        else:
            photo.plan = lambda: settled(
                photo.job, lambda: self._decisions.assign(task, detections)
            )
        while self._unassigned and (plan := self._unassigned[0].plan) is not None:
            self._order(self._unassigned.popleft(), plan())

    def _order(self, photo: _Photo, plan: CloakPlan | Outcome) -> None:
        if isinstance(plan, Outcome):
            self._end(photo, plan)
            return
        ask = partial(self._executor.submit, worker.cloak, self._recipe, plan.order)
        self._resubmitter(photo.job, ask, partial(self._cloaked, photo, plan))

    def _cloaked(self, photo: _Photo, plan: CloakPlan, cloaked: CloakedFile | Outcome) -> None:
        if not isinstance(cloaked, Outcome):
            done = cloaked
            cloaked = settled(photo.job, lambda: self._decisions.publish(plan, done))
        self._end(photo, cloaked)

    def _end(self, photo: _Photo, outcome: Outcome) -> None:
        self._under_way.discard(photo)
        photo.future.set_result(replace(outcome, seconds=time.monotonic() - photo.started))


def _name(photo: _Photo) -> tuple[Path, str]:
    """Return where the result goes, but for a suffix that is not known yet."""
    return photo.job.folder, photo.job.source.stem
