"""Many photos over real processes: what one does in one process, and a crash costs one photo."""

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from photocloak.core import ExitCode, ModelError
from photocloak.engine.cloaker import OnStep
from photocloak.engine.modes import load_mode
from photocloak.plugin import Database, Job, Outcome, Pipeline, Status
from photocloak.plugin.executors.base import Executor, Phase
from photocloak.plugin.executors.processes import Processes
from photocloak.plugin.executors.threads import WorkerThreads
from photocloak.plugin.people.profiles import everybody
from photocloak.plugin.pipeline import coordinator
from photocloak.plugin.pipeline import process_photo as attempt_module
from photocloak.plugin.pipeline.messages import Event, PhotoTask
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
from tests.plugin.studio import decisions_of


class Office:
    """A user, photos to do, and somebody to do them."""

    def __init__(self, home: Path, executor: Executor) -> None:
        self.home = home
        self.database = Database(home / "data" / "photocloak.db")
        self.coordinator = Pipeline(decisions_of(make_engine(CAST), self.database), executor)

    def job(self, name: str, size: tuple[int, int], seed: int = 0, *, lighter: int = 0) -> Job:
        photo = write_photo(self.home / "in" / name, *size, seed)
        Pillow.open(photo).point(lambda level: min(level + lighter, 255)).save(photo)
        return Job(photo, self.home / "out", "balanced", "keep")

    def do(self, jobs: list[Job]) -> list[Outcome]:
        """Do photos in a batch, and return the outcomes in their order."""
        outcomes = {one.source: one for one in self.coordinator.run_all(jobs, lambda _: None)}
        return [outcomes[job.source] for job in jobs]

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
    office = Office(tmp_path, Processes(FakeRecipe(), 2))
    yield office
    office.coordinator.close(wait=False)


SIZES = [PORTRAIT, GROUP, BARE, PORTRAIT, PORTRAIT, GROUP, PORTRAIT, BARE]


def here() -> Executor:
    return WorkerThreads(FakeRecipe(), 1)


def test_many_workers_do_what_one_process_does(tmp_path: Path) -> None:
    outcomes: dict[int, list[Outcome]] = {}
    offices = {}
    for workers in (0, 1, 3):
        executor = Processes(FakeRecipe(), workers) if workers else here()
        office = offices[workers] = Office(tmp_path / str(workers), executor)
        jobs = [office.job(f"{i}.png", size, i) for i, size in enumerate(SIZES)]
        outcomes[workers] = office.do(jobs)
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
    for status in (Status.CLOAKED, Status.DONE_BEFORE):
        office = Office(tmp_path, Processes(FakeRecipe(), 3))
        jobs = [
            (who, office.job(f"{who}-{photo}.png", PORTRAIT, who, lighter=photo))
            for photo in range(3)
            for who in (3, 4, 6)
        ]
        outcomes = office.do([job for _, job in jobs])
        for (who, _), outcome in zip(jobs, outcomes, strict=True):
            assert outcome.status is status
            seen.setdefault(who, set()).update(face.person for face in outcome.faces)
        office.coordinator.close(wait=True)
        targets.append(office.targets())
    assert sorted(map(sorted, seen.values())) == [["person-1"], ["person-2"], ["person-3"]]  # type: ignore[arg-type]
    assert targets[0] == targets[1] and len({target for _, target in targets[0]}) == 3


class Backwards(WorkerThreads):
    """Answers the looks it gets last first."""

    def __init__(self, looks: int) -> None:
        super().__init__(FakeRecipe(), looks)
        self._gates = [threading.Event() for _ in range(looks + 1)]
        self._gates[-1].set()
        self._asked = 0

    def submit(self, phase: Phase, argument: Any, on_step: OnStep) -> "Future[Any]":
        turn, self._asked = self._asked, self._asked + 1
        if turn >= len(self._gates) - 1:
            return super().submit(phase, argument, on_step)

        def late(*given: Any) -> Any:
            self._gates[turn + 1].wait(HUNG)
            try:
                return phase(*given)
            finally:
                self._gates[turn].set()

        return super().submit(late, argument, on_step)


