"""The one funnel: from photos to verified, cloaked files, or to the reasons why there are none.

Whatever starts a job goes through here: a run, the watched folders, a single photo, which is a
batch of one. It fails closed: where a face could not be cloaked well enough or the file not
verified, no byte appears at the destination. The claim is checked on the bytes that will be
written, decoded again.
"""

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from queue import SimpleQueue

from photocloak.engine.cloaker import OnStep
from photocloak.plugin.pipeline.coordinator import Coordinator
from photocloak.plugin.pipeline.job import Job, Outcome
from photocloak.plugin.pipeline.messages import Event, Tell

PIECE = 1000
"""Photos that are looked at before the first of them is cloaked.

Their faces' features are kept until then, some 10 KB a face, and every face is compared with every
other.
"""


class Pipeline(Coordinator):
    """A coordinator whose caller waits for what comes of the photos."""

    def run(self, job: Job, *, on_step: OnStep | None = None) -> Outcome:
        """Do one photo. Never raises but for an interrupt: a failure is an outcome, too.

        Args:
            job: what to do.
            on_step: called with (optimiser steps done, steps in all) as the cloak is computed.

        """

        def tell(event: Event) -> None:
            if on_step is not None and event.what == "step":
                on_step(event.done, event.total)

        (outcome,) = self.run_all([job], tell)
        return outcome

    def run_all(self, jobs: Sequence[Job], tell: Tell) -> Iterator[Outcome]:
        """Do photos, and give the outcome of each as soon as it is done.

        After Ctrl-C nothing more is written; what was is given before KeyboardInterrupt is raised.

        Args:
            jobs: the photos.
            tell: hears of what happens on their way, in the caller's thread.

        """
        news: SimpleQueue[Event | Future[Outcome] | None] = SimpleQueue()
        with _interrupts(lambda: news.put(None)):
            for first in range(0, len(jobs), PIECE):
                left = set(self.batch(jobs[first : first + PIECE], news.put))
                for future in left:
                    future.add_done_callback(news.put)
                while left:
                    new = news.get()
                    if new is None:
                        self.close(wait=False)
                        yield from (one.result() for one in left if _came_to_something(one))
                        raise KeyboardInterrupt
                    if isinstance(new, Event):
                        tell(new)
                    else:
                        left.discard(new)
                        yield new.result()


@contextmanager
def _interrupts(heard: Callable[[], None]) -> Iterator[None]:
    """Have the first Ctrl-C heard of instead of raised wherever the program is; in the main thread.

    A second one ends the program at once.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return

    def first(*_: object) -> None:
        signal.signal(signal.SIGINT, before)
        heard()

    signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _came_to_something(future: "Future[Outcome]") -> bool:
    return future.done() and not future.cancelled() and future.exception() is None
