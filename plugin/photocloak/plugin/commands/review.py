"""`photocloak review`: a page to look, correct and publish."""

from pathlib import Path

import click

from photocloak.plugin.commands.completing import MODE, presets

PATH = click.Path(path_type=Path)

GO_ON = "what is ready waits; `photocloak review` goes on with it"


@click.command()
@click.argument("album", metavar="[ALBUM]...", nargs=-1, type=PATH)
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=PATH,
    help="Folder to publish to; sub-folders of ALBUM are mirrored in it.",
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

    ALBUM are photos and folders of photos. Their cloaks wait in your own data folder; nothing comes
    into DIR before you press Publish on the page that opens. Without ALBUM, the one of the last
    time. Ctrl-C ends it, as does an hour without a page.
    """
    import webbrowser

    from photocloak.plugin.review.app import make_app
    from photocloak.plugin.review.opening import open_album
    from photocloak.plugin.server import LocalServer
    from photocloak.plugin.storage.folders import Folders

    if bool(album) != (output is not None):
        raise click.UsageError("Say both which photos and, with -o, where they are published.")
    desk = open_album(album, output, Folders.of_user(), mode=mode, preset=preset)
    try:
        with LocalServer(make_app(desk), busy=lambda: desk.busy) as server:
            click.echo(server.link)
            if not no_browser:
                webbrowser.open(server.link)
            server.run()
    except KeyboardInterrupt:
        click.echo(f"photocloak: ended; {GO_ON}", err=True)
    finally:
        desk.close()
