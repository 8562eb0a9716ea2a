"""An album in processes: each on cores of its own, and what happens to one costs one photo."""

import json
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photocloak.core import ExitCode, ModelError
from photocloak.core.cores import cores
from photocloak.engine.cloaker import OnStep
from photocloak.exporters.reading import announced
from photocloak.plugin import Database, Folders, Settings, assembly
from photocloak.plugin.commands import running
from photocloak.plugin.executors import bound
from photocloak.plugin.executors.base import Recipe
from photocloak.plugin.executors.bound import BoundProcesses, room_for, shared_out
from photocloak.plugin.executors.threads import WorkerThreads
from photocloak.plugin.main import run
from photocloak.plugin.pipeline.worker import Worker
from tests.plugin.executors.test_process_pool import HUNG, alive, until
from tests.plugin.fakes import CAST, LINGER, PORTRAIT, FakeRecipe, make_engine, noisy, write_photo
from tests.plugin.studio import decisions_of
from tests.plugin.test_cli import Run, cli, engine

__all__ = ["cli", "engine"]  # fixtures

GIGABYTE = 10**9
ALBUM = running.ALBUM


@dataclass(frozen=True)
class Fakes(FakeRecipe):
    settings: Settings | None = None
    folders: Folders | None = None


@dataclass(frozen=True)
class NoModels(Fakes):
    def __call__(self) -> Worker:
        raise ModelError("sface.onnx is missing: get it again.")


@dataclass(frozen=True)
class Killed(Fakes):
    def __call__(self) -> Worker:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[[type[Fakes]], tuple[int, list[dict[str, object]], str]]:
    """Return a way to cloak an album of ten: (exit code, JSON, stderr).

    The fifth photo is looked at until `tmp_path / "pid"`, the process that does, is no more.
    """
    monkeypatch.setattr(
        assembly,
        "open_decisions",
        lambda folders: decisions_of(make_engine(CAST), Database(folders.database)),
    )
    for number in range(10):
        size = LINGER if number == 4 else PORTRAIT
        write_photo(tmp_path / "in" / f"{number}.png", *size, seed=number)

    def call(kind: type[Fakes] = Fakes) -> tuple[int, list[dict[str, object]], str]:
        def recipe(settings: Settings, folders: Folders) -> Fakes:
            return kind(tmp_path / "pid", settings, folders)

        monkeypatch.setattr(assembly, "Recipe", recipe)
        code = run(["cloak", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--json"])
        out, err = capfd.readouterr()
        assert not multiprocessing.active_children()
        return code, [json.loads(line) for line in out.splitlines()], err

    return call


Command = Callable[..., tuple[int, list[dict[str, object]], str]]


def when_looked_at(marker: Path, then: Callable[[int], None]) -> None:
    """Have `then` called with the process that looks at the fifth photo, as soon as it does."""

    def wait() -> None:
        until(lambda: marker.exists() and bool(marker.read_text()))
        then(int(marker.read_text()))

    threading.Thread(target=wait, daemon=True).start()


def test_a_killed_process_costs_its_photo_alone(command: Command, tmp_path: Path) -> None:
    when_looked_at(tmp_path / "pid", lambda pid: os.kill(pid, signal.SIGKILL))
    code, rows, err = command()
    assert (code, len(rows)) == (ExitCode.SOME_FAILED, 10)
    by_name = {Path(str(row["source"])).name: row for row in rows}
    lost = by_name.pop("4.png")
    assert (lost["status"], {row["status"] for row in by_name.values()}) == ("failed", {"cloaked"})
    why = f"{lost['source']}: the worker process that had this photo was ended by SIGKILL (Killed)."
    assert lost["reason"] == why and err.count("SIGKILL") == 1
    assert len(list((tmp_path / "out").iterdir())) == 9


def test_an_interrupt_leaves_no_process_behind(command: Command, tmp_path: Path) -> None:
    looking: list[int] = []

    def interrupt(pid: int) -> None:
        looking.append(pid)
        os.kill(os.getpid(), signal.SIGINT)

    when_looked_at(tmp_path / "pid", interrupt)
    code, rows, err = command()
    assert (code, rows) == (ExitCode.INTERRUPTED, []) and "10 not done" in err
    assert not alive(looking[0]) and not (tmp_path / "out").exists()


@pytest.fixture
def one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})


@pytest.mark.usefixtures("one_core")
def test_debugging_shows_where_an_error_arose(command: Command, tmp_path: Path) -> None:
    (tmp_path / "in" / "4.png").write_bytes(b"no photo")
    logger = logging.getLogger("photocloak")
    logger.setLevel(logging.DEBUG)
    try:
        code, _, err = command()
    finally:
        logger.setLevel(logging.NOTSET)
    assert code == ExitCode.SOME_FAILED and "Traceback" in err


@pytest.mark.usefixtures("one_core")
@pytest.mark.parametrize(
    ("kind", "code", "said"),
    [
        (NoModels, ExitCode.MODEL, "sface.onnx is missing: get it again."),
        (
            Killed,
            ExitCode.UNEXPECTED,
            "No process with the models comes up: each was ended by SIGKILL (Killed).",
        ),
    ],
)
def test_what_would_meet_every_photo_is_said_once(
    command: Command, tmp_path: Path, kind: type[Fakes], code: ExitCode, said: str
) -> None:
    status, rows, err = command(kind)
    assert (status, rows) == (code, [])
    assert err.splitlines()[-1] == f"photocloak: {said}" and err.count(said) == 1
    assert not (tmp_path / "out").exists()


