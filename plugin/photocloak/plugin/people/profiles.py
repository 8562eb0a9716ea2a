"""How people lie in the database: rows to values and back. Features are little-endian float32."""

import re
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from photocloak.core import ConfigError
from photocloak.engine.geometry import Array
from photocloak.engine.recognition.ensemble import Embeddings
from photocloak.engine.targets.library import Target
from photocloak.plugin.people.matching import unit

EXPIRY = 90 * 86400.0
"""Seconds after which somebody unnamed who was not seen again is forgotten."""

SAMPLES = 8
"""Photos of a person, the first ones, whose features are kept one by one."""


@dataclass(frozen=True)
class Person:
    """Somebody who was seen in a photo.

    Attributes:
        id: never given to anybody else.
        name: None until the user gives one.
        target: name of the target class T that all photos of this person teach.
        photos: how many different photos showed this person.
        created: seconds since the epoch.
        last_seen: seconds since the epoch.

    """

    id: int
    name: str | None
    target: str
    photos: int
    created: float
    last_seen: float

    @property
    def label(self) -> str:
        """The name, or `person-ID`."""
        return self.name or f"person-{self.id}"


def check_name(name: str) -> None:
    """Refuse names that could be taken for an id, or that no list could show."""
    if not name.strip() or not name.isprintable() or len(name) > 200:
        raise ConfigError(f"{name!r} is not a usable name: printable text, at most 200 characters.")
    if id_in(name) is not None:
        raise ConfigError(f"{name!r} looks like an id; choose a name with other letters in it.")


def everybody(connection: sqlite3.Connection) -> dict[int, Person]:
    """Return all people by id."""
    return {one.id: one for one in _people(connection, "ORDER BY id")}


def somebody(connection: sqlite3.Connection, number: int) -> Person:
    """Return the person with this id, whom there is."""
    (person,) = _people(connection, "WHERE id = ?", number)
    return person


def named(connection: sqlite3.Connection, name: str) -> Person | None:
    """Return the person of this name; upper and lower case are one."""
    return next(_people(connection, "WHERE name = ?", name), None)


def id_in(who: str) -> int | None:
    """Return the id in an id or label; None: it is a name."""
    number = re.fullmatch(r"(?:person-)?(\d+)", who)
    return int(number[1]) if number else None


def find(connection: sqlite3.Connection, who: str) -> Person | None:
    """Return the person with this id, label or name."""
    number = id_in(who)
    which, value = ("name = ?", who) if number is None else ("id = ?", number)
    return next(_people(connection, f"WHERE {which}", value), None)


def add_person(
    connection: sqlite3.Connection, *, name: str | None, target: str, now: float
) -> Person:
    """Insert somebody new."""
    query = "INSERT INTO people (name, target, created, last_seen) VALUES (?, ?, ?, ?) RETURNING id"
    ((number,),) = connection.execute(query, (name, target, now, now)).fetchall()
    return Person(number, name, target, 0, now, now)


def centroids(connection: sqlite3.Connection, only: int | None = None) -> dict[int, Embeddings]:
    """Return the sum of each person's unit features (or `only` one's), by id and extractor."""
    result: dict[int, Embeddings] = {}
    for person, extractor, total in connection.execute(
        "SELECT person, extractor, total FROM centroids WHERE :only IS NULL OR person = :only",
        {"only": only},
    ):
        result.setdefault(person, {})[extractor] = _features(total)
    return result


def samples(
    connection: sqlite3.Connection, person: int, *, until: str | None = None
) -> list[Embeddings]:
    """Return the features of the person's first photos, in order.

    Those up to photo `until`, if given; none where that taught nothing of the person.
    """
    photos: dict[str, Embeddings] = {}
    for photo, extractor, features in connection.execute(
        "SELECT photo, extractor, features FROM samples JOIN sightings USING (person, photo) "
        "WHERE person = :person AND (:until IS NULL OR number <= (SELECT number FROM sightings "
        "WHERE person = :person AND photo = :until)) ORDER BY number, photo",
        {"person": person, "until": until},
    ):
        photos.setdefault(photo, {})[extractor] = _features(features)
    return list(photos.values())


def reference(connection: sqlite3.Connection, person: int, photo: str) -> Embeddings:
    """Return the mean of the person's samples, by extractor, as it was when `photo` came.

    Not as it is now: cloaks that differ could be averaged away. So a photo that taught nothing,
    its face being uncertain, has none.
    """
    photos = samples(connection, person, until=photo)
    names = sorted({name for photo in photos for name in photo})
    return {
        name: np.asarray(
            np.mean([photo[name] for photo in photos if name in photo], axis=0), np.float32
        )
        for name in names
    }


def next_number(connection: sqlite3.Connection, person: int) -> int:
    """Return the number that the photos of the next batch get; see `learn`."""
    query = "SELECT coalesce(max(number), 0) + 1 FROM sightings WHERE person = ?"
    return int(connection.execute(query, (person,)).fetchone()[0])


def learn(
    connection: sqlite3.Connection,
    person: int,
    photo: str,
    face: Embeddings,
    now: float,
    *,
    number: int,
) -> None:
    """Add a photo to a profile; one that was added before changes only `last_seen`.

    Photos that were looked at together get one `number`, so that the reference of each of them is
    the mean of all.
    """
    meet(connection, person, now)
    query = "SELECT EXISTS (SELECT 1 FROM sightings WHERE person = ? AND photo = ?)"
    if connection.execute(query, (person, photo)).fetchone()[0]:
        return
    connection.execute("INSERT INTO sightings VALUES (?, ?, ?)", (person, photo, number))
    totals = centroids(connection, person).get(person, {})
    for extractor, features in face.items():
        total = totals.get(extractor, 0) + unit(features)
        _put_centroid(connection, person, extractor, total)
        connection.execute(
            "INSERT INTO samples VALUES (?, ?, ?, ?)", (person, photo, extractor, _blob(features))
        )
    _trim(connection, person)


