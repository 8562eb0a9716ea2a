"""Many photos over real processes: what one does in one process, and a crash costs one photo."""

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from photocloak.core import ExitCode
from photocloak.engine.modes import load_mode
from photocloak.plugin import Database, Job, Outcome, Outputs, People, Pipeline, Status
from photocloak.plugin.executors.process_pool import ProcessPool
from photocloak.plugin.people.profiles import everybody
from photocloak.plugin.pipeline import process_photo as attempt_module
from photocloak.plugin.pipeline.coordinator import Coordinator
from photocloak.plugin.pipeline.decisions import Decisions
from photocloak.plugin.pipeline.messages import PhotoTask
from tests.plugin.executors.test_process_pool import HUNG, alive, patience_beyond, until
from tests.plugin.fakes import (
    BARE,
    CAST,
    CRASH,
    GROUP,
    HANG,
    LINGER,
    PORTRAIT,
    FakeRecipe,
    make_engine,
    write_photo,
)


class Office:
    """A user, photos to do, and somebody to do them."""

    def __init__(self, home: Path, executor: Executor, recipe: Any, workers: int) -> None:
        engine = make_engine(CAST)
        self.home = home
        self.database = Database(home / "data" / "photocloak.db")
        self.people = People(self.database, dict.fromkeys(engine.ensemble.extractors, 0.9))
        self.outputs = Outputs(self.database)
        decisions = Decisions(self.people, self.outputs, engine.library)
        self.coordinator = Coordinator(decisions, executor, recipe, workers=workers)
        self.pipeline = Pipeline(engine, self.people, self.outputs)

    def job(self, name: str, size: tuple[int, int], seed: int = 0, *, lighter: int = 0) -> Job:
        photo = write_photo(self.home / "in" / name, *size, seed)
        Pillow.open(photo).point(lambda level: min(level + lighter, 255)).save(photo)
        return Job(photo, self.home / "out", "balanced", "keep")

    def written(self) -> dict[str, bytes]:
        folder = self.home / "out"
        return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}

    def targets(self) -> list[tuple[str, str]]:
        with self.database.transaction() as connection:
            return [(one.label, one.target) for one in everybody(connection).values()]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt_module, "load_mode", lambda name: replace(load_mode(name), steps=4))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path, ProcessPool(2), FakeRecipe(), 2)
    yield office
    office.coordinator.close(wait=False)


SIZES = [PORTRAIT, GROUP, BARE, PORTRAIT, PORTRAIT, GROUP, PORTRAIT, BARE]


def test_many_workers_do_what_one_process_does(tmp_path: Path) -> None:
    outcomes: dict[int, list[Outcome]] = {}
    offices = {}
    for workers in (0, 1, 3):
        office = Office(
            tmp_path / str(workers), ProcessPool(max(workers, 1)), FakeRecipe(), workers
        )
        offices[workers] = office
        jobs = [office.job(f"{i}.png", size, i) for i, size in enumerate(SIZES)]
        if workers:
            futures = [office.coordinator.submit(job) for job in jobs]
            outcomes[workers] = [future.result(HUNG) for future in futures]
        else:
            outcomes[workers] = [office.pipeline.run(job) for job in jobs]
        office.coordinator.close(wait=True)
    plain = offices[0]
    assert len(plain.targets()) > 3
    for workers, office in offices.items():
        assert office.targets() == plain.targets()
        assert office.written() == plain.written()
        rows = [
            outcome.as_json() | {"source": 0, "output": 0, "seconds": 0, "reason": 0}
            for outcome in outcomes[workers]
        ]
        assert rows == [
            outcome.as_json() | {"source": 0, "output": 0, "seconds": 0, "reason": 0}
            for outcome in outcomes[0]
        ]
        assert all(outcome.seconds > 0 for outcome in outcomes[workers])


def test_a_person_keeps_the_target_over_runs_and_with_parallel_workers(tmp_path: Path) -> None:
    """Three people, three photos of each, mixed; two runs, each with processes of its own."""
    seen: dict[int, set[str | None]] = {}
    targets = []
    for _ in range(2):
        office = Office(tmp_path, ProcessPool(3), FakeRecipe(), 3)
        jobs = [
            (who, office.job(f"{who}-{photo}.png", PORTRAIT, who, lighter=photo))
            for photo in range(3)
            for who in (3, 4, 6)
        ]
        futures = [(who, office.coordinator.submit(job)) for who, job in jobs]
        for who, future in futures:
            outcome = future.result(HUNG)
            assert outcome.status is Status.CLOAKED
            seen.setdefault(who, set()).update(face.person for face in outcome.faces)
        office.coordinator.close(wait=True)
        targets.append(office.targets())
    assert sorted(map(sorted, seen.values())) == [["person-1"], ["person-2"], ["person-3"]]  # type: ignore[arg-type]
    assert targets[0] == targets[1] and len({target for _, target in targets[0]}) == 3


