"""`photocloak review`: a page to look, correct and publish."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from photocloak.plugin.commands.completing import MODE, presets

if TYPE_CHECKING:
    from photocloak.plugin.review.desk import Desk

PATH = click.Path(path_type=Path)

GO_ON = "what is ready waits; `photocloak review` goes on with it"


@click.command()
@click.argument("album", metavar="[ALBUM]...", nargs=-1, type=PATH)
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=PATH,
    help="Folder to publish to; sub-folders of ALBUM are mirrored in it. Else beside the photos.",
)
@MODE
@click.option(
    "--preset",
    metavar="NAME",
    shell_complete=presets,
    help="What metadata and size the file keeps: that of the settings, or web if that is keep.",
)
@click.option(
    "--no-browser", is_flag=True, help="Only print the link; open it on this machine yourself."
)
def review(
    *,
    album: tuple[Path, ...],
    output: Path | None,
    mode: str | None,
    preset: str | None,
    no_browser: bool,
) -> None:
    """Look at an album before it is published, correct what is wrong, and publish it.

    ALBUM are photos and folders of photos. Their cloaks wait in your own data folder; nothing is
    published before you press Publish on the page that opens: into DIR, or else where `photocloak
    beside` would write, a folder `cloaked` beside the photos. Without ALBUM, the one of the last
    time. Ctrl-C ends it, as does an hour without a page.
    """
    from photocloak.core import PhotocloakError
    from photocloak.plugin.beside import show
    from photocloak.plugin.review.opening import open_album
    from photocloak.plugin.review.staging import OpenElsewhereError
    from photocloak.plugin.storage.folders import Folders

    if output is not None and not album:
        raise click.UsageError("Say which photos are to be published there.")
    try:
        desk = open_album(album, output, Folders.of_user(), mode=mode, preset=preset)
    except OpenElsewhereError as error:
        if not error.link:
            raise
        _lead_to(error.link, browser=not no_browser)
        return
    except PhotocloakError as error:
        if not no_browser and not sys.stderr.isatty():  # from a menu, whose stderr nobody reads
            show("There is nothing to review", str(error), urgent=True)
        raise
    _serve(desk, browser=not no_browser)


def _serve(desk: "Desk", *, browser: bool) -> None:
    """Answer the page until nobody looks any more, and close the album."""
    from photocloak.plugin.review.app import make_app
    from photocloak.plugin.server import LocalServer

    try:
        with LocalServer(make_app(desk), busy=lambda: desk.busy) as server:
            desk.tell_link(server.link)
            _lead_to(server.link, browser=browser)
            server.run()
    except KeyboardInterrupt:
        click.echo(f"photocloak: ended; {GO_ON}", err=True)
    finally:
        desk.close()


def _lead_to(link: str, *, browser: bool) -> None:
    import webbrowser

    click.echo(link)
    if browser:
        webbrowser.open(link)
