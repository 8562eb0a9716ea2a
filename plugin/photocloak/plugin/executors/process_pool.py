"""Processes of our own to work in, that survive whatever happens to one of them.

Unlike the standard library's pool, every process has a line of its own. So when one ends (a
segfault in a decoder, the kernel short of memory) it is known which photo it had: that one fails,
no other notices, and a new process takes the place at the next photo.
"""

import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, TypeVar

from photocloak.plugin.executors.worker_process import Heard, WorkerProcess

T = TypeVar("T")

HANG_TIMEOUT = 900.0
"""Seconds that a process may be silent before it counts as hung; see `worker_process.report`."""


@dataclass(frozen=True)
class _Call:
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    heard: Heard
    future: "Future[Any]" = field(default_factory=Future)


class ProcessPool:
    """Runs calls in spawned processes, each started at the first call it gets."""

    def __init__(
        self,
        size: int,
        *,
        patience: float = HANG_TIMEOUT,
        shares: Sequence[Collection[int]] | None = None,
    ) -> None:
        """Make a pool.

        Args:
            size: processes.
            patience: seconds of silence after which one is killed.
            shares: the cores that each is bound to; None: they run where there is room.

        """
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._members = [WorkerProcess(patience, share) for share in shares or [()] * size]
        self._lock = threading.Lock()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._serve, args=[one], name=f"crew-{i}", daemon=True)
            for i, one in enumerate(self._members)
        ]

    def submit(
        self, function: Callable[..., T], *arguments: Any, heard: Heard = lambda *_: None
    ) -> "Future[T]":
        """Run a function in one of the processes; it and its arguments must be picklable.

        The future raises WorkerDiedError when that process ends before it answers. `heard` is
        called, in a thread of the pool, with what the function reports (`worker_process.report`).
        """
        with self._lock:
            if self._closed:
                raise RuntimeError("the crew is gone")
            if self._threads[0].ident is None:
                for thread in self._threads:
                    thread.start()
            call = _Call(function, arguments, heard)
            self._calls.put(call)
        return call.future

    def close(self, *, wait: bool) -> None:
        """End the processes; `wait` for what was submitted, else kill them and give it all up."""
        with self._lock:
            self._closed = True
            while not wait and not self._calls.empty():
                call = self._calls.get()
                if call is not None:
                    call.future.cancel()
            for _ in self._members:
                self._calls.put(None)
        for member in self._members:
            if not wait:
                member.kill()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def _serve(self, member: WorkerProcess) -> None:
        """Feed one process; it lives no longer than this thread (`worker_process._die_with`)."""
        while (call := self._calls.get()) is not None:
            if not call.future.set_running_or_notify_cancel():
                continue
            try:
                result = member.do(call.function, call.arguments, call.heard)
            except BaseException as error:
                call.future.set_exception(error)
            else:
                call.future.set_result(result)
            del call
        member.end()
