"""A real Dask cluster: two worker processes, of which one is killed at work."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import LocalCluster

from photocloak.core import ConfigError
from photocloak.plugin import Status, assembly
from photocloak.plugin.executors.dask import connected
from photocloak.plugin.main import run
from tests.plugin.executors.test_process_pool import HUNG, until
from tests.plugin.fakes import BARE, CRASH, GROUP, LINGER, PORTRAIT, FakeRecipe
from tests.plugin.pipeline.test_coordinator import Office, quick

__all__ = ["quick"]  # a fixture

ROOT = Path(__file__).parents[3]


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
    with connected(cluster.scheduler_address) as (executor, workers):
        assert workers == 2
        office = Office(tmp_path / "far", executor, FakeRecipe(marker), workers)
        jobs = [office.job(f"{i}.png", size, i) for i, size in enumerate(sizes)]
        futures = [office.coordinator.submit(job) for job in jobs]
        until(lambda: marker.exists() and bool(marker.read_text()))
        os.kill(int(marker.read_text()), signal.SIGKILL)
        outcomes = [future.result(HUNG) for future in futures]
        office.coordinator.close(wait=True)
    assert [one.source for one in outcomes] == [job.source for job in jobs]
    assert [one.status for one in outcomes] == [
        Status.NO_FACE if size == BARE else Status.CLOAKED for size in sizes
    ]
    near = Office(tmp_path / "near", executor, FakeRecipe(), 1)
    for i, size in enumerate(sizes):
        near.pipeline.run(near.job(f"{i}.png", size, i))
    assert office.written() == near.written() and len(near.written()) == 6
    assert office.targets() == near.targets()


def test_a_photo_that_kills_every_worker_costs_itself(
    cluster: LocalCluster, tmp_path: Path
) -> None:
    with connected(cluster.scheduler_address) as (executor, workers):
        office = Office(tmp_path, executor, FakeRecipe(), workers)
        jobs = [office.job("bad.png", CRASH), *(office.job(f"{i}.png", PORTRAIT) for i in "ab")]
        outcomes = [f.result(HUNG) for f in [office.coordinator.submit(job) for job in jobs]]
        office.coordinator.close(wait=True)
    assert [one.status for one in outcomes] == [Status.FAILED, Status.CLOAKED, Status.CLOAKED]
    assert str(outcomes[0].reason).startswith(f"{jobs[0].source}: unexpected KilledWorker")


def test_the_command_runs_on_a_cluster(
    cluster: LocalCluster,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def opened(_settings: object, _folders: object, executor: object, *, workers: int) -> object:
        return Office(tmp_path, executor, FakeRecipe(), workers).coordinator  # type: ignore[arg-type]

    monkeypatch.setattr(assembly, "open_coordinator", opened)
    album = Office(tmp_path, None, None, 1)  # type: ignore[arg-type]
    names = [album.job(f"{i}.png", PORTRAIT, i).source.name for i in range(3)]
    monkeypatch.chdir(tmp_path)
    arguments = ["cloak", "in", "-o", "out", "--scheduler", cluster.scheduler_address, "--json"]
    assert run(arguments) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["source"] for row in rows] == [str(tmp_path / "in" / name) for name in names]
    assert [row["output"] for row in rows] == [f"out/{name}" for name in names]


def test_nobody_answers() -> None:
    with (
        pytest.raises(ConfigError, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:9"),
        connected("tcp://127.0.0.1:9"),
    ):
        pass


def test_there_are_no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        LocalCluster(n_workers=0, processes=True, dashboard_address=None) as cluster,
        pytest.raises(ConfigError, match="has no workers; start some"),
        connected(cluster.scheduler_address),
    ):
        pass


def test_a_deadline_is_for_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cloak", "a", "-o", "b", "--scheduler", "tcp://x:1", "--deadline", "5"]) == 2
    assert "--deadline is for this machine" in capsys.readouterr().err


def test_without_dask_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(ConfigError, match=r"photocloak\[distributed\]"), connected("tcp://x:1"):
        pass
