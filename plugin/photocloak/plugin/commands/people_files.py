"""`photocloak people export` and `import`: people for another computer."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from photocloak.core import ConfigError, InputError, OutputError
from photocloak.plugin.commands.completing import people as complete

if TYPE_CHECKING:
    from photocloak.engine.targets.library import TargetLibrary
    from photocloak.plugin.people.roster import Roster

PATH = click.Path(path_type=Path)

_SHORTEST = 8
"""Characters of a passphrase that is not asked to be longer; what the file holds is biometric."""

_PASSPHRASE = click.option(
    "--passphrase-file",
    metavar="FILE",
    type=PATH,
    help="Read the passphrase from the first line of FILE instead of asking for it.",
)


@click.command("export")
@click.argument("file", type=PATH)
@click.argument("who", metavar="[WHO]...", nargs=-1, shell_complete=complete)
@_PASSPHRASE
def export_people(file: Path, who: tuple[str, ...], passphrase_file: Path | None) -> None:
    """Write people to an encrypted FILE, for `photocloak people import` on another computer.

    Everybody, or every WHO. They keep their targets there, so that photos from both computers teach
    the same wrong identity. FILE holds face features: whoever has it and the passphrase can tell
    these people in photos.
    """
    from photocloak import exporters
    from photocloak.plugin.people.sealed import seal

    roster, library = _stores()
    people = roster.find(who) if who else roster.everybody()
    if not people:
        raise ConfigError("Nobody is known yet; there is nothing to export.")
    if os.path.lexists(file):
        raise OutputError(f"{file}: there is a file of this name already; choose another.")
    if not file.absolute().parent.is_dir():
        raise OutputError(f"{file}: there is no folder {file.absolute().parent}.")
    data = seal(roster.export(people, library.targets), _passphrase(passphrase_file, new=True))
    mask = os.umask(0o077)
    try:
        exporters.publish(data, file.parent, file.name, "", like=None, numbered=False)
    finally:
        os.umask(mask)
    click.echo(f"{_people(len(people))} written to {file}", err=True)


@click.command("import")
@click.argument("file", type=PATH)
@_PASSPHRASE
def import_people(file: Path, passphrase_file: Path | None) -> None:
    """Learn people from a FILE that `photocloak people export` wrote on another computer.

    They keep the targets that they have there. Of those who are known here already, with the same
    target, nothing is changed; whose name is taken here for another target is told, and then
    nobody is imported.
    """
    from photocloak.plugin.people.sealed import unseal

    roster, library = _stores()
    try:
        sealed = file.read_bytes()
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror}).") from error
    try:
        data = unseal(sealed, _passphrase(passphrase_file, new=False))
        arrival = roster.receive(data, library.targets)
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from error
    known = f"; {_people(len(arrival.known))} known already" if arrival.known else ""
    new = ", ".join(one.label for one in arrival.new) or "nobody"
    click.echo(f"imported {new}{known}", err=True)


def _stores() -> "tuple[Roster, TargetLibrary]":
    from photocloak.engine.targets.library import TargetLibrary
    from photocloak.plugin.assembly import library_file
    from photocloak.plugin.people.roster import Roster
    from photocloak.plugin.storage.database import Database
    from photocloak.plugin.storage.folders import Folders

    folders = Folders.of_user()
    return Roster(Database(folders.database)), TargetLibrary.load(library_file(folders))


def _passphrase(file: Path | None, *, new: bool) -> str:
    """Return the passphrase: of a file, or asked for on the terminal."""
    if file is not None:
        try:
            text = file.read_text("utf-8").partition("\n")[0].removesuffix("\r")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{file}: the passphrase cannot be read ({error}).") from error
    elif sys.stdin.isatty():
        text = click.prompt("Passphrase", hide_input=True, confirmation_prompt=new, err=True)
    else:
        raise click.UsageError("Nobody can be asked for the passphrase here: --passphrase-file.")
    if new and len(text) < _SHORTEST:
        raise ConfigError(f"Choose a passphrase of at least {_SHORTEST} characters.")
    return text


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"
