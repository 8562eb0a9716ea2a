"""People for another computer: what is known of them, with their targets, as bytes and back.

Whoever comes along keeps their target, so that photos which are cloaked there teach the same wrong
identity as those from here. The target's features come too: the library there may be another one.
"""

import base64
import hashlib
import json
import sqlite3
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Any

import numpy as np

from photocloak.core import ConfigError
from photocloak.engine.geometry import Array
from photocloak.engine.targets.library import Target
from photocloak.plugin.people import profiles
from photocloak.plugin.people.profiles import Person, named

VERSION = 1
_MOST = 1 << 30  # bytes; of a file that is no file of ours
_ROWS = {
    "centroids": "extractor, total",
    "sightings": "photo, number",
    "samples": "photo, extractor, features",
}


@dataclass(frozen=True)
class Arrival:
    """What an import did.

    Attributes:
        new: who was not known here.
        known: who was, with the same target; nothing was changed of them.

    """

    new: tuple[Person, ...]
    known: tuple[Person, ...]


def pack(
    connection: sqlite3.Connection, people: Sequence[Person], library: Mapping[str, Target]
) -> bytes:
    """Return people as bytes; ConfigError: the target of one is in no library any more."""
    own = _own_targets(connection)
    targets = {one.target: own.get(one.target) or _of_library(one, library) for one in people}
    rows = [
        {"name": one.name, "target": one.target, "created": one.created, "seen": one.last_seen}
        | {table: _rows(connection, table, one.id) for table in _ROWS}
        for one in people
    ]
    table = {"photocloak": VERSION, "people": rows, "targets": targets}
    return zlib.compress(json.dumps(table).encode())


def unpack(data: bytes) -> dict[str, Any]:
    """Return what `pack` packed; ConfigError: it is none, or of a newer photocloak."""
    try:
        inflater = zlib.decompressobj()
        table = json.loads(inflater.decompress(data, _MOST))
        version = table["photocloak"]
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise ConfigError("holds no people that photocloak has exported.") from error
    if version != VERSION:
        raise ConfigError(
            f"was written by a newer photocloak (version {version}, this one knows {VERSION}); "
            "update photocloak."
        )
    return dict(table)


def receive(
    connection: sqlite3.Connection, table: Mapping[str, Any], library: Mapping[str, Target]
) -> Arrival:
    """Write people who were packed elsewhere; all of them or, on an error, nobody.

    Raises:
        ConfigError: a name is somebody's here who is taken for somebody else, or the table holds
            something else than people.

    """
    try:
        return _received(connection, table, library)
    except (KeyError, TypeError, ValueError, AttributeError, sqlite3.IntegrityError) as error:
        raise ConfigError(f"holds something else than people ({error}).") from error


def _received(
    connection: sqlite3.Connection, table: Mapping[str, Any], library: Mapping[str, Target]
) -> Arrival:
    given = {
        name: _name_here(connection, name, members, library)
        for name, members in table["targets"].items()
    }
    arrivals = [(row, given[row["target"]]) for row in table["people"]]
    for row, _ in arrivals:
        if row["name"] is not None:
            profiles.check_name(row["name"])
    if clashes := [line for row, target in arrivals if (line := _clash(connection, row, target))]:
        raise ConfigError(" ".join(clashes))
    new, known = [], []
    for row, target in arrivals:
        there = _known(connection, row, target)
        if there is not None:
            known.append(there.id)
            continue
        query = (
            "INSERT INTO people (name, target, created, last_seen) VALUES (?, ?, ?, ?) RETURNING id"
        )
        values = (row["name"], target, row["created"], row["seen"])
        ((number,),) = connection.execute(query, values).fetchall()
        for kind, columns in _ROWS.items():
            marks = ", ".join("?" * (2 + columns.count(",")))
            rows = [(number, *map(_value, one)) for one in row[kind]]
            query = f"INSERT INTO {kind} (person, {columns}) VALUES ({marks})"
            connection.executemany(query, rows)
        new.append(number)
    # A target that nobody came to need goes again.
    profiles.delete(connection, ())
    everyone = profiles.everybody(connection)
    return Arrival(tuple(everyone[one] for one in new), tuple(everyone[one] for one in known))