def where(_make: Recipe, _about: object, _on_step: OnStep) -> tuple[int, Collection[int], int]:
    return os.getpid(), os.sched_getaffinity(0), len(cores())


def test_each_process_has_cores_of_its_own_and_knows_of_no_other() -> None:
    executor = BoundProcesses(FakeRecipe(), 2)
    executor.start()
    children = {one.pid for one in multiprocessing.active_children()}
    executor.start()
    assert children == {one.pid for one in multiprocessing.active_children()}
    calls = [executor.submit(where, None, lambda *_: None) for _ in range(20)]
    answers = [one.result(HUNG) for one in calls]
    found = {pid: (set(own), count) for pid, own, count in answers}
    executor.close(wait=True)
    assert found.keys() <= children and len(children) == executor.workers == min(2, len(cores()))
    shares = [set(one) for one in shared_out(cores(), executor.workers)]
    assert all(own in shares and count == len(own) for own, count in found.values())


@given(st.sets(st.integers(0, 500), min_size=1), st.integers(0, 600))
def test_every_core_is_somebodys(own: set[int], workers: int) -> None:
    shares = shared_out(sorted(own), workers)
    assert len(shares) == max(min(workers, len(own)), 1)
    assert sorted(core for share in shares for core in share) == sorted(own)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize(
    ("available", "each", "count"),
    [(100.0, 1.0, 4), (4.0, 1.0, 3), (4.0, 1.6, 2), (0.1, 1.0, 1), (None, 9.0, 4)],
)
def test_memory_is_a_bound(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    available: float | None,
    each: float,
    count: int,
) -> None:
    told = tmp_path / "meminfo"
    if available is not None:
        lines = ["MemTotal:  1 kB", f"MemAvailable: {int(available * GIGABYTE) // 1024} kB"]
        told.write_text("\n".join(lines))
    monkeypatch.setattr(bound, "MEMINFO", told)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3})
    assert room_for(int(each * GIGABYTE)) == count


def test_this_machine_tells_what_is_available() -> None:
    assert bound._available() is not None


def test_pixels_are_told_by_the_header(tmp_path: Path) -> None:
    for name in ("a.jpg", "a.png", "a.tif", "a.webp"):
        assert announced(write_photo(tmp_path / name, 300, 400)) == 120_000
    huge = bytearray((tmp_path / "a.png").read_bytes())
    huge[16:24] = b"\x00\x01\x00\x00" * 2
    huge[29:33] = crc32(huge[12:29]).to_bytes(4, "big")
    (tmp_path / "bomb.png").write_bytes(huge)
    (tmp_path / "text.jpg").write_text("0123456789")
    assert announced(tmp_path / "bomb.png") == 250_000_000
    assert announced(tmp_path / "text.jpg") == 160
    assert announced(tmp_path / "nothing.jpg") == 0


class Chosen(WorkerThreads):
    """Stands for processes, and tells of what was chosen."""

    many: list[int]

    def __init__(self, recipe: Recipe, workers: int) -> None:
        self.many.append(workers)
        super().__init__(recipe, 1)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder for photos; the machine has three cores, and notes down what is chosen."""
    monkeypatch.setattr(running, "ALBUM", ALBUM)
    monkeypatch.setattr(Chosen, "many", [], raising=False)
    monkeypatch.setattr(running, "BoundProcesses", Chosen)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 2, 7})
    monkeypatch.setattr(assembly, "open_rehearsal", assembly.open_decisions)
    return tmp_path / "in"


@pytest.mark.parametrize(
    ("photos", "option", "processes"),
    [
        (ALBUM, None, [3]),
        (ALBUM - 1, None, []),
        (ALBUM, "--deadline=600", []),
        (ALBUM, "--dry-run", []),
    ],
)
def test_processes_are_for_albums(
    cli: Run, here: Path, photos: int, option: str | None, processes: list[int]
) -> None:
    for number in range(photos):
        write_photo(here / f"{number}.png", 96, 128, number)
    line = ["cloak", here, "-o", here.parent / "out", "--json", *[option] * (option is not None)]
    code, rows, _ = cli(*line)
    assert code == ExitCode.SOME_FAILED and {row["status"] for row in rows} == {"no_face"}
    assert Chosen.many == processes


def test_the_largest_photo_says_how_much_memory_is_needed(
    cli: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def room(each: int) -> int:
        asked.append(each)
        return 1

    monkeypatch.setattr(running, "ALBUM", ALBUM)
    monkeypatch.setattr(running, "room_for", room)
    monkeypatch.setattr(running, "BoundProcesses", WorkerThreads)
    for number in range(ALBUM):
        write_photo(tmp_path / "in" / f"{number}.png", 96, 128, number)
    write_photo(tmp_path / "in" / "x.jpg", 1000, 2000)
    noisy(tmp_path / "in" / "y.png", 300, 300)
    cli("cloak", tmp_path / "in", "-o", tmp_path / "out")
    assert asked == [running.OWN + running.PER_PIXEL * 2_000_000]
