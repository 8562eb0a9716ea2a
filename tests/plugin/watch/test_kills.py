"""kill -9 at any moment: no photo is done twice, lost, or published by half."""

import hashlib
import os
import random
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from photocloak import exporters
from photocloak.plugin import Database, Job, Outcome, Outputs, Settings, Status
from photocloak.plugin.pipeline.messages import Tell
from photocloak.plugin.storage.written_files import signature_of
from photocloak.plugin.watch.lock import OutputLock
from photocloak.plugin.watch.queue import Queue
from photocloak.plugin.watch.runner import Runner
from photocloak.plugin.watch.tree import Candidate
from tests.lab.soak import Soak
from tests.plugin.watch.harness import Place, decodes, until


def test_killed_at_random_moments(place: Place) -> None:
    chance = random.Random(11)
    names = [f"{number % 4}/{number}.png" for number in range(24)]
    for number, name in enumerate(names):
        place.put(name, number)
    for _ in range(6):
        daemon = place.start()
        until(
            lambda: place.said().rstrip().rsplit("watching", 1)[-1].count("\n") > 0 or idle(place)
        )
        try:
            daemon.wait(chance.uniform(0.0, 1.0))
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()
    place.start()
    found = place.finished(*names, within=60)
    # Fakes with few steps find a few too weak.
    assert {one.status for one in found.values()} <= {Status.CLOAKED, Status.TOO_WEAK}
    cloaked = sorted(name for name in names if found[name].status is Status.CLOAKED)
    assert place.written() == cloaked, "nothing twice, nothing temporary"
    for name in cloaked:
        assert decodes(place.out / name)
        bytes_there = hashlib.sha256((place.out / name).read_bytes()).hexdigest()
        assert found[name].made_sha256 == bytes_there


def idle(place: Place) -> bool:
    return set(place.states().values()) == {"done"}


class Killed(BaseException):
    """Where a real kill would end the process."""


def runner(place: Place, queue: Queue, coordinator: Any) -> tuple[Runner, OutputLock]:
    lock = OutputLock(place.out, place.folders)
    return Runner(
        place.out,
        place.folders,
        queue,
        lock,
        open_coordinator=lambda *_: coordinator,
        tell=lambda _: None,
        wake=lambda: None,
    ), lock


class DiesAfter:
    """Does what a coordinator does, up to a point."""

    def __init__(self, place: Place, step: str) -> None:
        self.outputs, self.step = Outputs(Database(place.folders.database)), step

    def meet(self, jobs: Sequence[Job], _: Tell) -> "Future[None]":
        """Nothing there is to see."""
        met: Future[None] = Future()
        met.set_result(None)
        return met

    def submit(self, job: Job, _: Tell) -> Any:
        data = b"cloaked " + job.source.read_bytes()
        if self.step == "begin":
            raise Killed
        sha256 = hashlib.sha256(data).hexdigest()
        self.outputs.announce(sha256, source=job.source, cloaked=True)
        if self.step == "announce":
            raise Killed
        job.folder.mkdir(parents=True, exist_ok=True)
        exporters.publish(data, job.folder, job.source.stem, ".png", like=None)
        raise Killed

    def close(self, *, wait: bool) -> None:
        """Nothing."""


@pytest.mark.parametrize(
    ("step", "state", "written"),
    [("begin", "pending", []), ("announce", "pending", []), ("publish", "done", ["sub/a.png"])],
)
def test_killed_between_any_two_records(
    place: Place, step: str, state: str, written: list[str]
) -> None:

    photo = place.put("sub/a.png")
    place.out.mkdir()
    queue = Queue(place.journal.database, place.out, lambda: 0.0)
    signature = signature_of(photo) or ""
    sha256 = hashlib.sha256(photo.read_bytes()).hexdigest()
    queue.add(Candidate(photo, photo.parent.relative_to(place.inbox), signature), sha256)
    first, lock = runner(place, queue, DiesAfter(place, step))
    with pytest.raises(Killed):
        first.turn(Settings())
    assert place.states() == {"sub/a.png": "working"}
    lock.release()
    second, lock = runner(place, queue, DiesAfter(place, "publish"))
    second.pick_up()
    assert (place.states(), place.written()) == ({"sub/a.png": state}, written)
    if step == "publish":
        entry = place.entries()["sub/a.png"]
        assert (entry.status, entry.output) == (Status.CLOAKED, place.out / "sub" / "a.png")
        second.turn(Settings())
        assert place.written() == ["sub/a.png"], "no a-2.png"
    lock.release()


def test_an_older_output_is_not_taken_for_the_one_in_hand(place: Place) -> None:
    """What had been made of the path before the work began says nothing of the work."""
    photo = place.put("a.png")
    place.out.mkdir()
    outputs = Outputs(Database(place.folders.database))
    (place.out / "a.png").write_bytes(b"of the content before")
    outputs.announce(
        hashlib.sha256(b"of the content before").hexdigest(), source=photo, cloaked=True
    )
    queue = Queue(place.journal.database, place.out, lambda: 0.0)
    queue.add(Candidate(photo, Path(), signature_of(photo) or ""), "ab")
    one, lock = runner(place, queue, DiesAfter(place, "announce"))

    with pytest.raises(Killed):
        one.turn(Settings())
    one.pick_up()
    assert place.states() == {"a.png": "pending"}
    lock.release()