def unlearn(connection: sqlite3.Connection, person: int, photo: str, face: Embeddings) -> None:
    """Take a photo out of a profile whose face in it is somebody else's or none.

    A profile without a name of which nothing is left is deleted.
    """
    for extractor, total in centroids(connection, person).get(person, {}).items():
        if extractor in face:
            _put_centroid(connection, person, extractor, total - unit(face[extractor]))
    connection.execute("DELETE FROM sightings WHERE (person, photo) = (?, ?)", (person, photo))
    left = somebody(connection, person)
    if left.name is None and not left.photos:
        delete(connection, [person])


def meet(connection: sqlite3.Connection, person: int, now: float) -> None:
    """Note that somebody was seen again."""
    connection.execute(
        "UPDATE people SET last_seen = max(last_seen, ?) WHERE id = ?", (now, person)
    )


def photos_of_people(connection: sqlite3.Connection) -> dict[int, set[str]]:
    """Return the hashes of the photos that show each person."""
    found: dict[int, set[str]] = {}
    for person, photo in connection.execute("SELECT person, photo FROM sightings"):
        found.setdefault(person, set()).add(photo)
    return found


def people_in(connection: sqlite3.Connection, photo: str) -> list[int]:
    """Return who was learned from a photo."""
    query = "SELECT person FROM sightings WHERE photo = ? ORDER BY person"
    return [person for (person,) in connection.execute(query, (photo,))]


def absorb(connection: sqlite3.Connection, keep: int, gone: int) -> None:
    """Move everything that was learned about `gone` to `keep`, and delete `gone`."""
    everyone = centroids(connection)
    mine = everyone.get(keep, {})
    for extractor, total in everyone.get(gone, {}).items():
        _put_centroid(connection, keep, extractor, mine.get(extractor, 0) + total)
    # A photo that showed both would be a contradiction; the one already there stays.
    connection.execute(
        "INSERT OR IGNORE INTO sightings SELECT ?, photo, number + "
        "(SELECT coalesce(max(number), 0) FROM sightings WHERE person = ?) "
        "FROM sightings WHERE person = ?",
        (keep, keep, gone),
    )
    connection.execute(
        "INSERT OR IGNORE INTO samples SELECT ?, photo, extractor, features FROM samples "
        "WHERE person = ?",
        (keep, gone),
    )
    connection.execute(
        "UPDATE people SET last_seen = max(last_seen, (SELECT last_seen FROM people WHERE id = ?)),"
        " created = min(created, (SELECT created FROM people WHERE id = ?)) WHERE id = ?",
        (gone, gone, keep),
    )
    delete(connection, [gone])
    _trim(connection, keep)


def delete(connection: sqlite3.Connection, people: Iterable[int]) -> None:
    """Delete people and what only they used; the pages are overwritten with zeros."""
    connection.executemany("DELETE FROM people WHERE id = ?", [(person,) for person in people])
    connection.execute("DELETE FROM targets WHERE name NOT IN (SELECT target FROM people)")


def expire(connection: sqlite3.Connection, now: float) -> None:
    """Forget the unnamed who were not seen for long."""
    query = "SELECT id FROM people WHERE name IS NULL AND last_seen < ?"
    delete(connection, [row[0] for row in connection.execute(query, (now - EXPIRY,)).fetchall()])


def put_target(connection: sqlite3.Connection, target: Target) -> None:
    """Keep a user's own target."""
    for extractor, members in target.members.items():
        row = (target.name, extractor, _blob(members), members.shape[1])
        connection.execute("INSERT OR REPLACE INTO targets VALUES (?, ?, ?, ?)", row)


def own_targets(
    connection: sqlite3.Connection, extractors: Collection[str]
) -> dict[str, list[Embeddings]]:
    """Return the photos (X_T) of the user's own targets that know all of `extractors`."""
    found: dict[str, dict[str, Array]] = {}
    for name, extractor, members, size in connection.execute("SELECT * FROM targets"):
        found.setdefault(name, {})[extractor] = _features(members).reshape(-1, size)
    return {
        name: [dict(zip(rows, photo, strict=True)) for photo in zip(*rows.values(), strict=True)]
        for name, rows in found.items()
        if rows.keys() >= set(extractors)
    }


def _people(connection: sqlite3.Connection, which: str, *arguments: object) -> Iterator[Person]:
    photos = "(SELECT count(*) FROM sightings WHERE person = id)"
    query = f"SELECT id, name, target, {photos}, created, last_seen FROM people {which}"
    return (Person(*row) for row in connection.execute(query, arguments))


def _put_centroid(
    connection: sqlite3.Connection, person: int, extractor: str, total: Array
) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO centroids VALUES (?, ?, ?)", (person, extractor, _blob(total))
    )


def _trim(connection: sqlite3.Connection, person: int) -> None:
    """Drop the features of all but the first photos."""
    connection.execute(
        "DELETE FROM samples WHERE person = ? AND photo NOT IN "
        "(SELECT photo FROM sightings WHERE person = ? ORDER BY number, photo LIMIT ?)",
        (person, person, SAMPLES),
    )


def _blob(features: Array) -> bytes:
    return np.ascontiguousarray(features, "<f4").tobytes()


def _features(blob: bytes) -> Array:
    return np.frombuffer(blob, "<f4").astype(np.float32)
