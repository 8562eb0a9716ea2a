"""`photocloak cloak`: the main job."""

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click

from photocloak.plugin.commands.cloak_options import STREAM, CloakOptions, takes_options

if TYPE_CHECKING:
    from photocloak.engine.targets.library import Target
    from photocloak.plugin.commands.destination import Destination
    from photocloak.plugin.commands.streams import Streams
    from photocloak.plugin.pipeline.job import Job, Outcome
    from photocloak.plugin.progress import Progress
    from photocloak.plugin.settings import Settings
    from photocloak.plugin.storage.folders import Folders
    from photocloak.plugin.storage.inputs import Found


@click.command()
@takes_options
def cloak(options: CloakOptions) -> int:
    """Cloak the faces in photos and write the result to a folder.

    INPUT are photos and folders of photos, or - for a photo from standard input. The photos
    themselves are never changed.
    """
    end = None if options.deadline is None else time.monotonic() + options.deadline
    from photocloak.plugin.commands.streams import opened

    with opened(options) as (told, streams):
        return _cloak(told, streams, end)


def _cloak(options: CloakOptions, streams: "Streams", end: float | None) -> int:
    from photocloak import exporters
    from photocloak.plugin import assembly
    from photocloak.plugin.commands.destination import destination
    from photocloak.plugin.commands.running import open_run, run
    from photocloak.plugin.people.profiles import check_name
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
        names=options.names,
        fallback=options.fallback,
    )
    if options.person is not None:
        check_name(options.person)
    place = destination(options.output, options.inputs, one_file=options.one_file)
    found = require_photos(
        options.inputs, exporters.suffixes(), output=place.folder, exclude=options.exclude
    )
    if place.name is None and assembly.calls_neutrally(settings, folders):
        place = replace(place, neutral=True)
    recipe = assembly.Recipe(settings, folders)
    make = cache(recipe)
    target = None
    if options.target_folder is not None:
        target = assembly.target_from_folder(options.target_folder, make().engine)
    jobs = _jobs(options, found.photos, settings, place=place, target=target, end=end)
    began = time.time()
    sources = [STREAM if job.source == streams.source else job.source for job in jobs]
    with (
        open_run(recipe, jobs, options.scheduler, rehearsal=options.dry_run, make=make) as pipeline,
        closing(make_progress(options.progress, sources, verbose=options.verbose)) as show,
    ):
        for seen in found.passed:
            show.passed(seen)
        outcomes = run(pipeline, jobs, show, streams, as_json=options.as_json)
        if not options.dry_run:
            _tell_of_newcomers(outcomes, began, folders, show)
    if streams.folder is not None:
        streams.hand_over(outcomes)
        assembly.open_results(folders).drop(place.folder)
    return exit_code([outcome.code for outcome in outcomes])


def _jobs(
    options: CloakOptions,
    photos: "Sequence[Found]",
    settings: "Settings",
    *,
    place: "Destination",
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
            place.of(photo.below),
            settings.mode,
            settings.preset,
            no_face=settings.no_face,
            seed=options.seed,
            hint=UserHint(options.person, target),
            faces=settings.faces,
            deadline=end,
            metadata_from=metadata.get(photo.source),
            redo=options.redo,
            accept_weak=settings.accept_weak,
            neutral=place.neutral,
            name=place.name,
            fallback=None if settings.fallback == "hold" else settings.fallback,
            not_a_face=options.not_a_face,
            only=options.only,
            spared=options.spared,
        )
        for photo in photos
    ]


def _tell_of_newcomers(
    outcomes: "Sequence[Outcome]", began: float, folders: "Folders", show: "Progress"
) -> None:
    """Say how many profiles the run has made: a hard photo may have made one of somebody known."""
    from photocloak.plugin.people.roster import Roster
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