class Backwards(ThreadPoolExecutor):
    """Answers the looks it gets last first."""

    def __init__(self, looks: int) -> None:
        super().__init__(looks)
        self._gates = [threading.Event() for _ in range(looks + 1)]
        self._gates[-1].set()
        self._asked = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> "Future[Any]":
        turn, self._asked = self._asked, self._asked + 1
        if turn >= len(self._gates) - 1:
            return super().submit(fn, *args, **kwargs)

        def late() -> Any:
            self._gates[turn + 1].wait(HUNG)
            try:
                return fn(*args, **kwargs)
            finally:
                self._gates[turn].set()

        return super().submit(late)


def test_targets_follow_the_order_of_submission_not_of_the_answers(tmp_path: Path) -> None:
    targets: list[list[tuple[str, str]]] = []
    for executor in (Backwards(4), ThreadPoolExecutor(1)):
        office = Office(tmp_path / str(len(targets)), executor, FakeRecipe(), 4)
        jobs = [office.job(f"{i}.png", PORTRAIT, i) for i in range(4)]
        for future in [office.coordinator.submit(job) for job in jobs]:
            assert future.result(HUNG).status is Status.CLOAKED
        office.coordinator.close(wait=True)
        targets.append(office.targets())
    assert targets[0] == targets[1] and len(targets[0]) == 4


@pytest.mark.parametrize("name", ["x.png", "with space 'and\" quotes.png"])
def test_a_segfault_costs_one_photo(office: Office, name: str) -> None:
    jobs = [
        office.job(name if i == 2 else f"{i}.png", CRASH if i == 2 else PORTRAIT, i)
        for i in range(6)
    ]
    outcomes = [future.result(HUNG) for future in [office.coordinator.submit(j) for j in jobs]]
    assert [one.status for one in outcomes] == [
        Status.FAILED if i == 2 else Status.CLOAKED for i in range(6)
    ]
    assert outcomes[2].reason == (
        f"{jobs[2].source}: the worker process that had this photo "
        "was ended by SIGSEGV (Segmentation fault)."
    )
    assert outcomes[2].code == ExitCode.UNEXPECTED
    assert sorted(office.written()) == ["0.png", "1.png", "3.png", "4.png", "5.png"]


