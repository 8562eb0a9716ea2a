"""One process of a crew, and the line to it: both ends."""

import ctypes
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import suppress
from multiprocessing import connection, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any

from photocloak.core.debugging import show_debugging, shows_debugging

PR_SET_PDEATHSIG = 1  # linux/prctl.h
OFTEN = 0.2
"""Seconds between two reports of a process."""

Heard = Callable[[int, int], None]

PARTING = 5.0
"""Seconds that an idle process gets to end by itself."""


class WorkerDiedError(BrokenExecutor):
    """The process that had the call ended before it answered; the message is a predicate."""


class WorkerProcess:
    """A process that does one call after the other; started at the first, and after it died."""

    def __init__(self, patience: float, cores: Collection[int] = ()) -> None:
        """Make one that is not started yet.

        Args:
            patience: seconds of silence after which it counts as hung.
            cores: those that it is bound to; none: it runs where there is room.

        """
        self._patience, self._cores = patience, cores
        self._process: SpawnProcess | None = None
        self._line: Connection | None = None
        self._dismissed = False
        self._lock = threading.Lock()

    def do(self, function: Callable[..., Any], arguments: Sequence[Any], heard: Heard) -> Any:
        """Return what the function returns there, or raise what it raises.

        Args:
            function: can be pickled, as its arguments can.
            arguments: in their order.
            heard: called with what the function reports; see `report`.

        Raises:
            WorkerDiedError: the process ended, or had to be ended.

        """
        process, line = self._ready()
        line.send((function, arguments))
        while True:
            if not connection.wait([line, process.sentinel], self._patience):
                process.kill()
                self._gone(process)
                raise WorkerDiedError(f"was silent for {self._patience:.0f} s and was ended")
            try:
                kind, value = line.recv()
            except (EOFError, ConnectionError) as error:
                raise WorkerDiedError(self._gone(process)) from error
            if kind == "reported":
                heard(*value)
            if kind == "raised":
                raise value
            if kind == "returned":
                return value

    def end(self) -> None:
        """Let an idle process end; it gets no further call."""
        if self._process is None or self._line is None:
            return
        self._line.close()
        self._process.join(PARTING)
        self._process.kill()
        self._gone(self._process)

    def kill(self) -> None:
        """End the process whatever it is at; it gets no further call. From any thread."""
        with self._lock:
            self._dismissed = True
            if self._process is not None:
                self._process.kill()

    def _ready(self) -> tuple[SpawnProcess, Connection]:
        """Return a living process and the line to it."""
        if self._process is not None and not self._process.is_alive():
            self._gone(self._process)
        with self._lock:
            if self._dismissed:
                raise WorkerDiedError("was given up")
            if self._process is None or self._line is None:
                self._process, self._line = _start(self._cores)
            return self._process, self._line

    def _gone(self, process: SpawnProcess) -> str:
        """Forget a process that has ended, or is ending; say how it ended."""
        process.join()
        code = process.exitcode or 0
        with self._lock:
            if self._line is not None:
                self._line.close()
            self._process = self._line = None
        if code >= 0:
            return f"ended with status {code}"
        return f"was ended by {signal.Signals(-code).name} ({signal.strsignal(-code)})"


def _start(cores: Collection[int]) -> tuple[SpawnProcess, Connection]:
    # Spawned, since a fork would copy the locks of threads that do not exist in the copy.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(
        target=_main,
        args=[theirs, os.getpid(), cores, shows_debugging()],
        name="photocloak worker",
        daemon=True,
    )
    # Ctrl-C goes to all processes of a terminal; it must not meet this one on its way to `_main`.
    resource_tracker.ensure_running()  # which else is started by the next, and undoes the mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    theirs.close()
    return process, ours


# What follows runs in the process itself.

_STATE: dict[str, Any] = {}


def report(done: int, total: int) -> None:
    """Tell whoever waits for this process how far it is, and so that it is at work.

    Nothing outside of a crew; what comes fast is told some times a second.
    """
    line, last = _STATE.get("line"), _STATE.get("last", 0.0)
    if line is not None and time.monotonic() - last >= OFTEN:
        _STATE["last"] = time.monotonic()
        line.send(("reported", (done, total)))


def _main(line: Connection, parent: int, cores: Collection[int], debugging: bool) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    _die_with(parent)
    if debugging:
        show_debugging()
    if cores:
        with suppress(OSError):  # they were taken away meanwhile: then wherever there is room
            os.sched_setaffinity(0, cores)
    _STATE["line"] = line
    while True:
        try:
            function, arguments = line.recv()
        except (EOFError, ConnectionError):
            return
        except Exception as error:
            _answer(line, "raised", error)
            continue
        try:
            kind, value = "returned", function(*arguments)
        except BaseException as error:
            kind, value = "raised", error
        del function, arguments
        _answer(line, kind, value)


def _answer(line: Connection, kind: str, value: object) -> None:
    try:
        line.send((kind, value))
    except ConnectionError:
        return
    except Exception as error:
        line.send(("raised", TypeError(f"the answer cannot be sent: {error}")))


def _die_with(parent: int) -> None:
    """End by SIGKILL as soon as the parent's thread that feeds this process is no more."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it has died before that
        os._exit(1)
