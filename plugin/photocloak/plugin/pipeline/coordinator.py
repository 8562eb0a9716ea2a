"""Photos on their way, over any executor: accept, look; learn; assign, cloak, publish.

Photos come in batches. All of a batch are looked at before the first of it is cloaked, so who is
who is decided over all of them, whatever their order and whichever worker is first to finish. What
is kept of a photo in between are its faces' features, not its pixels.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from photocloak.core import PhotocloakError
from photocloak.plugin.executors.base import Executor, Phase
from photocloak.plugin.pipeline import worker
from photocloak.plugin.pipeline.batch import (
    Batch,
    PhotoInHand,
    content_of,
    key_of,
    name_of,
    nobody,
)
from photocloak.plugin.pipeline.decisions import Decisions
from photocloak.plugin.pipeline.job import Job, Outcome
from photocloak.plugin.pipeline.messages import (
    CloakedFile,
    CloakPlan,
    Detections,
    Event,
    Tell,
    settled,
)
from photocloak.plugin.pipeline.resubmit import Resubmitter

KEPT = 20_000
"""Photos that were met and not submitted yet, of which is kept what was seen: some 10 KB each."""


class Coordinator:
    """Runs jobs over an executor; one thread, while there are any, owns all state and the stores.

    No more photos are under way than the executor has workers.
    """

    def __init__(self, decisions: Decisions, executor: Executor) -> None:
        self._decisions, self._executor = decisions, executor
        self._calls: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._resubmitter = Resubmitter(self._calls.put)
        self._batches: deque[Batch] = deque()
        self._waiting: deque[PhotoInHand] = deque()
        self._under_way: set[PhotoInHand] = set()
        self._known: dict[tuple[Path, str | None], Detections | Outcome] = {}
        self._closing = self._abandoned = False
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def check(self, job: Job) -> None:
        """Raise ConfigError when no photo could be done like this, before a batch is begun."""
        self._decisions.check(job)

    def submit(self, job: Job, tell: Tell = nobody) -> "Future[Outcome]":
        """Do one photo; see `batch`."""
        return self.batch([job], tell)[0]

    def batch(self, jobs: Sequence[Job], tell: Tell = nobody) -> "list[Future[Outcome]]":
        """Do photos, and tell what happens on their way.

        A photo that fails has an outcome, too. Its future raises CancelledError where the
        coordinator was closed before, and PhotocloakError where the executor cannot do any photo.
        """
        photos = [PhotoInHand(job, tell) for job in jobs]
        self._add(Batch(deque(photos), self._decisions.accept, self._waiting.extend, tell))
        return [photo.future for photo in photos]

    def meet(self, jobs: Sequence[Job], tell: Tell = nobody) -> "Future[None]":
        """Look at photos that will be submitted later, one by one, and learn who is in them.

        Nothing is written, and nothing that goes wrong told before they are submitted.
        """
        met: Future[None] = Future()

        def done(photos: list[PhotoInHand]) -> None:
            self._known |= {
                key_of(one): one.detections for one in photos if one.detections is not None
            }
            for key in list(self._known)[: max(len(self._known) - KEPT, 0)]:
                del self._known[key]  # it is looked at once more, if it is ever submitted
            met.set_result(None)

        photos = deque(PhotoInHand(job, tell) for job in jobs)
        self._add(Batch(photos, self._decisions.foresee, done, tell))
        return met

    def close(self, *, wait: bool) -> None:
        """End, and close the executor.

        Args:
            wait: finish what was submitted; else give it up: nothing of it is published any more,
                and its futures raise CancelledError.

        """
        with self._lock:
            self._closing = True
            self._abandoned = self._abandoned or not wait
            self._calls.put(_nothing)
            thread = self._thread
        if thread is not None:
            thread.join()
        self._executor.close(wait=wait)

    def _add(self, batch: Batch) -> None:
        with self._lock:
            if self._closing:
                raise RuntimeError("the coordinator is closed")
            self._calls.put(partial(self._batches.append, batch))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="coordinator", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        error: BaseException = CancelledError()
        try:
            while not self._over():
                self._calls.get()()
                if self._abandoned:
                    break
                self._fill()
        except BaseException as mistake:  # of ours: else whoever waits would wait for ever
            error, self._closing = mistake, True
        photos = [*self._waiting, *self._under_way]
        photos += [one for batch in self._batches for one in (*batch.new, *batch.accepted)]
        for photo in photos:
            if not photo.future.done() and not photo.future.cancel():
                photo.future.set_exception(error)

    def _over(self) -> bool:
        """Tell whether nothing is left to do; the thread ends then, until there is."""
        with self._lock:
            busy = self._batches or self._waiting or self._under_way or not self._calls.empty()
            if not busy:
                self._thread = None
            return not busy

    def _fill(self) -> None:
        """Begin as many photos as there is room for; those of a batch are all looked at first."""
        if self._batches:
            self._look(self._batches[0])
            return
        while self._waiting and len(self._under_way) < self._executor.workers:
            if self._must_wait(self._waiting[0]):
                break
            self._begin(self._waiting.popleft())

    def _must_wait(self, photo: PhotoInHand) -> bool:
        """Tell whether what is under way decides what comes of a photo.

        Of two that would get one name, the first one gets it; a copy gets what the first becomes.
        """
        others = [one for one in self._under_way if one is not photo]
        copied = photo.detections is None and content_of(photo) in map(content_of, others)
        return copied or name_of(photo) in map(name_of, others)

    def _look(self, batch: Batch) -> None:
        """Take a batch a step further: accept all, look at all, learn from all."""
        if batch.new:  # one at a time, so that an end is heard of in between
            self._accept(batch, batch.new.popleft())
            self._calls.put(_nothing)
            return
        if batch.to_look and not batch.looking and not self._ready(batch):
            return
        while batch.to_look and len(self._under_way) < self._executor.workers:
            photo = batch.to_look.popleft()
            batch.looking.add(photo)
            self._take_up(photo)
            ask = partial(self._ask, worker.detect, photo.task, photo)
            self._resubmitter(photo.job, ask, partial(self._detected, batch, photo))
        if not batch.to_look and not batch.looking:
            self._learn(batch)
            self._batches.popleft()
            batch.done([one for one in batch.accepted if not one.future.done()])
            self._calls.put(_nothing)

    def _accept(self, batch: Batch, photo: PhotoInHand) -> None:
        if not photo.future.running() and not photo.future.set_running_or_notify_cancel():
            return
        self._take_up(photo)
        task = settled(photo.job, lambda: batch.accept(photo.job))
        if isinstance(task, Outcome):
            self._end(photo, task)
            return
        self._put_down(photo)
        if task is None:
            return
        photo.task = task
        photo.detections = self._known.pop(key_of(photo), None)
        content = content_of(photo)
        copied = content in batch.contents
        batch.contents.add(content)
        batch.accepted.append(photo)
        if photo.detections is None and not copied:
            batch.to_look.append(photo)

    def _ready(self, batch: Batch) -> bool:
        """Get the executor ready; what would meet every photo ends the batch."""
        try:
            self._executor.start()
        except PhotocloakError as error:
            self._batches.popleft()
            for photo in batch.accepted:
                photo.future.set_exception(error)
            batch.done([])
            return False
        return True

    def _detected(
        self, batch: Batch, photo: PhotoInHand, detections: Detections | Outcome | BaseException
    ) -> None:
        batch.looking.discard(photo)
        self._put_down(photo)
        if isinstance(detections, BaseException):
            photo.future.set_exception(detections)
            return
        photo.detections = detections
        seen = 0 if isinstance(detections, Outcome) else detections.count
        photo.tell(Event("looked", photo.job, seen))

    def _learn(self, batch: Batch) -> None:
        """Learn who is in the photos; what goes wrong shows when they are assigned."""
        seen = [
            (one.task, one.detections)
            for one in batch.accepted
            if one.task is not None and isinstance(one.detections, Detections)
        ]
        if not seen:
            return
        remarks = settled(seen[0][0].job, lambda: self._decisions.learn(seen))
        for text in [] if isinstance(remarks, Outcome) else remarks:
            batch.tell(Event("remark", text=text))

    def _begin(self, photo: PhotoInHand) -> None:
        """Go on with a photo of which it is known who is in it."""
        detections, task = photo.detections, photo.task
        if detections is None or task is None:  # a copy of one that is done by now
            self._batches.append(
                Batch(deque([photo]), self._decisions.accept, self._waiting.extendleft, photo.tell)
            )
            self._calls.put(_nothing)
            return
        self._take_up(photo)
        if isinstance(detections, Outcome):
            self._end(photo, detections)
            return
        plan = settled(photo.job, lambda: self._decisions.assign(task, detections))
        if isinstance(plan, Outcome):
            self._end(photo, plan)
            return
        photo.tell(Event("begun", photo.job, plan.order.touched))
        ask = partial(self._ask, worker.cloak, plan.order, photo)
        self._resubmitter(photo.job, ask, partial(self._cloaked, photo, plan))

    def _ask(self, phase: Phase, argument: Any, photo: PhotoInHand) -> "Future[Any]":
        def stepped(done: int, total: int) -> None:
            photo.tell(Event("step", photo.job, done, total))

        return self._executor.submit(phase, argument, stepped)

    def _cloaked(
        self, photo: PhotoInHand, plan: CloakPlan, cloaked: CloakedFile | Outcome | BaseException
    ) -> None:
        if isinstance(cloaked, BaseException):
            self._put_down(photo)
            photo.future.set_exception(cloaked)
            return
        if not isinstance(cloaked, Outcome):
            done = cloaked
            cloaked = settled(photo.job, lambda: self._decisions.publish(plan, done))
        self._end(photo, cloaked)

    def _take_up(self, photo: PhotoInHand) -> None:
        photo.since = time.monotonic()
        self._under_way.add(photo)

    def _put_down(self, photo: PhotoInHand) -> None:
        self._under_way.discard(photo)
        photo.spent += time.monotonic() - photo.since

    def _end(self, photo: PhotoInHand, outcome: Outcome) -> None:
        self._put_down(photo)
        photo.future.set_result(replace(outcome, seconds=photo.spent))


def _nothing() -> None:
    """Has the coordinator look at what there is to do."""
