"""`photocloak retry`: have the daemon do photos again."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import click


@click.command()
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
def retry(paths: tuple[Path, ...]) -> None:
    """Do watched photos again that failed or were held back.

    With PATH, photos and folders: those, even if they are done; so with changed settings.
    """
    from photocloak.plugin.storage.folders import Folders
    from photocloak.plugin.watch.journal import Journal
    from photocloak.plugin.watch.lock import is_locked

    folders = Folders.of_user()
    journal = Journal.of_user(folders)
    again = journal.retry(paths) if journal.exists() else []
    alive = [one for one in journal.daemons() if is_locked(one.output, folders)] if again else []
    for one in alive:
        with suppress(OSError):
            os.kill(one.pid, signal.SIGUSR1)
    when = "" if alive or not again else "; they are done when `photocloak watch` runs again"
    click.echo(f"{len(again)} to be done again{when}", err=True)
