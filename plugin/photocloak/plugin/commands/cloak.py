"""`photocloak cloak`: the main job."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click

from photocloak.plugin.commands.cloak_options import CloakOptions, takes_options

if TYPE_CHECKING:
    from photocloak.engine.targets.library import Target
    from photocloak.plugin.assembly import Recipe
    from photocloak.plugin.pipeline.job import Job, Outcome
    from photocloak.plugin.pipeline.pipeline import Pipeline
    from photocloak.plugin.pipeline.worker import Worker
    from photocloak.plugin.progress import Progress
    from photocloak.plugin.settings import Settings
    from photocloak.plugin.storage.folders import Folders
    from photocloak.plugin.storage.inputs import Found

GO_ON = "the same command goes on with what is not done"


@click.command()
@takes_options
def cloak(options: CloakOptions) -> int:
    """Cloak the faces in photos and write the result to a folder.

    INPUT are photos and folders of photos. The photos themselves are never changed.
    """
    end = None if options.deadline is None else time.monotonic() + options.deadline
    from photocloak import exporters
    from photocloak.plugin import assembly
    from photocloak.plugin.people.registry import check_name
    from photocloak.plugin.pipeline.job import exit_code
    from photocloak.plugin.progress import make_progress
    from photocloak.plugin.settings import load_settings
    from photocloak.plugin.storage.folders import Folders
    from photocloak.plugin.storage.inputs import require_photos

    folders = Folders.of_user()
    settings = load_settings(folders.settings).with_flags(
        mode=options.mode,
        preset=options.preset,
        no_face=options.no_face,
        faces=options.faces,
        accept_weak=options.accept_weak,
    )
    if options.person is not None:
        check_name(options.person)
    found = require_photos(options.inputs, exporters.suffixes(), output=options.output)
    make = cache(assembly.Recipe(settings, folders))
    target = None
    if options.target_folder is not None:
        target = assembly.target_from_folder(options.target_folder, make().engine)
    jobs = _jobs(options, found.photos, settings, target, end)
    began, outcomes, here = time.time(), [], str(Path.cwd())
    with (
        _opened(jobs, assembly.Recipe(settings, folders), make, options.scheduler) as pipeline,
        closing(
            make_progress(options.progress, [job.source for job in jobs], verbose=options.verbose)
        ) as show,
    ):
        for seen in found.passed:
            show.passed(seen)
        try:
            for outcome in pipeline.run_all(jobs, show.event):
                if options.as_json:
                    click.echo(json.dumps(outcome.as_json() | {"directory": here}))
                show.end(outcome)
                outcomes.append(outcome)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(GO_ON) from None
        _tell_of_newcomers(outcomes, began, folders, show)
    return exit_code([outcome.code for outcome in outcomes])


def _jobs(
    options: CloakOptions,
    photos: "Sequence[Found]",
    settings: "Settings",
    target: "Target | None",
    end: float | None,
) -> "list[Job]":
    from photocloak.plugin.people.assignment import UserHint
    from photocloak.plugin.pipeline.job import Job

    metadata = dict(zip(options.inputs, map(Path.absolute, options.metadata_from), strict=False))
    return [
        Job(
            # A worker elsewhere is in another folder.
            photo.source if options.scheduler is None else photo.source.absolute(),
            options.output / photo.below,
            settings.mode,
            settings.preset,
            settings.no_face,
            options.seed,
            UserHint(options.person, target),
            settings.faces,
            end,
            metadata.get(photo.source),
            options.redo,
            settings.accept_weak,
        )
        for photo in photos
    ]


@contextmanager
def _opened(
    jobs: "Sequence[Job]", recipe: "Recipe", make: "Callable[[], Worker]", scheduler: str | None
) -> "Iterator[Pipeline]":
    """Open the stores, and what the photos are done with: this process, or a cluster.

    In this process two are done at once, unless there is a deadline: in the time that one of two
    needs, both together come to nothing.
    """
    from photocloak.plugin.assembly import open_decisions
    from photocloak.plugin.executors.dask import Cluster
    from photocloak.plugin.executors.threads import WorkerThreads, at_once
    from photocloak.plugin.pipeline.pipeline import Pipeline

    decisions = open_decisions(recipe.folders)
    decisions.check(jobs[0])
    if scheduler is None:
        alone = len(jobs) == 1 or jobs[0].deadline is not None
        pipeline = Pipeline(decisions, WorkerThreads(make, 1 if alone else at_once()))
    else:
        pipeline = Pipeline(decisions, Cluster(recipe, scheduler))
    try:
        yield pipeline
    finally:
        pipeline.close(wait=False)


def _tell_of_newcomers(
    outcomes: "Sequence[Outcome]", began: float, folders: "Folders", show: "Progress"
) -> None:
    """Say how many profiles the run has made: a hard photo may have made one of somebody known."""
    from photocloak.plugin.people.registry import Roster
    from photocloak.plugin.pipeline.messages import Event
    from photocloak.plugin.storage.database import Database

    seen = {face.person for outcome in outcomes for face in outcome.faces}
    if not any(seen):
        return
    everybody = Roster(Database(folders.database)).everybody()
    new = [one for one in everybody if one.name is None and one.created >= began]
    count = sum(one.label in seen for one in new)
    if count and len(everybody) > 1:
        who = "1 person was" if count == 1 else f"{count} people were"
        text = (
            f"{who} new; if some are one person, or somebody seen before: `photocloak people "
            "list`, then `people merge`; or enroll them first (`people enroll`)"
        )
        show.event(Event("remark", text=text))
