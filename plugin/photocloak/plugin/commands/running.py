"""A run over photos, for the commands that make one: imported when it is to begin."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import click

from photocloak.plugin import assembly
from photocloak.plugin.assembly import Recipe
from photocloak.plugin.commands.streams import Streams
from photocloak.plugin.executors.dask import Cluster
from photocloak.plugin.executors.threads import WorkerThreads, at_once
from photocloak.plugin.pipeline.job import Job, Outcome
from photocloak.plugin.pipeline.pipeline import Pipeline
from photocloak.plugin.pipeline.worker import Worker
from photocloak.plugin.progress import Progress

GO_ON = "the same command goes on with what is not done"


@contextmanager
def open_run(
    recipe: Recipe,
    jobs: Sequence[Job],
    scheduler: str | None = None,
    *,
    rehearsal: bool = False,
    make: Callable[[], Worker] | None = None,
) -> Iterator[Pipeline]:
    """Open the stores, and what the photos are done with: this process, or a cluster.

    In this process two are done at once, unless there is a deadline: in the time that one of two
    needs, both together come to nothing.

    Args:
        recipe: of the worker.
        jobs: to be done.
        scheduler: address of the cluster's; None: this process.
        rehearsal: say only what would be done.
        make: makes the worker, where one was made before; None: as the recipe says.

    """
    decisions = (assembly.open_rehearsal if rehearsal else assembly.open_decisions)(recipe.folders)
    decisions.check(jobs[0])
    if scheduler is None:
        alone = len(jobs) == 1 or jobs[0].deadline is not None
        pipeline = Pipeline(
            decisions, WorkerThreads(make or cache(recipe), 1 if alone else at_once())
        )
    else:
        pipeline = Pipeline(decisions, Cluster(recipe, scheduler))
    try:
        yield pipeline
    finally:
        pipeline.close(wait=False)


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
