"""`photocloak targets`: the library of those for whom people are taken."""

from pathlib import Path

import click

PATH = click.Path(path_type=Path)


@click.group()
def targets() -> None:
    """Rebuild the library of targets."""


@targets.command()
@click.argument("photos", metavar="PHOTOS_DIR", type=PATH)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=PATH,
    help="Where to; the default is your data folder, where it is used from then on.",
)
def build(photos: Path, output: Path | None) -> None:
    """Rebuild the target library, for instance after adding an extractor.

    PHOTOS_DIR holds a sub-folder for each of many different people. No target is one of them:
    targets are drawn from how faces vary.
    """
    from photocloak.plugin.assembly import own_library
    from photocloak.plugin.settings import load_settings
    from photocloak.plugin.storage.folders import Folders
    from photocloak.plugin.target_library import build_from_folder

    folders = Folders.of_user()
    path = output or own_library(folders)
    census = build_from_folder(photos, path, load_settings(folders.settings), folders)
    click.echo(f"{path}: {census.kept} targets, {census.drawn} drawn", err=True)
    for name, matches in census.matches.items():
        click.echo(
            f"  {name}: a target matches {matches:.2f} of the people, "
            f"a real person {census.real[name]:.2f}",
            err=True,
        )
