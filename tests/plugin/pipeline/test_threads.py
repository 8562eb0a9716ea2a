"""Several photos at once, in threads or processes: what one after the other gives, and sooner."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pytest
from PIL import Image as Pillow

from photocloak import exporters
from photocloak.core import ExitCode, manifest_root
from photocloak.engine.detection.alignment import Image
from photocloak.engine.detection.faces import Face
from photocloak.engine.modes import load_mode
from photocloak.plugin import Folders, Job, Outcome, Settings, Status
from photocloak.plugin.assembly import Recipe, open_decisions, open_pipeline
from photocloak.plugin.executors.bound import BoundProcesses
from photocloak.plugin.people.roster import Roster
from photocloak.plugin.pipeline import process_photo
from photocloak.plugin.pipeline.pipeline import Pipeline
from photocloak.plugin.pipeline.process_photo import Engine
from photocloak.plugin.pipeline.worker import Worker
from photocloak.plugin.storage.database import Database
from tests.plugin.executors.test_process_pool import HUNG, until
from tests.plugin.fakes import BARE, CAST, GROUP, PORTRAIT, FakeDetector, make_engine, write_photo
from tests.plugin.test_cli import Run, album, cli, engine

__all__ = ["album", "cli", "engine"]  # fixtures


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_photo, "load_mode", lambda name: replace(load_mode(name), steps=12))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})


def slow_at(engine: Engine, first: Callable[[], bool]) -> Engine:
    """Make every step of a cloak a slow one while `first()` holds."""
    for extractor in engine.ensemble.extractors.values():

        def slowly(*arguments: object, step: Callable[..., object] = extractor.step) -> object:
            if first():
                time.sleep(0.1)
            return step(*arguments)

        extractor.step = slowly  # type: ignore[method-assign, assignment]
    return engine


def before(end: float) -> bool:
    return time.monotonic() < end


def done(engine: Engine, folders: Folders, jobs: list[Job], *, workers: int) -> list[Outcome]:
    return finished(open_pipeline(engine, folders, workers=workers), jobs)


def finished(pipeline: Pipeline, jobs: list[Job]) -> list[Outcome]:
    outcomes = {one.source: one for one in pipeline.run_all(jobs, lambda _: None)}
    pipeline.close(wait=True)
    return [outcomes[job.source] for job in jobs]


def one_by_one(engine: Engine, folders: Folders, jobs: list[Job]) -> list[Outcome]:
    return done(engine, folders, jobs, workers=1)


def abreast(engine: Engine, folders: Folders, jobs: list[Job]) -> list[Outcome]:
    return done(engine, folders, jobs, workers=2)


def what_came_of(outcomes: list[Outcome], folders: Folders, out: Path) -> object:
    """Return all that must not depend on how the photos were done."""
    rows = [one.as_json() | {"seconds": 0} for one in outcomes]
    people = [(one.label, one.target) for one in Roster(Database(folders.database)).everybody()]
    files = {str(path): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}
    return json.dumps(rows).replace(str(out), "OUT"), people, list(files.values()), len(files)


class Late(FakeDetector):
    """Looks long at a group."""

    def __init__(self) -> None:
        super().__init__(CAST)

    def __call__(self, image: Image, *, near: Sequence[Face] | None = None) -> list[Face]:
        if image.shape[:2] == GROUP:
            time.sleep(0.5)
        return super().__call__(image, near=near)


@pytest.mark.usefixtures("quick")
def test_everything_is_as_one_by_one(tmp_path: Path) -> None:
    """The first photo takes longest to look at, and to cloak: others come before it."""
    photos = [
        write_photo(tmp_path / f"{i}.png", *size, i)
        for i, size in enumerate([GROUP, PORTRAIT, BARE, PORTRAIT])
    ]
    found = []
    for way in (one_by_one, abreast):
        home = Folders(tmp_path / way.__name__, tmp_path / way.__name__ / "data")
        out = home.config / "out"
        engine = slow_at(make_engine(CAST), partial(before, time.monotonic() + 1.0))
        engine = replace(engine, detector=Late())
        jobs = [Job(photo, out, "balanced", "keep") for photo in photos]
        outcomes = way(engine, home, jobs)
        assert [one.source for one in outcomes] == photos
        found.append(what_came_of(outcomes, home, out))
    assert found[0] == found[1]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("way", [one_by_one, abreast])
def test_of_two_photos_with_one_name_the_first_gets_it(
    tmp_path: Path, way: Callable[..., list[Outcome]]
) -> None:
    """A camera's RAW and JPEG, both as JPEG; the first takes longer."""
    first = write_photo(tmp_path / "in" / "a.jpg", *GROUP)
    second = write_photo(tmp_path / "in" / "a.png", *PORTRAIT, seed=1)
    home = Folders(tmp_path, tmp_path / "data")
    jobs = [Job(photo, tmp_path / "out", "balanced", "web") for photo in (first, second)]
    outcomes = way(make_engine(CAST), home, jobs)
    assert [one.output and one.output.name for one in outcomes] == ["a.jpg", "a-2.jpg"]


