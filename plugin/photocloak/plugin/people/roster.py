"""The people store as a list to read and edit, which needs no model."""

import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

from photocloak.core import ConfigError
from photocloak.engine.targets.library import Target
from photocloak.plugin.people import corrections, profiles, transfer
from photocloak.plugin.people.profiles import Person, check_name, named
from photocloak.plugin.storage.database import Database


class TogetherError(ConfigError):
    """Two who are to be one person are in one photo side by side."""

    def __init__(self, one: Person, other: Person, photos: int) -> None:
        count = "one photo" if photos == 1 else f"{photos} photos"
        super().__init__(
            f"{one.label} and {other.label} are in {count} together, so they are two people. Only "
            "a mirror or a picture within the photo shows somebody twice."
        )


class Roster:
    """Everybody in the store, by id, label or name."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.time) -> None:
        self._database, self._clock = database, clock

    def everybody(self) -> list[Person]:
        """Return everybody, in the order they were first seen."""
        with self._database.transaction() as connection:
            profiles.expire(connection, self._clock())
            return list(profiles.everybody(connection).values())

    def name(self, who: str, name: str) -> Person:
        """Give somebody a name; a named profile does not expire."""
        check_name(name)
        with self._database.transaction() as connection:
            person = _find(connection, who)
            other = named(connection, name)
            if other is not None and other.id != person.id:
                raise ConfigError(
                    f"{name!r} is somebody else's name already; if both are one person, use "
                    f"`photocloak people merge {other.id} {person.id}`."
                )
            connection.execute("UPDATE people SET name = ? WHERE id = ?", (name, person.id))
            corrections.rename(connection, person, name)
            return profiles.somebody(connection, person.id)

    def find(self, who: Sequence[str]) -> list[Person]:
        """Return people by id, label or name; ConfigError: there is nobody."""
        with self._database.transaction() as connection:
            return [_find(connection, one) for one in who]

    def export(self, people: Sequence[Person], library: Mapping[str, Target]) -> bytes:
        """Return people with their targets as bytes for another computer; see `transfer.pack`."""
        with self._database.transaction() as connection:
            return transfer.pack(connection, people, library)

    def receive(self, data: bytes, library: Mapping[str, Target]) -> transfer.Arrival:
        """Add people who were exported elsewhere; see `transfer.receive`."""
        table = transfer.unpack(data)
        with self._database.transaction() as connection:
            return transfer.receive(connection, table, library)

    def merge(self, keep: str, others: Sequence[str], *, though_together: bool = False) -> Person:
        """Make several profiles one; the first one's target stays, and its name if it has one.

        Raises:
            TogetherError: a photo shows two of them, so they are not one person; unless that was
                meant, `though_together`.

        """
        with self._database.transaction() as connection:
            person = _find(connection, keep)
            gone = [_find(connection, who) for who in others]
            for who, other in zip(others, gone, strict=True):
                if other.id == person.id:
                    raise ConfigError(f"{who!r} cannot be merged with itself.")
            if not though_together:
                _refuse_together(connection, [person, *gone])
            for other in gone:
                corrections.rename(connection, other, person.label)
                profiles.absorb(connection, person.id, other.id)
                if person.name is None and other.name is not None:
                    connection.execute(
                        "UPDATE people SET name = ? WHERE id = ?", (other.name, person.id)
                    )
                person = profiles.somebody(connection, person.id)
        self._database.vacuum()
        return person

    def forget(self, who: Sequence[str], *, all_unnamed: bool = False) -> list[Person]:
        """Delete profiles for good, bytes included, and return who was deleted."""
        with self._database.transaction() as connection:
            gone = {person.id: person for person in (_find(connection, one) for one in who)}
            if all_unnamed:
                everyone = profiles.everybody(connection)
                gone |= {number: one for number, one in everyone.items() if one.name is None}
            for person in gone.values():
                corrections.rename(connection, person, None)
            profiles.delete(connection, gone)
        self._database.vacuum()
        return list(gone.values())


def _find(connection: sqlite3.Connection, who: str) -> Person:
    """Return the person with this id, label or name."""
    found = profiles.find(connection, who)
    if found is None:
        raise ConfigError(f"There is nobody {who!r}; `photocloak people list` shows who there is.")
    return found


def _refuse_together(connection: sqlite3.Connection, people: Sequence[Person]) -> None:
    """Raise TogetherError where a photo shows two of these people."""
    photos = profiles.photos_of_people(connection)
    for one, other in combinations(people, 2):
        if shared := len(photos.get(one.id, set()) & photos.get(other.id, set())):
            raise TogetherError(one, other, shared)
