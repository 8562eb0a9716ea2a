"""`photocloak beside`: what the desktop's menus run."""

from pathlib import Path

import click

PATH = click.Path(path_type=Path)


@click.command()
@click.argument("photos", metavar="PHOTO...", nargs=-1, type=PATH)
@click.option(
    "--preset",
    metavar="NAME",
    help="What metadata and size the files keep: that of the settings, or web if that is keep.",
)
def beside(photos: tuple[Path, ...], preset: str | None) -> int:
    """Cloak photos into a folder beside them, and say on the desktop what came of it.

    This is what `photocloak install desktop` puts into menus. The folder is called `cloaked`; the
    setting `beside` names another. Photos that are held back are named, with the reason.
    """
    from photocloak.core import PhotocloakError
    from photocloak.plugin.beside import (
        cloak_group,
        exit_status,
        groups,
        notify,
        summary,
    )
    from photocloak.plugin.bridges.base import program
    from photocloak.plugin.settings import load_settings
    from photocloak.plugin.storage.folders import Folders

    if not photos:
        notify("Choose photos to cloak", "Right-click photos in your file manager.")
        return 0
    try:
        settings = load_settings(Folders.of_user().settings)
        command = program()
    except PhotocloakError as error:
        notify("No photo was cloaked", str(error), urgent=True)
        return error.exit_code
    count = f"{len(photos)} photo{'s' * (len(photos) != 1)}"
    notify(f"Cloaking {count} …", "A photo takes some seconds.")
    wanted = preset or settings.preset_to_publish
    results = [
        cloak_group(command, some, to, wanted)
        for to, some in groups(photos, settings.beside).items()
    ]
    headline, text = summary(results)
    notify(headline, text, urgent=any(result.missing for result in results))
    return exit_status(results)
