"""`photocloak cloak`: the main job."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from photocloak.core import InputError

if TYPE_CHECKING:
    from photocloak.plugin.job import Job, Outcome
    from photocloak.plugin.pipeline import Pipeline
    from photocloak.plugin.progress import Progress

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
    help="What metadata and size the file keeps: keep (default), web, anonymous, …",
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
@click.option("--seed", metavar="N", type=click.IntRange(0, 2**63 - 1), help="Seed of the noise.")
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
    seed: int | None,
    as_json: bool,
    progress: Any,
) -> int:
    """Cloak the faces in photos and write the result to a folder.

    INPUT are photos and folders of photos. The photos themselves are never changed.
    """
    from photocloak import exporters
    from photocloak.plugin.assembly import load_engine, open_pipeline, target_from_folder
    from photocloak.plugin.assignment import Wish
    from photocloak.plugin.folders import Folders
    from photocloak.plugin.inputs import find_photos
    from photocloak.plugin.job import Job, exit_code
    from photocloak.plugin.people import check_name
    from photocloak.plugin.progress import make_progress
    from photocloak.plugin.settings import load_settings

    folders = Folders.of_user()
    settings = load_settings(folders.settings).with_flags(mode=mode, preset=preset, no_face=no_face)
    if person is not None:
        check_name(person)
    photos = find_photos(inputs, exporters.suffixes(), output=output)
    if not photos:
        named = ", ".join(str(item) for item in inputs)
        raise InputError(f"There are no photos in {named}.")
    engine = load_engine(settings, folders)
    target = None if target_folder is None else target_from_folder(target_folder, engine)
    wish = Wish(person, target)
    jobs = [
        Job(
            photo.source,
            output / photo.below,
            settings.mode,
            settings.preset,
            settings.no_face,
            seed,
            wish,
        )
        for photo in photos
    ]
    pipeline = open_pipeline(engine, folders)
    pipeline.check(settings.mode, settings.preset)
    show = make_progress(progress, len(jobs))
    try:
        outcomes = [run_one(pipeline, job, show, as_json=as_json) for job in jobs]
    finally:
        show.close()
    return exit_code([outcome.code for outcome in outcomes])


def run_one(pipeline: "Pipeline", job: "Job", show: "Progress", *, as_json: bool) -> "Outcome":
    """Do one job and tell of it on stdout and stderr."""
    show.begin(job.source)
    outcome = pipeline.run(job, on_step=show.step)
    if as_json:
        click.echo(json.dumps(outcome.as_json()))
    show.end(outcome)
    return outcome