class Meeting(FakeDetector):
    """Looks at a photo only together with another one."""

    def __init__(self) -> None:
        super().__init__(CAST)
        self._both = threading.Barrier(2, timeout=HUNG)

    def __call__(self, image: Image, *, near: Sequence[Face] | None = None) -> list[Face]:
        self._both.wait()
        return super().__call__(image, near=near)


@pytest.mark.usefixtures("quick")
def test_two_are_under_way_at_once(tmp_path: Path) -> None:
    photos = [write_photo(tmp_path / f"{i}.png", *PORTRAIT, i) for i in range(4)]
    jobs = [Job(photo, tmp_path / "out", "balanced", "keep") for photo in photos]
    engine = replace(make_engine(CAST), detector=Meeting())
    outcomes = abreast(engine, Folders(tmp_path, tmp_path / "data"), jobs)
    assert [one.status for one in outcomes] == [Status.CLOAKED] * 4


@pytest.mark.usefixtures("quick")
def test_the_steps_shown_are_each_photos_own_and_the_share_is_the_runs(
    cli: Run, album: Path, tmp_path: Path
) -> None:
    photos = [write_photo(tmp_path / "in" / f"{i}.png", *PORTRAIT, i) for i in range(6)]
    _, rows, err = cli("cloak", *photos, "-o", tmp_path / "out", "--progress", "json", "--json")
    assert sorted(row["source"] for row in rows) == [str(photo) for photo in photos]
    events = [json.loads(line) for line in err.splitlines()]
    for number in range(1, 7):
        own = [one for one in events if one["photo"] == number]
        names = [one["event"] for one in own]
        assert names[:2] == ["looked", "begin"] and names[-1] == "end"
        done = [one["done"] for one in own[2:-1]]
        assert done == sorted(set(done)) and set(done) <= set(range(1, 19))
    shares = [one["share"] for one in events]
    assert shares == sorted(shares) and shares[-1] == 1.0, "no bar runs backward"
    assert [one["event"] for one in events[:6]] == ["looked"] * 6


def photo_threads() -> set[threading.Thread]:
    return {one for one in threading.enumerate() if one.name.startswith("photo_")}


def test_an_interrupt_ends_all_cloaks_at_their_next_step(
    cli: Run, engine: Engine, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        process_photo, "load_mode", lambda name: replace(load_mode(name), steps=400)
    )
    others = photo_threads()  # of tests before, idle until their pool is collected
    begun = threading.Event()

    def interrupted() -> bool:
        if not begun.is_set():
            begun.set()
            os.kill(os.getpid(), signal.SIGINT)
        return True

    slow_at(engine, interrupted)
    code, rows, err = cli("cloak", album, "-o", tmp_path / "out", "--json")
    assert (code, rows) == (ExitCode.INTERRUPTED, []) and "interrupted" in err
    until(lambda: not photo_threads() - others)
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("quick")
def test_with_a_deadline_photos_are_done_one_after_the_other(
    cli: Run, engine: Engine, album: Path, tmp_path: Path
) -> None:
    """Else two would share the time that is enough for one of them."""
    others = photo_threads()
    seen = set[str]()

    def looking() -> bool:
        seen.update(one.name for one in photo_threads() - others)
        return False

    slow_at(engine, looking)
    cli("cloak", album, "-o", tmp_path / "with", "--deadline", 600)
    assert len(seen) == 1
    cli("cloak", album, "-o", tmp_path / "without", "--redo")
    assert len(seen) == 2


@dataclass(frozen=True)
class TenSteps(Recipe):
    """Makes a worker with the models that takes ten steps, in any process."""

    def __call__(self) -> Worker:
        vars(process_photo)["load_mode"] = lambda name: replace(load_mode(name), steps=10)
        return super().__call__()


def in_processes(_: Engine, folders: Folders, jobs: list[Job]) -> list[Outcome]:
    executor = BoundProcesses(TenSteps(Settings(), folders), 2)
    return finished(Pipeline(open_decisions(folders), executor), jobs)


def done_in_all_ways(tmp_path: Path) -> list[object]:
    engine = TenSteps(Settings(), Folders(tmp_path, tmp_path))().engine
    portrait = exporters.read(manifest_root() / "demo" / "astronaut.png").pixels
    jobs, found = [], []
    for number in range(3):
        photo = tmp_path / f"{number}.jpg"
        Pillow.fromarray(portrait).crop((0, 0, 480 + 10 * number, 500)).save(photo)
        jobs.append(Job(photo, tmp_path / "out", "balanced", "keep"))
    for way in (one_by_one, abreast, in_processes):
        home = Folders(tmp_path / way.__name__, tmp_path / way.__name__ / "data")
        placed = [replace(job, folder=home.config / "out") for job in jobs]
        outcomes = way(engine, home, placed)
        assert all(one.output for one in outcomes)
        found.append(what_came_of(outcomes, home, home.config / "out"))
    return found


def test_real_models_give_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a process whose BLAS has one thread, as the command's has: more sum in another order."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        found = process.submit(done_in_all_ways, tmp_path).result(HUNG)
    assert found[0] == found[1] == found[2]
