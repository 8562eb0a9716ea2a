"""`photocloak watch`: the daemon."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from photocloak.plugin.commands.completing import MODE, presets

if TYPE_CHECKING:
    from photocloak.plugin.settings import Settings
    from photocloak.plugin.storage.folders import Folders
    from photocloak.plugin.watch.runner import Coordinating

PATH = click.Path(path_type=Path)


@click.command()
@click.argument("paths", metavar="[FOLDER]...", nargs=-1, type=PATH)
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=PATH,
    help="Folder for the cloaked photos; sub-folders are mirrored in it.",
)
@MODE
@click.option(
    "--preset",
    metavar="NAME",
    shell_complete=presets,
    help="What metadata and size the file keeps: keep (default), web, anonymous, …",
)
@click.option(
    "--accept-weak",
    is_flag=True,
    default=None,
    help="Let weak cloaks pass, instead of cloaking such faces harder and holding back what stays "
    "weak.",
)
def watch(
    *,
    paths: tuple[Path, ...],
    output: Path | None,
    mode: str | None,
    preset: str | None,
    accept_weak: bool | None,
) -> None:
    """Cloak every photo that comes to lie in a FOLDER, until stopped.

    What lies there already is done as well. Without FOLDER and DIR, those of the settings file.
    """
    from functools import partial

    from photocloak.plugin.storage.folders import Folders
    from photocloak.plugin.watch.config import read_config
    from photocloak.plugin.watch.daemon import Daemon

    folders = Folders.of_user()
    said = {"mode": mode, "preset": preset, "accept_weak": accept_weak}
    load = partial(read_config, folders, paths=paths, output=output, **said)
    Daemon(load, folders, open_coordinator=open_coordinator).run()


def open_coordinator(settings: "Settings", folders: "Folders") -> "Coordinating":
    """Have one process of its own hold the models: what crashes there costs one photo."""
    from photocloak.plugin.assembly import Recipe, open_decisions
    from photocloak.plugin.executors.processes import Processes
    from photocloak.plugin.pipeline.coordinator import Coordinator

    return Coordinator(open_decisions(folders), Processes(Recipe(settings, folders), 1))
