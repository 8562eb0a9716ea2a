"""`photocloak people`: who was seen, and what is kept of them."""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from photocloak.plugin.commands.completing import people as complete
from photocloak.plugin.commands.people_files import export_people, import_people

if TYPE_CHECKING:
    from photocloak.plugin.people.profiles import Person
    from photocloak.plugin.people.roster import Roster

PATH = click.Path(path_type=Path)


@click.group()
def people() -> None:
    """See and change the profiles of the people in your photos.

    A profile holds face features, so that all photos of somebody get the same target. It lies in
    your own data folder, readable by you alone. WHO is a number or a name from `people list`.
    """


def _roster() -> "Roster":
    from photocloak.plugin.people.roster import Roster
    from photocloak.plugin.storage.database import Database
    from photocloak.plugin.storage.folders import Folders

    return Roster(Database(Folders.of_user().database))


@people.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a person on stdout.")
@click.option(
    "--page",
    is_flag=True,
    help="Write a page with everybody's faces, which only you can read, and print its path.",
)
def show(as_json: bool, page: bool) -> None:
    """List everybody. Unnamed people go 90 days after they were last seen."""
    everybody = _roster().everybody()
    if page:
        from photocloak.plugin.commands.people_page import write

        click.echo(os.fsencode(write(everybody)))
        return
    for person in everybody:
        click.echo(json.dumps(_as_json(person)) if as_json else _line(person))


@people.command()
@click.argument("who", shell_complete=complete)
@click.argument("name")
def name(who: str, name: str) -> None:
    """Give WHO a NAME; named people are kept until forgotten."""
    person = _roster().name(who, name)
    click.echo(f"{person.id} is now called {person.name}", err=True)


@people.command()
@click.argument("name")
@click.argument("photos", metavar="PHOTOS...", nargs=-1, required=True, type=PATH)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a photo on stdout.")
def enroll(name: str, photos: tuple[Path, ...], as_json: bool) -> int:
    """Learn who NAME is from PHOTOS, photos and folders of photos.

    Each must show one face, or one at least twice as large as the others. Photos whose face does
    not look like the others' are named and left out. If NAME is known already, the profile keeps
    its target and learns from the photos that look like it.
    """
    from photocloak import exporters
    from photocloak.plugin.assembly import load_engine, open_outputs, open_people
    from photocloak.plugin.people.profiles import check_name
    from photocloak.plugin.pipeline.enrolment_photos import enroll as learn
    from photocloak.plugin.pipeline.job import exit_code
    from photocloak.plugin.progress import clean, say
    from photocloak.plugin.settings import load_settings
    from photocloak.plugin.storage.folders import Folders
    from photocloak.plugin.storage.inputs import require_photos

    check_name(name)
    found = [photo.source for photo in require_photos(photos, exporters.suffixes()).photos]
    folders = Folders.of_user()
    engine = load_engine(load_settings(folders.settings), folders)
    stores = open_people(engine, folders), open_outputs(folders)
    enrolled = learn(engine, *stores, name, found)
    person, results = enrolled.person, enrolled.photos
    for one in results:
        if as_json:
            click.echo(json.dumps(one.as_json()))
        if one.reason is not None:
            say(clean(one.reason))
    if enrolled.refused is not None:
        raise enrolled.refused
    learned = sum(one.reason is None for one in results)
    if person is None:
        say(f"nothing was learned of {name}")
    else:
        say(f"{person.name}: learned from {learned} of {_photos(len(results))}; {_line(person)}")
    return exit_code([one.code for one in results])


@people.command()
@click.argument("who", shell_complete=complete)
@click.argument("others", metavar="OTHER...", nargs=-1, required=True, shell_complete=complete)
@click.option("--redo", is_flag=True, help="Cloak the photos again that were cloaked for an OTHER.")
@click.option("--yes", is_flag=True, help="Merge people, too, who are in one photo together.")
def merge(who: str, others: tuple[str, ...], redo: bool, yes: bool) -> int:
    """Make WHO and every OTHER one person, who keeps WHO's target.

    Who is in one photo with another is somebody else: such people are merged only if you say so.

    Photos that were cloaked for an OTHER teach another target. They are named; on a terminal you
    are asked whether to cloak them again.
    """
    from photocloak.plugin.commands.redo import cloak_again, tell
    from photocloak.plugin.storage.database import Database
    from photocloak.plugin.storage.folders import Folders
    from photocloak.plugin.storage.results import Results

    folders, roster = Folders.of_user(), _roster()
    results = Results(Database(folders.database))
    person = roster.find([who])[0]
    gone = [one.id for one in roster.find(others) if one.target != person.target]
    to_redo = results.showing(gone)
    person = _merged(roster, who, others, yes=yes)
    click.echo(f"{person.label} now has {_photos(person.photos)}", err=True)
    if not to_redo:
        return 0
    tell(to_redo)
    if not redo and not (asks() and click.confirm("Cloak them again?", err=True)):
        return 0
    return cloak_again(to_redo, folders)


def _merged(roster: "Roster", who: str, others: tuple[str, ...], *, yes: bool) -> "Person":
    """Merge; ask about people who are in one photo, and refuse where nobody can answer."""
    from photocloak.core import ConfigError
    from photocloak.plugin.people.roster import TogetherError

    try:
        return roster.merge(who, others, though_together=yes)
    except TogetherError as error:
        if not asks():
            raise ConfigError(f"{error} If that is so, say --yes.") from error
        click.confirm(f"{error} Merge them?", abort=True, err=True)
        return roster.merge(who, others, though_together=True)


@people.command()
@click.argument("who", metavar="[WHO]...", nargs=-1, shell_complete=complete)
@click.option("--all-unnamed", is_flag=True, help="Forget everybody without a name.")
@click.option("--yes", is_flag=True, help="Do not ask before --all-unnamed.")
def forget(who: tuple[str, ...], all_unnamed: bool, yes: bool) -> None:
    """Delete profiles for good.

    Whoever is seen again then is somebody new, with a new target.
    """
    if not who and not all_unnamed:
        raise click.UsageError("Say whom to forget, or --all-unnamed.")
    roster = _roster()
    if all_unnamed and not yes:
        _ask(sum(one.name is None for one in roster.everybody()))
    gone = roster.forget(who, all_unnamed=all_unnamed)
    click.echo(f"forgot {', '.join(person.label for person in gone) or 'nobody'}", err=True)


def _ask(count: int) -> None:
    """Ask before people without a name are forgotten; where nobody can answer, refuse."""
    if not count:
        return
    who = "1 person" if count == 1 else f"{count} people"
    what = f"forget {who} without a name, who then get new targets"
    if not asks():
        raise click.UsageError(f"This would {what}; say --yes if that is meant.")
    click.confirm(f"{what.capitalize()}?", abort=True, err=True)


def asks() -> bool:
    """Tell whether there is somebody to answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _photos(count: int) -> str:
    return f"{count} photo{'s' * (count != 1)}"


def _line(person: "Person") -> str:
    seen = datetime.fromtimestamp(person.last_seen, UTC).date()
    return (
        f"{person.id:>4}  {person.name or '–':<24}  {_photos(person.photos):>12}  "
        f"last seen {seen}  taken for {person.target}"
    )


def _as_json(person: "Person") -> dict[str, object]:
    return {
        "id": person.id,
        "name": person.name,
        "target": person.target,
        "photos": person.photos,
        "created": datetime.fromtimestamp(person.created, UTC).isoformat(timespec="seconds"),
        "last_seen": datetime.fromtimestamp(person.last_seen, UTC).isoformat(timespec="seconds"),
    }


people.add_command(export_people)
people.add_command(import_people)
