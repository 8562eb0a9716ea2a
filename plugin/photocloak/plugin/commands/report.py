"""`photocloak report`: a page that shows what became of the photos."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from photocloak.core import InputError

if TYPE_CHECKING:
    from photocloak.plugin.report.records import PhotoRecord
    from photocloak.plugin.watch.journal import Journal


@click.command()
@click.argument("run", metavar="[RUN]", required=False, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Where to; the default is a file in your data folder.",
)
def report(run: Path | None, output: Path | None) -> None:
    """Write a page with every photo before and after, and what was measured.

    RUN is what `photocloak cloak --json` printed: a file, or - for standard input. Without it, the
    report is on the watched folders. It holds clean faces: only you can read it, and it may not lie
    in a watched or output folder. Its path is printed on stdout.
    """
    from datetime import datetime

    from photocloak.plugin.assembly import specs
    from photocloak.plugin.progress import shown
    from photocloak.plugin.report import destination
    from photocloak.plugin.report.page import report as make
    from photocloak.plugin.report.pictures import Album
    from photocloak.plugin.settings import load_settings
    from photocloak.plugin.storage.folders import Folders
    from photocloak.plugin.watch.journal import Journal

    folders = Folders.of_user()
    settings, journal = load_settings(folders.settings), Journal.of_user(folders)
    path = output or destination.default_file(folders)
    if run is None:
        rows, waiting = _watched(journal)
        what = "The watched folders"
    else:
        rows, waiting = _run(run), 0
        what = "The run on standard input" if str(run) == "-" else f"The run {shown(run)}"
    destination.check_place(path, destination.forbidden(rows, settings, journal))
    made = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")
    page = make(rows, specs(folders), Album(), what=what, made=made, waiting=waiting)
    destination.write_private(path, page, folders)
    click.echo(os.fsencode(path))


def _run(run: Path) -> "list[PhotoRecord]":
    from photocloak.plugin.report.records import read_run

    if str(run) == "-":
        return read_run(sys.stdin.buffer, "standard input")
    try:
        with run.open("rb") as lines:
            return read_run(lines, str(run))
    except OSError as error:
        raise InputError(
            f"{run}: cannot be read ({error.strerror}); name a file with what `photocloak cloak "
            "--json` printed."
        ) from error


def _watched(journal: "Journal") -> "tuple[list[PhotoRecord], int]":
    from photocloak.plugin.report.records import of_journal

    rows, waiting = of_journal(journal.entries()) if journal.exists() else ([], 0)
    if not rows:
        raise InputError(
            "No photo of a watched folder is done yet. For the report of a run, name the file with "
            "what `photocloak cloak --json` printed."
        )
    return rows, waiting
