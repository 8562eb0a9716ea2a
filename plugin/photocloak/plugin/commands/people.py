"""`photocloak people`: who was seen, and what is kept of them."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from photocloak.plugin.people import Roster
    from photocloak.plugin.profiles import Person


@click.group()
def people() -> None:
    """See and change the profiles of the people in your photos.

    A profile holds face features, so that all photos of somebody get the same target. It lies in
    your own data folder, readable by you alone. WHO is a number or a name from `people list`.
    """


def _roster() -> "Roster":
    from photocloak.plugin.database import Database
    from photocloak.plugin.folders import Folders
    from photocloak.plugin.people import Roster

    return Roster(Database(Folders.of_user().database))


@people.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a person on stdout.")
def show(as_json: bool) -> None:
    """List everybody. Unnamed people go 90 days after they were last seen."""
    for person in _roster().everybody():
        click.echo(json.dumps(_as_json(person)) if as_json else _line(person))


@people.command()
@click.argument("who")
@click.argument("name")
def name(who: str, name: str) -> None:
    """Give WHO a NAME; named people are kept until forgotten."""
    person = _roster().name(who, name)
    click.echo(f"{person.id} is now called {person.name}", err=True)


@people.command()
@click.argument("who")
@click.argument("others", metavar="OTHER...", nargs=-1, required=True)
def merge(who: str, others: tuple[str, ...]) -> None:
    """Make WHO and every OTHER one person, who keeps WHO's target.

    Photos that were cloaked for an OTHER teach another target; cloak them again.
    """
    person = _roster().merge(who, others)
    click.echo(f"{person.label} now has {person.photos} photos", err=True)


@people.command()
@click.argument("who", metavar="[WHO]...", nargs=-1)
@click.option("--all-unnamed", is_flag=True, help="Forget everybody without a name.")
def forget(who: tuple[str, ...], all_unnamed: bool) -> None:
    """Delete profiles for good."""
    if not who and not all_unnamed:
        raise click.UsageError("Say whom to forget, or --all-unnamed.")
    gone = _roster().forget(who, all_unnamed=all_unnamed)
    click.echo(f"forgot {', '.join(person.label for person in gone) or 'nobody'}", err=True)


def _line(person: "Person") -> str:
    seen = datetime.fromtimestamp(person.last_seen, UTC).date()
    return (
        f"{person.id:>4}  {person.name or '–':<24}  {person.photos:>5} photos  "
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
