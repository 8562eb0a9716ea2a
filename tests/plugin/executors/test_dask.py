"""A real Dask cluster: two worker processes, of which one is killed at work."""

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from distributed import LocalCluster

from photocloak.core import ConfigError
from photocloak.plugin import Database, Folders, Status, assembly
from photocloak.plugin.executors.dask import Cluster
from photocloak.plugin.main import run
from photocloak.plugin.pipeline.messages import Event
from tests.plugin.executors.test_process_pool import HUNG, until
from tests.plugin.fakes import BARE, CAST, CRASH, GROUP, LINGER, PORTRAIT, FakeRecipe, make_engine
from tests.plugin.pipeline.test_coordinator import Office, here, quick
from tests.plugin.studio import decisions_of

__all__ = ["quick"]  # a fixture

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class WithFolders(FakeRecipe):
    """A recipe of fakes that knows the user's folders, as the real one does."""

    folders: Folders | None = None

    def __init__(self, folders: Folders) -> None:
        super().__init__()
        object.__setattr__(self, "folders", folders)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LocalCluster]:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address=None,
        local_directory=str(tmp_path / "dask"),
        silence_logs=50,
    ) as cluster:
        yield cluster


def test_one_of_two_workers_is_killed_at_work(cluster: LocalCluster, tmp_path: Path) -> None:
    sizes = [PORTRAIT, GROUP, BARE, LINGER, PORTRAIT, GROUP, PORTRAIT, BARE]
    marker = tmp_path / "pid"
    executor = Cluster(FakeRecipe(marker), cluster.scheduler_address)
    assert executor.workers == 2
    office = Office(tmp_path / "far", executor)
    jobs = [office.job(f"{i}.png", size, i) for i, size in enumerate(sizes)]
    events: list[Event] = []
    futures = office.coordinator.batch(jobs, events.append)
    until(lambda: marker.exists() and bool(marker.read_text()))
    os.kill(int(marker.read_text()), signal.SIGKILL)
    outcomes = [future.result(HUNG) for future in futures]
    office.coordinator.close(wait=True)
    assert [one.source for one in outcomes] == [job.source for job in jobs]
    assert [one.status for one in outcomes] == [
        Status.NO_FACE if size == BARE else Status.CLOAKED for size in sizes
    ]
    assert {one.job and one.job.source.name for one in events if one.what == "step"} == {
        f"{i}.png" for i, size in enumerate(sizes) if size != BARE
    }, "steps are heard from the cluster, too"
    near = Office(tmp_path / "near", here())
    near.do([near.job(f"{i}.png", size, i) for i, size in enumerate(sizes)])
    assert office.written() == near.written() and len(near.written()) == 6
    assert office.targets() == near.targets()


def test_a_photo_that_kills_every_worker_costs_itself(
    cluster: LocalCluster, tmp_path: Path
) -> None:
    office = Office(tmp_path, Cluster(FakeRecipe(), cluster.scheduler_address))
    jobs = [
        office.job("bad.png", CRASH),
        *(office.job(f"{i}.png", PORTRAIT, i) for i in range(2)),
    ]
    outcomes = office.do(jobs)
    office.coordinator.close(wait=True)
    assert [one.status for one in outcomes] == [Status.FAILED, Status.CLOAKED, Status.CLOAKED]
    assert str(outcomes[0].reason).startswith(f"{jobs[0].source}: unexpected KilledWorker")


def test_the_command_runs_on_a_cluster(
    cluster: LocalCluster,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(assembly, "Recipe", lambda _, folders: WithFolders(folders))
    monkeypatch.setattr(
        assembly,
        "open_decisions",
        lambda folders: decisions_of(make_engine(CAST), Database(folders.database)),
    )
    album = Office(tmp_path, here())
    names = [album.job(f"{i}.png", PORTRAIT, i).source.name for i in range(3)]
    monkeypatch.chdir(tmp_path)
    arguments = ["cloak", "in", "-o", "out", "--scheduler", cluster.scheduler_address, "--json"]
    assert run(arguments) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert sorted(row["source"] for row in rows) == [str(tmp_path / "in" / name) for name in names]
    assert sorted(row["output"] for row in rows) == [f"out/{name}" for name in names]


def test_nobody_answers() -> None:
    with pytest.raises(ConfigError, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        Cluster(FakeRecipe(), "tcp://127.0.0.1:9")


def test_there_are_no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        LocalCluster(n_workers=0, processes=True, dashboard_address=None) as cluster,
        pytest.raises(ConfigError, match="has no workers; start some"),
    ):
        Cluster(FakeRecipe(), cluster.scheduler_address)


def test_a_deadline_is_for_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cloak", "a", "-o", "b", "--scheduler", "tcp://x:1", "--deadline", "5"]) == 2
    assert "--deadline is for this machine" in capsys.readouterr().err


def test_without_dask_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(ConfigError, match=r"pip install 'dask\[distributed\]"):
        Cluster(FakeRecipe(), "tcp://x:1")