def test_neither_the_order_of_photos_nor_that_of_the_answers_decides(tmp_path: Path) -> None:
    """The same targets, people and bytes, whichever photo is first and whoever looks fastest."""
    found: list[tuple[set[str], dict[str, bytes]]] = []
    ways = [(Backwards(6), range(6)), (here(), range(6)), (here(), reversed(range(6)))]
    for executor, order in ways:
        office = Office(tmp_path / str(len(found)), executor)
        jobs = [office.job(f"{i}.png", PORTRAIT, i % 4, lighter=i // 4) for i in order]
        assert [one.status for one in office.do(jobs)] == [Status.CLOAKED] * 6
        office.coordinator.close(wait=True)
        found.append(({target for _, target in office.targets()}, office.written()))
    assert found[0] == found[1] == found[2] and len(found[0][0]) == 4


@pytest.mark.parametrize("name", ["x.png", "with space 'and\" quotes.png"])
def test_a_segfault_costs_one_photo(office: Office, name: str) -> None:
    jobs = [
        office.job(name if i == 2 else f"{i}.png", CRASH if i == 2 else PORTRAIT, i)
        for i in range(6)
    ]
    outcomes = office.do(jobs)
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
    office = Office(tmp_path, Processes(FakeRecipe(marker), 2))
    jobs = [office.job(f"{i}.png", LINGER if i == 1 else PORTRAIT, i) for i in range(4)]
    futures = office.coordinator.batch(jobs)
    until(lambda: marker.exists() and bool(marker.read_text()))
    os.kill(int(marker.read_text()), signal.SIGKILL)
    statuses = [future.result(HUNG).status for future in futures]
    assert statuses == [Status.CLOAKED, Status.FAILED, Status.CLOAKED, Status.CLOAKED]
    again = office.coordinator.submit(jobs[1]).result(HUNG)
    assert again.status is Status.CLOAKED, "it was not the photo's fault"
    office.coordinator.close(wait=True)


def test_a_photo_that_hangs_costs_itself(tmp_path: Path) -> None:
    first = Office(tmp_path / "first", Processes(FakeRecipe(), 1))
    job = first.job("a.png", PORTRAIT)
    patience = patience_beyond(lambda: first.do([job]))
    first.coordinator.close(wait=True)
    office = Office(tmp_path, Processes(FakeRecipe(), 1, patience=patience))
    jobs = [office.job("a.png", HANG), office.job("b.png", PORTRAIT)]
    hung, second = office.coordinator.batch(jobs)
    assert f"was silent for {patience:.0f} s" in str(hung.result(HUNG).reason)
    assert second.result(HUNG).status is Status.CLOAKED
    office.coordinator.close(wait=True)


class Losing(WorkerThreads):
    """Loses everything it has when it comes to `bad.png`, and cannot say whose fault it was."""

    def __init__(self) -> None:
        super().__init__(FakeRecipe(), 3)
        self.has: list[Future[Any]] = []
        self.asked: list[tuple[str, int]] = []

    def submit(self, phase: Phase, argument: Any, on_step: OnStep) -> "Future[Any]":
        job = argument.job if isinstance(argument, PhotoTask) else argument.task.job
        self.has = [one for one in self.has if not one.done()]
        self.asked.append((job.source.name, len(self.has)))
        answer: Future[Any] = Future()
        self.has.append(answer)
        if len(self.asked) >= 3:
            threading.Thread(target=self._go, args=[phase, argument, job, answer]).start()
        return answer

    def _go(self, phase: Phase, argument: Any, job: Job, answer: "Future[Any]") -> None:
        if job.source.name == "bad.png" or len(self.asked) == 3:
            for one in self.has:
                one.set_exception(OSError("lost"))
        else:
            answer.set_result(phase(lambda: self._worker, argument, lambda *_: None))


def test_what_is_lost_with_a_worker_is_run_again_alone(tmp_path: Path) -> None:
    executor = Losing()
    office = Office(tmp_path, executor)
    jobs = [office.job(name, PORTRAIT, i) for i, name in enumerate(("a.png", "b.png", "bad.png"))]
    outcomes = office.do(jobs)
    office.coordinator.close(wait=True)
    assert [one.status for one in outcomes] == [Status.CLOAKED, Status.CLOAKED, Status.FAILED]
    assert outcomes[2].reason == f"{jobs[2].source}: unexpected OSError: lost"
    assert executor.asked[:3] == [("a.png", 0), ("b.png", 1), ("bad.png", 2)]
    assert {beside for name, beside in executor.asked[3:6]} == {0}
    assert {name for name, _ in executor.asked[3:6]} == {"a.png", "b.png", "bad.png"}


class Counting(WorkerThreads):
    """Counts the calls that are asked for and not answered yet, and the looks."""

    now = most = looks = 0

    def submit(self, phase: Phase, argument: Any, on_step: OnStep) -> "Future[Any]":
        self.now += 1
        self.most = max(self.most, self.now)
        self.looks += isinstance(argument, PhotoTask)

        def counted(*given: Any) -> Any:
            try:
                return phase(*given)
            finally:
                self.now -= 1

        return super().submit(counted, argument, on_step)


def test_no_more_photos_are_under_way_than_workers(tmp_path: Path) -> None:
    executor = Counting(FakeRecipe(), 2)
    office = Office(tmp_path, executor)
    assert all(office.do([office.job(f"{i}.png", PORTRAIT, i) for i in range(9)]))
    office.coordinator.close(wait=True)
    assert (executor.most, executor.looks) == (2, 9)


def test_all_are_looked_at_before_one_is_cloaked_and_nobody_is_looked_at_twice(
    tmp_path: Path,
) -> None:
    events: list[tuple[str, str]] = []
    office = Office(tmp_path, here())
    jobs = [office.job(f"{i}.png", PORTRAIT, i) for i in range(4)]
    calls = []

    def seen(event: Event) -> None:
        if event.job is not None:
            events.append((event.what, event.job.source.name))

    for _ in office.coordinator.run_all(jobs, seen):
        calls.append([what for what, _ in events].count("looked"))
    assert calls == [4] * 4
    assert [name for what, name in events if what == "looked"] == [f"{i}.png" for i in range(4)]
    assert [what for what, _ in events[:5]] == ["looked"] * 4 + ["begun"]


def test_a_copy_in_the_batch_gets_the_same_bytes_and_no_look(tmp_path: Path) -> None:
    executor = Counting(FakeRecipe(), 2)
    office = Office(tmp_path, executor)
    jobs = [office.job(f"{i}.png", PORTRAIT, 3) for i in range(3)]
    assert [one.status for one in office.do(jobs)] == [Status.CLOAKED] * 3
    office.coordinator.close(wait=True)
    assert executor.looks == 1 and len(set(office.written().values())) == 1


def test_a_copy_of_what_is_held_back_is_held_back_for_itself(tmp_path: Path) -> None:
    office = Office(tmp_path, here())
    jobs = [office.job(f"{i}.png", BARE, 3) for i in range(3)]
    outcomes = office.do(jobs)
    assert [one.status for one in outcomes] == [Status.NO_FACE] * 3
    assert [str(job.source) in str(one.reason) for job, one in zip(jobs, outcomes, strict=True)]


def test_closing_gives_up_or_finishes(tmp_path: Path) -> None:
    office = Office(tmp_path / "a", Processes(FakeRecipe(), 1))
    futures = [office.coordinator.submit(office.job(f"{i}.png", PORTRAIT, i)) for i in range(3)]
    office.coordinator.close(wait=True)
    assert [future.result(0).status for future in futures] == [Status.CLOAKED] * 3
    with pytest.raises(RuntimeError, match="closed"):
        office.coordinator.submit(office.job("late.png", PORTRAIT))

    marker = tmp_path / "pid"
    office = Office(tmp_path / "b", Processes(FakeRecipe(marker), 1))
    jobs = [office.job(f"{i}.png", PORTRAIT if i else LINGER, i) for i in range(4)]
    futures = office.coordinator.batch(jobs)
    until(lambda: marker.exists() and bool(marker.read_text()))
    office.coordinator.close(wait=False)
    for future in futures:
        with pytest.raises(CancelledError):
            future.result(0)
    until(lambda: not alive(int(marker.read_text())))
    assert not (tmp_path / "b" / "out").exists()


def test_what_goes_wrong_is_the_photos_outcome(office: Office) -> None:
    missing = replace(office.job("a.png", PORTRAIT), source=office.home / "none.jpg")
    blocked = replace(office.job("b.png", PORTRAIT), folder=office.home / "in" / "b.png")
    assert office.coordinator.submit(missing).result(HUNG).code == ExitCode.INPUT
    assert office.coordinator.submit(blocked).result(HUNG).code == ExitCode.OUTPUT
    made = office.coordinator.submit(office.job("a.png", PORTRAIT)).result(HUNG).output
    assert made is not None
    again = office.coordinator.submit(Job(made, made.parent, "balanced", "keep")).result(HUNG)
    assert again.status is Status.ALREADY_CLOAKED


@pytest.mark.parametrize("kept", [coordinator.KEPT, 1])
def test_what_was_met_in_several_pieces_is_looked_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    """As an album of more photos than are looked at together; what is kept has an end."""
    monkeypatch.setattr(coordinator, "KEPT", kept)
    office, looked = Office(tmp_path, here()), list[Path]()
    jobs = [office.job(f"{number}.png", PORTRAIT, number) for number in range(3)]

    def tell(event: Event) -> None:
        if event.what == "looked" and event.job is not None:
            looked.append(event.job.source)

    for job in jobs:
        office.coordinator.meet([job], tell).result(HUNG)
    assert len(looked) == 3
    for job in jobs:
        assert office.coordinator.submit(job, tell).result(HUNG).status is Status.CLOAKED
    assert len(looked) == 3 + max(3 - kept, 0)
    office.coordinator.close(wait=False)


class Broken(WorkerThreads):
    """Has no models."""

    def start(self) -> None:
        raise ModelError("there are no models.")


def test_photos_are_met_though_there_are_no_models(tmp_path: Path) -> None:
    """Else whoever waits for it, as the daemon and the review page do, waits for ever."""
    office = Office(tmp_path, Broken(FakeRecipe(), 1))
    job = office.job("a.png", PORTRAIT)
    office.coordinator.meet([job]).result(timeout=60)
    with pytest.raises(ModelError, match="no models"):
        office.coordinator.submit(job).result(timeout=60)
    office.coordinator.close(wait=False)