class Waits(DiesAfter):
    """Has a photo in hand until told how it ended."""

    def __init__(self, place: Place) -> None:
        super().__init__(place, "")
        self.jobs: list[tuple[Job, Future[Outcome]]] = []

    def submit(self, job: Job, _: Tell) -> "Future[Outcome]":
        self.jobs.append((job, Future()))
        return self.jobs[-1][1]


@contextmanager
def waiting(place: Place) -> Iterator[tuple[Queue, Waits, Runner]]:
    """Yield a queue, who has its photos in hand, and what goes between the two."""
    place.out.mkdir()
    queue = Queue(place.journal.database, place.out, lambda: 0.0)
    coordinator = Waits(place)
    one, lock = runner(place, queue, coordinator)
    yield queue, coordinator, one
    lock.release()


def add(queue: Queue, photo: Path, content: str) -> None:
    queue.add(Candidate(photo, Path(), signature_of(photo) or ""), content)


def test_new_content_waits_for_the_old_one_in_hand_and_is_not_taken_for_it(place: Place) -> None:
    photo = place.put("a.png")
    with waiting(place) as (queue, coordinator, one):
        add(queue, photo, "old")
        one.turn(Settings())
        place.put("a.png", 1)
        add(queue, photo, "newer")
        newer = queue.next()
        assert newer is not None
        queue.drop(newer)
        # The row is a new one; in an otherwise empty table it gets the number of the one in hand.
        add(queue, photo, "new")
        one.turn(Settings())
        ((job, future),) = coordinator.jobs
        future.set_result(Outcome(job.source, place.out / "a.png", Status.CLOAKED))
        one.collect()
        assert (place.states(), place.entries()["a.png"].sha256) == ({"a.png": "pending"}, "new")
        one.turn(Settings())
        assert len(coordinator.jobs) == 2


def test_one_photo_is_in_hand_and_the_next_one_waits(place: Place) -> None:
    with waiting(place) as (queue, coordinator, one):
        for name in ("a.png", "b.png"):
            photo = place.put(name)
            add(queue, photo, "same")
        for _ in range(3):
            one.turn(Settings())
        ((job, future),) = coordinator.jobs
        (place.out / "a.png").write_bytes(b"finished")
        future.set_result(Outcome(job.source, place.out / "a.png", Status.CLOAKED))
        one.turn(Settings())
        assert len(coordinator.jobs) == 2
        assert place.states() == {"a.png": "done", "b.png": "working"}


def test_a_photo_that_changed_before_it_was_read_is_not_recorded_as_what_it_was(
    place: Place,
) -> None:
    photo = place.put("a.png")
    with waiting(place) as (queue, coordinator, one):
        add(queue, photo, "as hashed")
        one.turn(Settings())
        ((_, future),) = coordinator.jobs
        made = place.out / "a.png"
        future.set_result(Outcome(photo, made, Status.CLOAKED, source_sha256="as read"))
        one.collect()
        assert place.entries() == {}, "no copy of what it was may get this output"


def test_a_photo_that_the_file_system_did_not_give_is_looked_for_again(place: Place) -> None:
    photo = place.put("a.png")
    with waiting(place) as (queue, coordinator, one):
        add(queue, photo, "as hashed")
        one.turn(Settings())
        ((_, future),) = coordinator.jobs
        future.set_result(Outcome(photo, None, Status.FAILED, "cannot be read", unread=True))
        one.collect()
        assert place.entries() == {}, "nothing is known of it, so it has not failed"


def test_no_process_is_left_behind(place: Place) -> None:
    place.put("a.png")
    daemon = place.start()
    place.finished("a.png")
    children = _children(daemon.pid)
    assert children, "the worker is a process of its own"
    os.kill(daemon.pid, signal.SIGKILL)
    daemon.wait()
    until(lambda: not any(Path("/proc", str(pid), "exe").exists() and _lives(pid)
                          for pid in children))  # fmt: skip


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    threads = Path(f"/proc/{pid}/task").iterdir()
    found += [child for one in threads for child in (one / "children").read_text().split()]
    return sorted({int(one) for one in found})


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] != "Z"
    except OSError:
        return False


def test_a_short_soak(place: Place) -> None:
    """The long one is run by hand: `python -m tests.lab.soak`."""
    soak = Soak(place, photos=60, kills=4, seed=3)
    soak.run(within=90)
    soak.check()


def test_the_soak_notices_what_goes_wrong(place: Place) -> None:
    soak = Soak(place, photos=4, kills=0, seed=3)
    soak.run(within=60)
    soak.check()
    (one, *_) = place.written()
    shutil.copy(place.out / one, place.out / "stray.png")
    with pytest.raises(AssertionError, match="stray"):
        soak.check()
