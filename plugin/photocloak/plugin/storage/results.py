"""What became of each photo that was written: so that it is not made again, and copies get it too.

A row for each photo and output folder. It holds as long as the photo, its output, how it was to be
done, and for whom its people are taken are what they were.
"""

import json
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from photocloak.plugin.storage.database import Database
from photocloak.plugin.storage.written_files import path_bytes, sha256_of, signature_of

_COLUMNS = (
    "folder, source, signature, sha256, settings, people, made, made_signature, made_sha256, "
    "outcome, how"
)


@dataclass(frozen=True)
class Result:
    """A photo that was written.

    Attributes:
        folder: the output folder.
        source: the photo.
        signature: of its file, see `signature_of`.
        sha256: of its content.
        settings: tells how it was to be done.
        people: who is in it, and for whom they are taken: (id, name of the target).
        made: the output.
        made_signature: of the output's file.
        made_sha256: of the output.
        outcome: as in `--json`.
        how: it was to be done, see `job.how_of`; None: an earlier version wrote it.

    """

    folder: Path
    source: Path
    signature: str | None
    sha256: str
    settings: str
    people: tuple[tuple[int, str], ...]
    made: Path
    made_signature: str | None
    made_sha256: str
    outcome: dict[str, Any]
    how: dict[str, Any] | None = None

    @property
    def intact(self) -> bool:
        """Whether the output is as it was written; it is read only if its file was touched."""
        now = signature_of(self.made)
        if now is None:
            return False
        return now == self.made_signature or sha256_of(self.made) == self.made_sha256


class Results:
    """The register of what was written."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, result: Result) -> None:
        """Write down what became of a photo, in the place of what was known of it."""
        values = (
            path_bytes(result.folder),
            _source_bytes(result.source),
            result.signature,
            result.sha256,
            result.settings,
            json.dumps(result.people),
            os.fsencode(result.made.absolute()),
            result.made_signature,
            result.made_sha256,
            json.dumps(result.outcome),
            None if result.how is None else json.dumps(result.how),
            time.time(),
        )
        with self._database.transaction() as connection:
            connection.execute(
                f"INSERT OR REPLACE INTO results ({_COLUMNS}, written) "
                f"VALUES ({', '.join('?' * len(values))})",
                values,
            )

    def of(self, source: Path, folder: Path, *, current: bool = True) -> Result | None:
        """Return what was written of a photo into a folder.

        With `current` only if it was for the people as they are now.
        """
        what = "WHERE folder = ? AND source = ?"
        found = self._found(what, path_bytes(folder), _source_bytes(source), current=current)
        return next(iter(found), None)

    def copies(self, sha256: str) -> list[Result]:
        """Return what was written of photos of this content, the latest first."""
        return self._found("WHERE sha256 = ? ORDER BY written DESC, rowid DESC", sha256)

    def made_of(self, sha256: str) -> set[str]:
        """Return the hashes of what was made of photos of this content, however and wherever."""
        return {one.made_sha256 for one in self._found("WHERE sha256 = ?", sha256, current=False)}

    def made(self, sha256: str, folder: Path | None = None) -> list[Result]:
        """Return the photos whose output, in a folder or in any, has this hash."""
        if folder is None:
            return self._found("WHERE made_sha256 = ? ORDER BY rowid DESC", sha256, current=False)
        what = "WHERE made_sha256 = ? AND folder = ?"
        return self._found(what, sha256, path_bytes(folder), current=False)

    def drop(self, folder: Path) -> None:
        """Forget what was written into a folder that is no more."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM results WHERE folder = ?", (path_bytes(folder),))

    def showing(self, people: Iterable[int]) -> list[Result]:
        """Return what was written of somebody, in the order of the photos' paths."""
        wanted = set(people)
        rows = self._found("ORDER BY source", current=False)
        return [one for one in rows if wanted & {person for person, _ in one.people}]

    def _found(self, what: str, *values: object, current: bool = True) -> list[Result]:
        """Return rows; with `current` those of which all people have the target that they had."""
        with self._database.transaction() as connection:
            rows = connection.execute(f"SELECT {_COLUMNS} FROM results {what}", values).fetchall()
            people = dict(connection.execute("SELECT id, target FROM people")) if rows else {}
        results = map(_result, rows)
        return [
            one
            for one in results
            if not current or all(people.get(person) == target for person, target in one.people)
        ]


def _source_bytes(path: Path) -> bytes:
    """Return the path of a photo; a link to another is a photo of its own, with an output."""
    return os.fsencode(Path(os.path.realpath(path.parent), path.name))


def _result(row: Sequence[Any]) -> Result:
    folder, source, signature, sha256, settings, people, *made, outcome, how = row
    path, made_signature, made_sha256 = made
    return Result(
        Path(os.fsdecode(folder)),
        Path(os.fsdecode(source)),
        signature,
        sha256,
        settings,
        tuple((int(person), str(target)) for person, target in json.loads(people)),
        Path(os.fsdecode(path)),
        made_signature,
        made_sha256,
        json.loads(outcome),
        None if how is None else json.loads(how),
    )
