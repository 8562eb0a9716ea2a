"""Calls given to an executor; what it loses is run once more, alone, to find the culprit.

A crew knows which photo a process had when it ended. Other executors do not: Dask gives up every
call that a dying worker had been given, begun or not, once that happened a few times.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from photocloak.plugin.executors.worker_process import WorkerDiedError
from photocloak.plugin.pipeline.job import Job, Outcome
from photocloak.plugin.pipeline.messages import settled

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class _Call:
    job: Job
    ask: "Callable[[], Future[Any]]"
    then: Callable[[Any], None]
    alone: bool = False


class Resubmitter:
    """Used by one thread, to which it comes back through `later`."""

    def __init__(self, later: Callable[[Callable[[], None]], None]) -> None:
        """`later` has a function called by that thread; itself it is called by any."""
        self._later = later
        self._ready: deque[_Call] = deque()
        self._lost: deque[_Call] = deque()
        self._out: set[_Call] = set()

    def __call__(
        self,
        job: Job,
        ask: "Callable[[], Future[T | Outcome]]",
        then: Callable[[T | Outcome], None],
    ) -> None:
        """Have a phase of `job` done; `ask` submits it, `then` gets what became of it."""
        self._ready.append(_Call(job, ask, then))
        self._send()

    def _send(self) -> None:
        if any(call.alone for call in self._out):
            return
        if self._lost:
            if not self._out:
                self._start(self._lost.popleft())
            return
        while self._ready:
            self._start(self._ready.popleft())

    def _start(self, call: _Call) -> None:
        self._out.add(call)
        answer = settled(call.job, call.ask)
        if isinstance(answer, Outcome):
            self._later(partial(self._end, call, answer))
        else:
            answer.add_done_callback(lambda done: self._later(partial(self._answered, call, done)))

    def _answered(self, call: _Call, answer: "Future[Any]") -> None:
        if _lost(answer) and not call.alone:
            self._out.discard(call)
            self._lost.append(replace(call, alone=True))
            self._send()
        else:
            self._end(call, settled(call.job, partial(_result, answer)))

    def _end(self, call: _Call, result: object) -> None:
        self._out.discard(call)
        call.then(result)
        self._send()


def _result(answer: "Future[Any]") -> Any:
    """Return what a phase came to; an interrupt in it is for the coordinator to pass on."""
    try:
        return answer.result()
    except (KeyboardInterrupt, SystemExit) as interrupt:
        return interrupt


def _lost(answer: "Future[Any]") -> bool:
    """Tell whether the executor failed, and it may have been another call's fault.

    Phases themselves never raise.
    """
    if answer.cancelled():
        return False
    return not isinstance(answer.exception(), WorkerDiedError | CancelledError | None)
