"""Photos a minute: on one core and on all, by threads and as the command does; or by Dask workers.

    python -m benchmarks.lab.throughput PHOTO... [--rounds 3]
    python -m benchmarks.lab.throughput PHOTO... --dask [--rounds 3]

Models are loaded before. Every way is a process of its own (with Dask a cluster of its own, of one
thread a worker) that does all photos, with nobody known; the ways take turns. Told are medians of
the rounds, how many cores were busy meanwhile, and each way against the first. The executor of
`photocloak cloak` is the one that the command chooses for an album; its processes are started and
warm, too. With `--dask` also each worker by itself on a core, as far
as there are cores: what a machine more brings.
"""

import argparse
import multiprocessing
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from photocloak.core.cores import cores as own_cores
from photocloak.plugin import Folders, Job, Pipeline, Settings, open_pipeline
from photocloak.plugin.assembly import Recipe, open_decisions
from photocloak.plugin.commands.running import ALBUM, open_run
from photocloak.plugin.executors.dask import Cluster

MODE = Settings().mode


@dataclass(frozen=True)
class Way:
    """How the photos are done: on so many `cores`, so many `at_once`; 0: as the command does."""

    cores: int
    at_once: int

    def __str__(self) -> str:
        """Return it in words."""
        how = f"{self.at_once} at once" if self.at_once else "`photocloak cloak`"
        return f"{self.cores} core(s), {how}"


def keep_to(cores: Sequence[int]) -> None:
    """Have this process, and what it starts, run on these cores alone."""
    os.sched_setaffinity(0, cores)


@cache
def worker() -> Any:
    """Load the models, once a process."""
    nowhere = Path(tempfile.gettempdir(), "nobody")
    return Recipe(Settings(), Folders(nowhere, nowhere))()


def here(way: Way, photos: Sequence[Path]) -> tuple[float, float]:
    """Do the photos in this process; return seconds and seconds of processor time."""
    keep_to(own_cores()[: way.cores])
    with tempfile.TemporaryDirectory(prefix="throughput-") as name, ExitStack() as stack:
        home = Path(name)
        folders = Folders(home, home / "data")
        if way.at_once:
            pipeline = open_pipeline(worker().engine, folders, workers=way.at_once)
        else:
            recipe, jobs = Recipe(Settings(), folders), to_do(photos, home / "out")
            pipeline = stack.enter_context(open_run(recipe, jobs))
            finish(pipeline, photos[: way.cores], home / "warm", seed=1)  # else these were copies
        began, used = time.monotonic(), busy()
        finish(pipeline, photos, home / "out")
        return time.monotonic() - began, busy() - used


def busy() -> float:
    """Return the seconds of processor time of this process and of those that it has started."""
    seconds = time.process_time()
    for child in multiprocessing.active_children():
        fields = Path(f"/proc/{child.pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        seconds += sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")
    return seconds


def to_do(photos: Sequence[Path], out: Path, seed: int | None = None) -> list[Job]:
    return [Job(photo, out, MODE, "keep", seed=seed, accept_weak=True) for photo in photos]


def finish(pipeline: Pipeline, photos: Sequence[Path], out: Path, seed: int | None = None) -> None:
    """Do the photos; what does not end as a cloaked photo ends the program."""
    jobs = to_do(photos, out, seed)
    for outcome in pipeline.run_all(jobs, lambda _: None):
        if outcome.output is None:
            raise SystemExit(f"{outcome.source.name}: {outcome.reason}")


def threads(photos: Sequence[Path], rounds: int) -> None:
    """Measure and print the ways of one machine."""
    cores = len(own_cores())
    ways = [Way(1, 1), Way(cores, 1), Way(cores, cores), Way(cores, 0)]
    found: dict[Way, list[tuple[float, float]]] = {way: [] for way in ways}
    with ExitStack() as stack:
        processes = {
            way: stack.enter_context(ProcessPoolExecutor(1, mp_context=get_context("spawn")))
            for way in ways
        }
        for number in range(rounds + 1):
            for way, process in processes.items():
                if not number and not way.at_once:
                    continue
                lot = photos if number else photos[:1]  # the first round only loads the models
                took = process.submit(here, way, lot).result()
                if number:
                    found[way].append(took)
    tell({str(way): rows for way, rows in found.items()}, len(photos))


def far(made: Any, photos: Sequence[Path]) -> tuple[float, float]:
    """Do the photos on a cluster's workers; return seconds and their processor time."""
    with tempfile.TemporaryDirectory(prefix="throughput-") as name:
        home = Path(name)
        folders = Folders(home / "config", home / "data")
        nowhere = Path(tempfile.gettempdir(), "nobody")
        recipe = Recipe(Settings(), Folders(nowhere, nowhere))
        executor = Cluster(recipe, made.scheduler_address)
        pipeline = Pipeline(open_decisions(folders), executor)
        began, used = time.monotonic(), _used(made)
        try:
            finish(pipeline, photos, home / "out")
        finally:
            pipeline.close(wait=True)
        return time.monotonic() - began, _used(made) - used


def _used(cluster: Any) -> float:
    from distributed import Client

    with Client(cluster, set_as_default=False) as client:
        used: dict[str, float] = client.run(time.process_time)
        return sum(used.values())


@contextmanager
def cluster(workers: int, *, apart: bool) -> Iterator[Any]:
    """Give a cluster of so many worker processes, each on a core by itself if `apart`."""
    from distributed import Client, LocalCluster

    with (
        tempfile.TemporaryDirectory(prefix="throughput-") as place,
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            local_directory=place,
            silence_logs=50,
        ) as made,
    ):
        if apart:
            with Client(made, set_as_default=False) as client:
                for number, address in enumerate(client.scheduler_info()["workers"]):
                    client.run(keep_to, [number], workers=[address])
        yield made


def dask(photos: Sequence[Path], rounds: int) -> None:
    """Measure and print clusters of one, two and four workers."""
    cores = len(own_cores())
    kinds = [(1, True), *((2, True) for _ in range(cores > 1)), (1, False), (2, False), (4, False)]
    found: dict[str, list[tuple[float, float]]] = {}
    for workers, apart in kinds:  # by turns, their models would fill the memory
        where = "each on a core by itself" if apart else f"on {cores} cores"
        with cluster(workers, apart=apart) as made:
            far(made, photos)  # loads the models everywhere
            found[f"{workers} worker(s), {where}"] = [far(made, photos) for _ in range(rounds)]
    tell(found, len(photos))


def tell(found: dict[str, list[tuple[float, float]]], count: int) -> None:
    """Print a line a way."""
    first = None
    for way, rows in found.items():
        seconds = statistics.median(row[0] for row in rows)
        busy = statistics.median(used / took for took, used in rows)
        first = first or seconds
        print(
            f"{way:42} {60 * count / seconds:6.1f} photos a minute (× {first / seconds:.2f}), "
            f"{seconds / count:.2f} s a photo, {busy:.2f} cores busy: "
            f"{busy * seconds / count:.2f} s of processor time a photo"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", metavar="PHOTO", nargs="+", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dask", action="store_true")
    told = parser.parse_args()
    if not told.dask and len(told.photos) < ALBUM:
        parser.error(f"name {ALBUM} photos at least, which the command takes for an album")
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # in the processes, as the command has it
    measure = dask if told.dask else threads
    measure([photo.resolve() for photo in told.photos], told.rounds)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(f"the largest process held {peak} MB")


if __name__ == "__main__":
    main()
