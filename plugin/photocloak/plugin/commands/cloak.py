"""`photocloak cloak`: the main job."""

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from photocloak.plugin.assembly import Recipe
    from photocloak.plugin.pipeline.job import Job, Outcome
    from photocloak.plugin.pipeline.pipeline import Pipeline
    from photocloak.plugin.pipeline.worker import Worker
    from photocloak.plugin.progress import Progress
    from photocloak.plugin.storage.folders import Folders

GO_ON = "the same command goes on with what is not done"

PATH = click.Path(path_type=Path)


@click.command()
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True, type=PATH)
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    required=True,
    type=PATH,
    help="Folder for the cloaked photos; sub-folders of an INPUT folder are mirrored in it.",
)
@click.option("--mode", metavar="MODE", help="subtle, balanced (default), strong or fawkes.")
@click.option(
    "--preset",
    metavar="NAME",
    help="What metadata and size the file keeps: keep (default), web, anonymous, bluesky, "
    "facebook, instagram, linkedin, x, or one of your own.",
)
@click.option(
    "--person",
    metavar="NAME",
    help="Whom the photos show; of several faces, the one that looks like NAME.",
)
@click.option(
    "--target-folder",
    metavar="DIR",
    type=PATH,
    help="Photos of whom that person shall be taken for, instead of a target of the library.",
)
@click.option(
    "--no-face",
    type=click.Choice(["hold", "copy"]),
    help="Hold back photos without a face (default), or write them as they are.",
)
@click.option(
    "--faces",
    type=click.Choice(["everyone", "me"]),
    help="Cloak everyone (default), or only people with a name, and leave the others alone.",
)
@click.option(
    "--metadata-from",
    metavar="FILE",
    multiple=True,
    type=PATH,
    help="Photo whose XMP and IPTC, and those of its sidecar FILE.xmp, INPUT gets; one an INPUT.",
)
@click.option(
    "--deadline",
    metavar="S",
    type=click.FloatRange(min=0, min_open=True),
    help="Give up early what cannot be done in S seconds, and write nothing after them.",
)
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Run on the workers of a Dask scheduler, such as tcp://10.0.0.5:8786.",
)
@click.option("--seed", metavar="N", type=click.IntRange(0, 2**63 - 1), help="Seed of the noise.")
@click.option("--redo", is_flag=True, help="Make what was done before once more, in its place.")
@click.option("-v", "--verbose", is_flag=True, help="List what is passed over in folders.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a photo on stdout.")
@click.option(
    "--progress",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "plain", "json", "none"]),
    help="How to show progress on stderr.",
)
def cloak(
    *,
    inputs: tuple[Path, ...],
    output: Path,
    mode: str | None,
    preset: str | None,
    person: str | None,
    target_folder: Path | None,
    no_face: str | None,
    faces: str | None,
    metadata_from: tuple[Path, ...],
    deadline: float | None,
    scheduler: str | None,
    seed: int | None,
    redo: bool,
    verbose: bool,
    as_json: bool,
    progress: Any,
) -> int:
    """Cloak the faces in photos and write the result to a folder.

    INPUT are photos and folders of photos. The photos themselves are never changed.
    """
    if deadline is not None and not math.isfinite(deadline):  # comparisons let NaN through
        raise click.UsageError("--deadline is a number of seconds.")
    if deadline is not None and scheduler is not None:
        raise click.UsageError("--deadline is for this machine; leave out --scheduler.")
    if metadata_from and (len(metadata_from) != len(inputs) or any(map(Path.is_dir, inputs))):
        raise click.UsageError("--metadata-from is given once for each INPUT, which are files.")
    end = None if deadline is None else time.monotonic() + deadline
    from photocloak import exporters
    from photocloak.plugin import assembly
    from photocloak.plugin.people.assignment import UserHint
    from photocloak.plugin.people.registry import check_name
    from photocloak.plugin.pipeline.job import Job, exit_code
    from photocloak.plugin.progress import make_progress
    from photocloak.plugin.settings import load_settings
    from photocloak.plugin.storage.folders import Folders
    from photocloak.plugin.storage.inputs import require_photos

    folders = Folders.of_user()
    settings = load_settings(folders.settings).with_flags(
        mode=mode, preset=preset, no_face=no_face, faces=faces
    )
    if person is not None:
        check_name(person)
    found = require_photos(inputs, exporters.suffixes(), output=output)
    make = cache(assembly.Recipe(settings, folders))
    target = None
    if target_folder is not None:
        target = assembly.target_from_folder(target_folder, make().engine)
    metadata = dict(zip(inputs, map(Path.absolute, metadata_from), strict=False))
    jobs = [
        Job(
            # A worker elsewhere is in another folder.
            photo.source if scheduler is None else photo.source.absolute(),
            output / photo.below,
            settings.mode,
            settings.preset,
            settings.no_face,
            seed,
            UserHint(person, target),
            settings.faces,
            end,
            metadata.get(photo.source),
            redo,
        )
        for photo in found.photos
    ]
    began, outcomes = time.time(), []
    with (
        _opened(jobs, assembly.Recipe(settings, folders), make, scheduler) as pipeline,
        closing(make_progress(progress, [job.source for job in jobs], verbose=verbose)) as show,
    ):
        for seen in found.passed:
            show.passed(seen)
        try:
            for outcome in pipeline.run_all(jobs, show.event):
                if as_json:
                    click.echo(json.dumps(outcome.as_json()))
                show.end(outcome)
                outcomes.append(outcome)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(GO_ON) from None
        _tell_of_newcomers(outcomes, began, folders, show)
    return exit_code([outcome.code for outcome in outcomes])


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
