"""A run over photos, for the commands that make one: imported when it is to begin."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import click

from photocloak.engine.runtime import has_cuda
from photocloak.exporters.reading import announced
from photocloak.plugin import assembly
from photocloak.plugin.assembly import Recipe
from photocloak.plugin.commands.streams import Streams
from photocloak.plugin.executors.base import Executor
from photocloak.plugin.executors.bound import BoundProcesses, room_for
from photocloak.plugin.executors.dask import Cluster
from photocloak.plugin.executors.threads import WorkerThreads, at_once
from photocloak.plugin.pipeline.job import Job, Outcome
from photocloak.plugin.pipeline.pipeline import Pipeline
from photocloak.plugin.pipeline.worker import Worker
from photocloak.plugin.progress import Progress

GO_ON = "the same command goes on with what is not done"

ALBUM = 6
"""Photos from which processes, which are started first, are sooner done: with four it is even."""

OWN = 250_000_000
"""Bytes that a process with the models shares with no other (docs/lab/speed.md)."""

PER_PIXEL = 16
"""Bytes that it takes for each pixel of a photo meanwhile; 10 to 14 were measured."""

LARGEST = 3
"""Files of each kind, the largest by bytes, of which it is looked up how many pixels they have."""


@contextmanager
def open_run(
    recipe: Recipe,
    jobs: Sequence[Job],
    scheduler: str | None = None,
    *,
    rehearsal: bool = False,
    make: Callable[[], Worker] | None = None,
) -> Iterator[Pipeline]:
    """Open the stores, and what the photos are done with.

    That is a cluster where one is named; processes for an album, of which each photo that crashes
    one costs itself alone; threads of this process for a few photos, and where nothing is cloaked.

    Args:
        recipe: of the worker.
        jobs: to be done.
        scheduler: address of the cluster's; None: this process.
        rehearsal: say only what would be done.
        make: makes the worker of this process, where one was made before; None: as the recipe
            says.

    """
    decisions = (assembly.open_rehearsal if rehearsal else assembly.open_decisions)(recipe.folders)
    decisions.check(jobs[0])
    if scheduler is not None:
        executor: Executor = Cluster(recipe, scheduler)
    elif rehearsal or not _is_album(recipe, jobs):
        executor = WorkerThreads(make or cache(recipe), _abreast(jobs))
    else:
        executor = BoundProcesses(recipe, min(room_for(_memory(jobs)), len(jobs)))
    pipeline = Pipeline(decisions, executor)
    try:
        yield pipeline
    finally:
        pipeline.close(wait=False)


def _is_album(recipe: Recipe, jobs: Sequence[Job]) -> bool:
    """Tell whether processes pay. Not on a card, which takes one photo's faces together, nor with
    a deadline: a process would be late for its first photo.
    """
    many = len(jobs) >= ALBUM and jobs[0].deadline is None
    return many and not has_cuda(recipe.settings.device)


def _abreast(jobs: Sequence[Job]) -> int:
    """Return how many photos this process does at once.

    With a deadline one: in the time that one of two needs, both together come to nothing.
    """
    return 1 if len(jobs) == 1 or jobs[0].deadline is not None else at_once()


def _memory(jobs: Sequence[Job]) -> int:
    """Return the bytes that a process takes with the largest photo, for itself alone."""
    by_kind: dict[str, list[tuple[int, Path]]] = {}
    for job in jobs:
        with suppress(OSError):
            size = job.source.stat().st_size
            by_kind.setdefault(job.source.suffix.lower(), []).append((size, job.source))
    large = (path for some in by_kind.values() for _, path in sorted(some)[-LARGEST:])
    return OWN + PER_PIXEL * max(map(announced, large), default=0)


def run(
    pipeline: Pipeline, jobs: list[Job], show: Progress, streams: Streams, *, as_json: bool
) -> list[Outcome]:
    """Do the photos, and tell of each as soon as it is done."""
    outcomes, here = [], str(Path.cwd())
    try:
        for outcome in pipeline.run_all(jobs, lambda event: show.event(streams.event(event))):
            told = streams.outcome(outcome)
            if as_json:
                click.echo(json.dumps(told.as_json() | {"directory": here}))
            show.end(told)
            outcomes.append(outcome)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(GO_ON) from None
    return outcomes