def _clash(connection: sqlite3.Connection, row: Mapping[str, Any], target: str) -> str | None:
    """Say who is known here by a name, and taken for somebody else; None: nobody is."""
    here = named(connection, row["name"]) if row["name"] else None
    if here is None or here.target == target:
        return None
    return (
        f"{here.name} is known here already, and taken for somebody else than in the file. To go "
        f"on with the file's: `photocloak people name {here.id} OTHER`, import once more, then "
        f"`photocloak people merge {quote(str(here.name))} OTHER`, which tells the photos to make "
        "again."
    )


def _known(connection: sqlite3.Connection, row: Mapping[str, Any], target: str) -> Person | None:
    """Return who somebody from elsewhere is here: by name, or by target and a photo in common."""
    if row["name"] and (here := named(connection, row["name"])):
        return here
    photos = {photo for photo, _ in row["sightings"]}
    shown = profiles.photos_of_people(connection)
    return next(
        (
            one
            for one in profiles.everybody(connection).values()
            if one.target == target and photos & shown.get(one.id, set())
        ),
        None,
    )


def _name_here(
    connection: sqlite3.Connection,
    name: str,
    members: Mapping[str, Any],
    library: Mapping[str, Target],
) -> str:
    """Return what a target is called here; one that is in no library here is kept as the user's."""
    target = {one: _array(*given) for one, given in members.items()}
    own = {one: _array(*given) for one, given in _own_targets(connection).get(name, {}).items()}
    here = own or (library[name].members if name in library else {})
    shared = here.keys() & target.keys()
    if shared and all(np.array_equal(here[one], target[one]) for one in shared):
        return name
    if here:
        digest = hashlib.sha256(json.dumps(members, sort_keys=True).encode()).hexdigest()
        name = f"{name}-{digest[:12]}"
    profiles.put_target(connection, Target(name, target, {}))
    return name


def _own_targets(connection: sqlite3.Connection) -> dict[str, dict[str, list[Any]]]:
    """Return the user's own targets: {name: {extractor: [features as text, how many a row]}}."""
    found: dict[str, dict[str, list[Any]]] = {}
    query = "SELECT name, extractor, members, size FROM targets ORDER BY name, extractor"
    for name, extractor, members, size in connection.execute(query):
        found.setdefault(name, {})[extractor] = [_text(members), size]
    return found


def _of_library(person: Person, library: Mapping[str, Target]) -> dict[str, list[Any]]:
    if person.target not in library:
        raise ConfigError(
            f"{person.label}: the target library that {person.target} was of is no longer here; "
            "cloak a photo of theirs, which gives them another, and export again."
        )
    members = library[person.target].members
    return {
        extractor: [_text(np.ascontiguousarray(rows, "<f4").tobytes()), rows.shape[1]]
        for extractor, rows in sorted(members.items())
    }


def _rows(connection: sqlite3.Connection, table: str, person: int) -> list[list[Any]]:
    query = f"SELECT {_ROWS[table]} FROM {table} WHERE person = ? ORDER BY 1, 2"
    rows = connection.execute(query, (person,))
    return [[{"b64": _text(one)} if isinstance(one, bytes) else one for one in row] for row in rows]


def _text(blob: bytes) -> str:
    return base64.b64encode(blob).decode("ascii")


def _value(value: Any) -> Any:
    return base64.b64decode(value["b64"]) if isinstance(value, dict) else value


def _array(text: str, size: int) -> Array:
    return np.frombuffer(base64.b64decode(text), "<f4").astype(np.float32).reshape(-1, size)
