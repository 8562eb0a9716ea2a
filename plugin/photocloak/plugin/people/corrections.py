"""What the user said about single faces of photos, kept by the photo's content.

So a correction holds for copies, for a photo that got another name, and for every preset: boxes
are in pixels of the photo as it was decoded, whatever size is published.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields

from photocloak.engine.modes import Fallback
from photocloak.engine.seam import Box
from photocloak.plugin.people.profiles import Person
from photocloak.plugin.storage.database import Database

SAME = 0.5
"""Intersection over union from which a found face is the one that was spoken of.

Two faces of one photo overlap less than that: the detector takes such for one.
"""


@dataclass(frozen=True)
class Correction:
    """What the user said about one face of one photo; None, False and 0: nothing.

    Attributes:
        not_a_face: there is none.
        leave: it is published as it is.
        person: whose face it is, a name or label; a name that nobody has yet is given.
        mode: instead of the run's.
        fallback: how it is made unrecognisable instead of cloaked.
        another_target: how often another target was asked for, for this face alone.

    """

    not_a_face: bool = False
    leave: bool = False
    person: str | None = None
    mode: str | None = None
    fallback: Fallback | None = None
    another_target: int = 0


NOTHING = Correction()


class Corrections:
    """The table of corrections."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, content: str) -> dict[Box, Correction]:
        """Return what was said about a photo's faces, by box as found.

        Args:
            content: SHA-256 of the photo's decoded pixels.

        """
        with self._database.transaction() as connection:
            return _of(connection, content)

    def set(self, content: str, box: Box, correction: Correction) -> None:
        """Keep what was said about a face, in the place of what was said before.

        Args:
            content: SHA-256 of the photo's decoded pixels.
            box: of the face as found, in pixels of the photo; see `FaceOutcome.found`.
            correction: one that says nothing deletes.

        """
        with self._database.transaction() as connection:
            for other in _of(connection, content):
                if other == box or overlap(other, box) >= SAME:
                    connection.execute(
                        "DELETE FROM corrections WHERE (photo, x, y, w, h) = (?, ?, ?, ?, ?)",
                        (content, *other),
                    )
            if correction != NOTHING:
                connection.execute(
                    "INSERT INTO corrections VALUES (?, ?, ?, ?, ?, ?)",
                    (content, *box, _written(correction)),
                )

    def digest(self, content: str | None) -> str:
        """Return what changes with the corrections of a photo; empty where there are none.

        Of a photo whose content is not known all corrections count.
        """
        with self._database.transaction() as connection:
            rows = connection.execute(
                "SELECT * FROM corrections WHERE :photo IS NULL OR photo = :photo "
                "ORDER BY photo, x, y, w, h",
                {"photo": content},
            ).fetchall()
        return hashlib.sha256(repr(rows).encode()).hexdigest() if rows else ""


def of_faces(boxes: Iterable[Box], corrections: Mapping[Box, Correction]) -> tuple[Correction, ...]:
    """Return what was said about each found face: by the box that overlaps it most."""
    found = []
    for box in boxes:
        best = max(corrections, key=lambda other: overlap(other, box), default=None)
        near = best is not None and overlap(best, box) >= SAME
        found.append(corrections[best] if best is not None and near else NOTHING)
    return tuple(found)


def overlap(one: Box, other: Box) -> float:
    """Return the intersection over union of two boxes."""
    (x, y, w, h), (u, v, a, b) = one, other
    across, down = min(x + w, u + a) - max(x, u), min(y + h, v + b) - max(y, v)
    shared = max(across, 0) * max(down, 0)
    union = w * h + a * b - shared
    return shared / union if union > 0 else 0.0


def rename(connection: sqlite3.Connection, person: Person, to: str | None) -> None:
    """Have the corrections that speak of somebody speak of `to`; None: no longer of anybody.

    Args:
        connection: in a transaction.
        person: as they were called.
        to: a name or label.

    """
    called = {one.casefold() for one in (person.name, f"person-{person.id}") if one}
    for *key, text in connection.execute("SELECT * FROM corrections").fetchall():
        said = json.loads(text)
        if str(said.get("person", "")).casefold() not in called:
            continue
        correction = Correction(**said | {"person": to})
        where = "WHERE (photo, x, y, w, h) = (?, ?, ?, ?, ?)"
        if correction == NOTHING:
            connection.execute(f"DELETE FROM corrections {where}", key)
        else:
            what = f"UPDATE corrections SET correction = ? {where}"
            connection.execute(what, (_written(correction), *key))


def _of(connection: sqlite3.Connection, content: str) -> dict[Box, Correction]:
    rows = connection.execute(
        "SELECT x, y, w, h, correction FROM corrections WHERE photo = ? ORDER BY x, y, w, h",
        (content,),
    )
    return {(x, y, w, h): Correction(**json.loads(text)) for x, y, w, h, text in rows}


def _written(correction: Correction) -> str:
    """Return the fields that say something, as JSON."""
    default = {one.name: one.default for one in fields(correction)}
    said = {name: value for name, value in asdict(correction).items() if value != default[name]}
    return json.dumps(said, sort_keys=True)