def test_a_kill_costs_the_photo_in_hand(tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    office = Office(tmp_path, ProcessPool(2), FakeRecipe(marker), 2)
    jobs = [office.job(f"{i}.png", LINGER if i == 1 else PORTRAIT, i) for i in range(4)]
    futures = [office.coordinator.submit(job) for job in jobs]
    until(lambda: marker.exists() and bool(marker.read_text()))
    os.kill(int(marker.read_text()), signal.SIGKILL)
    statuses = [future.result(HUNG).status for future in futures]
    assert statuses == [Status.CLOAKED, Status.FAILED, Status.CLOAKED, Status.CLOAKED]
    again = office.coordinator.submit(jobs[1]).result(HUNG)
    assert again.status is Status.CLOAKED, "it was not the photo's fault"
    office.coordinator.close(wait=True)


def test_a_photo_that_hangs_costs_itself(tmp_path: Path) -> None:
    with ProcessPool(1) as other:
        first = Office(tmp_path / "first", other, FakeRecipe(), 1)
        job = first.job("a.png", PORTRAIT)
        patience = patience_beyond(lambda: first.coordinator.submit(job).result())
    office = Office(tmp_path, ProcessPool(1, patience=patience), FakeRecipe(), 1)
    jobs = [office.job("a.png", HANG), office.job("b.png", PORTRAIT)]
    hung, second = (office.coordinator.submit(job) for job in jobs)
    assert f"was silent for {patience:.0f} s" in str(hung.result(HUNG).reason)
    assert second.result(HUNG).status is Status.CLOAKED
    office.coordinator.close(wait=True)


class Losing(ThreadPoolExecutor):
    """Loses everything it has when it comes to `bad.png`, and cannot say whose fault it was."""

    def __init__(self) -> None:
        super().__init__(1)
        self.has: list[Future[Any]] = []
        self.asked: list[tuple[str, int]] = []

    def submit(self, fn: Any, /, *args: Any, **_: Any) -> "Future[Any]":
        recipe, argument = args
        job = argument.job if isinstance(argument, PhotoTask) else argument.task.job
        self.has = [one for one in self.has if not one.done()]
        self.asked.append((job.source.name, len(self.has)))
        answer: Future[Any] = Future()
        self.has.append(answer)
        if len(self.asked) >= 3:
            threading.Thread(target=self._go, args=[fn, recipe, argument, job, answer]).start()
        return answer

    def _go(self, fn: Any, recipe: Any, argument: Any, job: Job, answer: "Future[Any]") -> None:
        if job.source.name == "bad.png" or len(self.asked) == 3:
            for one in self.has:
                one.set_exception(OSError("lost"))
        else:
            answer.set_result(fn(recipe, argument))


def test_what_is_lost_with_a_worker_is_run_again_alone(tmp_path: Path) -> None:
    executor = Losing()
    office = Office(tmp_path, executor, FakeRecipe(), 3)
    jobs = [office.job(name, PORTRAIT, i) for i, name in enumerate(("a.png", "b.png", "bad.png"))]
    outcomes = [f.result(HUNG) for f in [office.coordinator.submit(job) for job in jobs]]
    office.coordinator.close(wait=True)
    assert [one.status for one in outcomes] == [Status.CLOAKED, Status.CLOAKED, Status.FAILED]
    assert outcomes[2].reason == f"{jobs[2].source}: unexpected OSError: lost"
    assert executor.asked[:3] == [("a.png", 0), ("b.png", 1), ("bad.png", 2)]
    assert {beside for name, beside in executor.asked[3:6]} == {0}
    assert {name for name, _ in executor.asked[3:6]} == {"a.png", "b.png", "bad.png"}


class Counting(ThreadPoolExecutor):
    """Counts the calls that are asked for and not answered yet."""

    now = most = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> "Future[Any]":
        self.now += 1
        self.most = max(self.most, self.now)

        def counted() -> Any:
            try:
                return fn(*args, **kwargs)
            finally:
                self.now -= 1

        return super().submit(counted)


def test_no_more_photos_are_under_way_than_workers(tmp_path: Path) -> None:
    executor = Counting(2)
    office = Office(tmp_path, executor, FakeRecipe(), 2)
    jobs = [office.job(f"{i}.png", PORTRAIT, i) for i in range(9)]
    assert all(f.result(HUNG) for f in [office.coordinator.submit(job) for job in jobs])
    office.coordinator.close(wait=True)
    assert executor.most == 2


def test_closing_gives_up_or_finishes(tmp_path: Path) -> None:
    office = Office(tmp_path / "a", ProcessPool(1), FakeRecipe(), 1)
    futures = [office.coordinator.submit(office.job(f"{i}.png", PORTRAIT, i)) for i in range(3)]
    office.coordinator.close(wait=True)
    assert [future.result(0).status for future in futures] == [Status.CLOAKED] * 3
    with pytest.raises(RuntimeError, match="closed"):
        office.coordinator.submit(office.job("late.png", PORTRAIT))

    marker = tmp_path / "pid"
    office = Office(tmp_path / "b", ProcessPool(1), FakeRecipe(marker), 1)
    jobs = [office.job(f"{i}.png", PORTRAIT if i else LINGER, i) for i in range(4)]
    futures = [office.coordinator.submit(job) for job in jobs]
    until(lambda: marker.exists() and bool(marker.read_text()))
    office.coordinator.close(wait=False)
    for future in futures:
        with pytest.raises(CancelledError):
            future.result(0)
    until(lambda: not alive(int(marker.read_text())))
    assert not (tmp_path / "b" / "out").exists()


def test_a_job_can_be_taken_back_before_it_is_begun(tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    office = Office(tmp_path, ProcessPool(1), FakeRecipe(marker), 1)
    jobs = [office.job(f"{i}.png", PORTRAIT if i else LINGER, i) for i in range(4)]
    futures = [office.coordinator.submit(job) for job in jobs]
    until(lambda: marker.exists() and bool(marker.read_text()))
    assert not futures[0].cancel() and futures[3].cancel()
    os.kill(int(marker.read_text()), signal.SIGKILL)
    assert [future.result(HUNG).status for future in futures[:3]] == [
        Status.FAILED,
        Status.CLOAKED,
        Status.CLOAKED,
    ]
    office.coordinator.close(wait=True)
    assert sorted(office.written()) == ["1.png", "2.png"]


def test_what_goes_wrong_is_the_photos_outcome(office: Office) -> None:
    missing = replace(office.job("a.png", PORTRAIT), source=office.home / "none.jpg")
    blocked = replace(office.job("b.png", PORTRAIT), folder=office.home / "in" / "b.png")
    assert office.coordinator.submit(missing).result(HUNG).code == ExitCode.INPUT
    assert office.coordinator.submit(blocked).result(HUNG).code == ExitCode.OUTPUT
    made = office.coordinator.submit(office.job("a.png", PORTRAIT)).result(HUNG).output
    assert made is not None
    again = office.coordinator.submit(Job(made, made.parent, "balanced", "keep")).result(HUNG)
    assert again.status is Status.ALREADY_CLOAKED
