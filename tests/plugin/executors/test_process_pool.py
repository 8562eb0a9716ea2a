"""Real processes that crash, hang, are killed or lose their parent."""

import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path
from pickle import PicklingError

import pytest

from photocloak.plugin.executors.process_pool import ProcessPool
from photocloak.plugin.executors.worker_process import WorkerDiedError, report

HUNG = 600.0
"""Seconds after which what must happen counts as hung, however busy the machine is."""


@pytest.fixture
def pool() -> Iterator[ProcessPool]:
    pool = ProcessPool(2)
    yield pool
    pool.close(wait=False)


def until(true: Callable[[], bool], seconds: float = HUNG) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        state = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def patience_beyond(start: Callable[[], object]) -> float:
    """Return seconds in which a process can start many times over, however busy this machine is."""
    began = time.monotonic()
    start()
    return max(2.0, 5 * (time.monotonic() - began))


def square(x: int) -> int:
    return x * x


def fail(text: str) -> None:
    raise ValueError(text)


def segfault() -> None:
    ctypes.string_at(0)


def linger(marker: Path) -> None:
    marker.write_text(str(os.getpid()))
    time.sleep(3600)


def work_slowly(seconds: float) -> str:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.6)
        report(int(10 * (end - time.monotonic())), int(10 * seconds))
    return "done"


def interrupt_self() -> str:
    os.kill(os.getpid(), signal.SIGINT)
    return "still here"


def test_calls_are_answered(pool: ProcessPool) -> None:
    assert [one.result() for one in [pool.submit(square, i) for i in range(5)]] == [0, 1, 4, 9, 16]
    with pytest.raises(ValueError, match="no good"):
        pool.submit(fail, "no good").result()
    pids = {pool.submit(os.getpid).result() for _ in range(6)}
    assert os.getpid() not in pids and len(pids) <= 2


def test_nothing_starts_before_the_first_call() -> None:
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    before = children.read_text()
    pool = ProcessPool(2)
    assert children.read_text() == before
    pool.close(wait=True)


def test_what_cannot_be_sent_is_the_calls_own_fault(pool: ProcessPool) -> None:
    with pytest.raises((AttributeError, PicklingError), match="local object"):
        pool.submit(lambda: None).result()
    with pytest.raises(TypeError, match="cannot be sent"):
        pool.submit(threading.Lock).result()
    assert pool.submit(square, 3).result() == 9


def test_a_crash_costs_one_call(pool: ProcessPool) -> None:
    calls = [pool.submit(segfault if i == 3 else os.getpid) for i in range(8)]
    with pytest.raises(WorkerDiedError, match=r"was ended by SIGSEGV \(Segmentation fault\)"):
        calls[3].result()
    assert all(isinstance(calls[i].result(), int) for i in range(8) if i != 3)


def test_crash_after_crash(pool: ProcessPool) -> None:
    for _ in range(3):
        with pytest.raises(WorkerDiedError):
            pool.submit(segfault).result()
    with pytest.raises(WorkerDiedError, match="ended with status 3"):
        pool.submit(os._exit, 3).result()
    assert pool.submit(square, 3).result() == 9


def test_a_killed_process_costs_what_it_was_at(pool: ProcessPool, tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    call = pool.submit(linger, marker)
    until(lambda: marker.exists() and bool(marker.read_text()))
    os.kill(int(marker.read_text()), signal.SIGKILL)
    with pytest.raises(WorkerDiedError, match="SIGKILL"):
        call.result(HUNG)


def test_an_idle_process_that_was_killed_costs_nothing() -> None:
    pool = ProcessPool(1)
    pid = pool.submit(os.getpid).result()
    os.kill(pid, signal.SIGKILL)
    until(lambda: not alive(pid))
    assert pool.submit(os.getpid).result() not in (pid, os.getpid())
    pool.close(wait=True)


def test_a_silent_process_is_ended_and_a_slow_one_is_not() -> None:
    other = ProcessPool(1)
    patience = patience_beyond(other.submit(square, 3).result)
    other.close(wait=True)
    pool = ProcessPool(1, patience=patience)
    assert pool.submit(work_slowly, 1.5 * patience).result() == "done"
    with pytest.raises(WorkerDiedError, match=f"was silent for {patience:.0f} s"):
        pool.submit(time.sleep, 3600).result(HUNG)
    assert pool.submit(square, 3).result() == 9
    pool.close(wait=True)


def test_what_a_process_reports_is_heard(pool: ProcessPool) -> None:
    heard: list[tuple[int, int]] = []
    pool.submit(work_slowly, 2, heard=lambda *step: heard.append(step)).result()
    assert heard and all(total == 20 for _, total in heard)
    assert [left for left, _ in heard] == sorted((left for left, _ in heard), reverse=True)


def test_an_interrupt_is_the_parents_to_answer(pool: ProcessPool) -> None:
    assert pool.submit(interrupt_self).result() == "still here"


def test_the_end_waits_or_kills(tmp_path: Path) -> None:
    pool = ProcessPool(1)
    slow = pool.submit(work_slowly, 2)
    pool.close(wait=True)
    assert slow.result() == "done"
    with pytest.raises(RuntimeError):
        pool.submit(square, 1)
    pool = ProcessPool(1)
    marker = tmp_path / "pid"
    lost, never = pool.submit(linger, marker), pool.submit(square, 1)
    until(lambda: marker.exists() and bool(marker.read_text()))
    pool.close(wait=False)
    with pytest.raises(WorkerDiedError):
        lost.result(HUNG)
    with pytest.raises(CancelledError):
        never.result(HUNG)
    until(lambda: not alive(int(marker.read_text())))


def test_no_process_outlives_a_parent_that_was_killed(tmp_path: Path) -> None:
    program = (
        "from pathlib import Path; "
        "from photocloak.plugin.executors.process_pool import ProcessPool; "
        "from tests.plugin.executors.test_process_pool import linger; "
        f"ProcessPool(1).submit(linger, Path({str(tmp_path / 'pid')!r})).result()"
    )
    marker = tmp_path / "pid"
    parent = subprocess.Popen([sys.executable, "-c", program])
    until(lambda: marker.exists() and bool(marker.read_text()))
    child = int(marker.read_text())
    assert alive(child)
    parent.kill()
    parent.wait()
    until(lambda: not alive(child))


def test_an_interrupt_does_not_meet_a_process_that_is_about_to_start(pool: ProcessPool) -> None:
    """A terminal's goes to it as well; it would say so with a traceback."""
    before = {one.pid for one in multiprocessing.active_children()}
    call = pool.submit(os.getpid)
    until(lambda: bool({one.pid for one in multiprocessing.active_children()} - before))
    (pid,) = {one.pid for one in multiprocessing.active_children()} - before
    assert pid is not None
    os.kill(pid, signal.SIGINT)
    assert call.result(HUNG) == pid
