"""The daemon's side of the journal: what is to be done for one output folder."""

import json
import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from photocloak.plugin.pipeline.job import HELD, Outcome, Status
from photocloak.plugin.settings import Settings
from photocloak.plugin.storage.database import Database
from photocloak.plugin.watch.journal import State
from photocloak.plugin.watch.tree import Candidate

COLUMNS = "rowid, source, below, signature, sha256, before, tries, reason, made IS NOT NULL, asked"

NUMBER = "(SELECT coalesce(max(number), 0) + 1 FROM photos)"

ITS_ROW = "rowid = ? AND sha256 = ?"
"""Of a task. New content at its path makes a new row, which may get the number of the old one."""


@dataclass(frozen=True)
class QueuedPhoto:
    """A photo to do: its row, where it lies, and for which content the row stands.

    Attributes:
        row: in the journal.
        source: the photo.
        below: sub-folder of the output folder.
        signature: of the file; see `signature_of`.
        sha256: of its content.
        before: hashes of what was made of it before it was begun.
        tries: how often it was put behind others.
        reason: what it waited for.
        redo: it was done, and somebody wants it done again.
        asked: what was asked for it alone, by the names of the settings, and `person`.

    """

    row: int
    source: Path
    below: PurePath
    signature: str
    sha256: str
    before: frozenset[str]
    tries: int
    reason: str | None
    redo: bool
    asked: Mapping[str, str]


class Queue:
    """The photos of one output folder. Every method is one transaction."""

    def __init__(self, database: Database, output: Path, clock: Callable[[], float]) -> None:
        """`clock` gives the wall time, for people to read."""
        self._database, self._clock = database, clock
        self._output = os.fsencode(output)

    def sign_on(self, folders: Collection[Path]) -> None:
        """Say who watches what."""
        shown = json.dumps([str(folder) for folder in folders])
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO daemons VALUES (?, ?, ?, ?, NULL)",
                (self._output, os.getpid(), shown, self._clock()),
            )

    def say(self, trouble: str | None) -> None:
        """Say what the daemon waits for; None: nothing."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE daemons SET trouble = ? WHERE output = ?", (_text(trouble), self._output)
            )

    def news(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Return those that are not in the journal as they are now; at most 500 are asked for."""
        marks = ", ".join("?" * len(candidates))
        query = f"SELECT source, signature FROM photos WHERE output = ? AND source IN ({marks})"
        sources = [os.fsencode(one.source) for one in candidates]
        with self._database.transaction() as connection:
            known = dict(connection.execute(query, (self._output, *sources)).fetchall())
        return [
            one
            for one, source in zip(candidates, sources, strict=True)
            if known.get(source) != one.signature
        ]

    def add(
        self, candidate: Candidate, sha256: str, asked: Mapping[str, str] | None = None
    ) -> bool:
        """Take a photo into the queue, unless this content was at this path before.

        Args:
            candidate: the photo.
            sha256: of its content.
            asked: what is asked for it alone, by the names of the settings, and `person`.

        """
        source = os.fsencode(candidate.source)
        with self._database.transaction() as connection:
            row = connection.execute(
                "SELECT sha256, state FROM photos WHERE output = ? AND source = ?",
                (self._output, source),
            ).fetchone()
            if row is not None and row[0] == sha256:
                connection.execute(
                    "UPDATE photos SET signature = ? WHERE output = ? AND source = ?",
                    (candidate.signature, self._output, source),
                )
                return False
            connection.execute(
                "INSERT OR REPLACE INTO photos "
                "(output, source, below, signature, sha256, state, asked) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    self._output,
                    source,
                    os.fsencode(candidate.below),
                    candidate.signature,
                    sha256,
                    State.PENDING,
                    json.dumps(asked or {}),
                ),
            )
        return True

    def refuse(self, candidate: Candidate, reason: str) -> None:
        """Record a file that must not or cannot be read."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO photos (output, source, below, signature, sha256, state, "
                "status, reason, finished, number) VALUES (?, ?, ?, ?, '', 'failed', 'failed', ?, "
                f"?, {NUMBER})",
                (
                    self._output,
                    os.fsencode(candidate.source),
                    os.fsencode(candidate.below),
                    candidate.signature,
                    _text(reason),
                    self._clock(),
                ),
            )

    def postpone(self, candidate: Candidate, reason: str) -> bool:
        """Record a file that cannot be read for now, and return whether that is news.

        It stays as new to every scan, since no change of it would tell that it can be read again.
        What is known of a content that was at this path stays, too.
        """
        source = os.fsencode(candidate.source)
        with self._database.transaction() as connection:
            before = connection.execute(
                "SELECT reason FROM photos WHERE output = ? AND source = ?", (self._output, source)
            ).fetchone()
            connection.execute(
                "INSERT INTO photos (output, source, below, signature, sha256, state, reason, "
                f"number) VALUES (?, ?, ?, '', '', 'waiting', ?, {NUMBER}) ON CONFLICT DO UPDATE "
                "SET reason = excluded.reason, state = 'waiting', status = NULL, signature = '' "
                "WHERE sha256 = ''",
                (self._output, source, os.fsencode(candidate.below), _text(reason)),
            )
        return before is None or before[0] != _text(reason)

    def next(self) -> QueuedPhoto | None:
        """Return the next photo to do."""
        return next(iter(self.pending(1)), None)

    def pending(self, most: int) -> list[QueuedPhoto]:
        """Return the next photos to do, at most so many."""
        query = (
            f"SELECT {COLUMNS} FROM photos WHERE output = ? AND state = 'pending' "
            "ORDER BY tries, rowid LIMIT ?"
        )
        with self._database.transaction() as connection:
            return list(map(_task, connection.execute(query, (self._output, most))))

    def begin(self, task: QueuedPhoto, before: Collection[str], settings: Settings) -> None:
        """Record, before anything is made of it, that a photo is in hand."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE photos SET state = 'working', before = ?, mode = ?, preset = ?, "
                f"no_face = ?, whose = ? WHERE {ITS_ROW}",
                (
                    json.dumps(sorted(before)),
                    settings.mode,
                    settings.preset,
                    settings.no_face,
                    settings.faces,
                    task.row,
                    task.sha256,
                ),
            )

    def finish(self, task: QueuedPhoto, outcome: Outcome, made: str | None) -> None:
        """Record what came of a photo; `made` is the hash of its output."""
        state = State.DONE
        if outcome.output is None and outcome.status is not Status.ALREADY_CLOAKED:
            state = State.HELD if outcome.status in HELD else State.FAILED
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE photos SET state = ?, status = ?, reason = ?, faces = ?, made = ?, "
                "made_sha256 = ?, seconds = ?, finished = ?, ticks = ?, discloses = ?, "
                f"content = ?, number = {NUMBER} WHERE {ITS_ROW}",
                (
                    state,
                    outcome.status,
                    _text(outcome.reason),
                    json.dumps([face.as_json() for face in outcome.faces]),
                    None if outcome.output is None else os.fsencode(outcome.output),
                    made,
                    outcome.seconds,
                    self._clock(),
                    time.monotonic(),
                    json.dumps(outcome.discloses),
                    outcome.content,
                    task.row,
                    task.sha256,
                ),
            )

    def put_back(self, task: QueuedPhoto, *, last: bool = False) -> None:
        """Return a photo in hand to the queue; with `last` behind all others."""
        with self._database.transaction() as connection:
            connection.execute(
                f"UPDATE photos SET state = 'pending', tries = tries + ? WHERE {ITS_ROW}",
                (last, task.row, task.sha256),
            )

    def wait(self, task: QueuedPhoto, reason: str) -> None:
        """Let a photo wait by itself until it is woken."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE photos SET state = 'waiting', reason = ?, tries = tries + 1, "
                f"number = coalesce(number, {NUMBER}) WHERE {ITS_ROW}",
                (_text(reason), task.row, task.sha256),
            )

    def wake(self, most: int | None = 100) -> None:
        """Put photos that wait by themselves back into the queue, those first that waited most.

        Args:
            most: at once; None: all.

        """
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE photos SET state = 'pending' WHERE rowid IN (SELECT rowid FROM photos "
                "WHERE output = ? AND state = 'waiting' AND sha256 <> '' "
                "ORDER BY tries, rowid LIMIT ?)",
                (self._output, -1 if most is None else most),
            )

    def drop(self, task: QueuedPhoto) -> None:
        """Forget a photo, which has gone or changed; the scan finds what is there."""
        with self._database.transaction() as connection:
            connection.execute(f"DELETE FROM photos WHERE {ITS_ROW}", (task.row, task.sha256))

    def strike(self, source: Path, *, but: State) -> bool:
        """Forget the photo at a path, unless it is in this state; tell whether that was done."""
        with self._database.transaction() as connection:
            done = connection.execute(
                "DELETE FROM photos WHERE output = ? AND source = ? AND state != ?",
                (self._output, os.fsencode(source), but),
            )
            return done.rowcount > 0

    def prune(self) -> None:
        """Forget photos that wait and are not there any more."""
        query = (
            "SELECT rowid, source FROM photos WHERE output = ? AND state IN ('pending', 'waiting')"
        )
        with self._database.transaction() as connection:
            rows = connection.execute(query, (self._output,)).fetchall()
            gone = [(row,) for row, source in rows if not os.path.exists(source)]  # noqa: PTH110
            connection.executemany("DELETE FROM photos WHERE rowid = ?", gone)

    def in_hand(self) -> list[QueuedPhoto]:
        """Return the photos that a daemon had in hand when it died."""
        query = f"SELECT {COLUMNS} FROM photos WHERE output = ? AND state = 'working'"
        with self._database.transaction() as connection:
            return list(map(_task, connection.execute(query, (self._output,))))


def _text(reason: str | None) -> str | None:
    """Return what SQLite takes for text: paths in it need not be UTF-8."""
    return None if reason is None else reason.encode("utf-8", "replace").decode("utf-8")


def _task(row: tuple[int, bytes, bytes, str, str, str, int, str | None, int, str]) -> QueuedPhoto:
    number, source, below, signature, sha256, before, tries, reason, redo, asked = row
    return QueuedPhoto(
        number,
        Path(os.fsdecode(source)),
        PurePath(os.fsdecode(below)),
        signature,
        sha256,
        frozenset(json.loads(before)),
        tries,
        reason,
        bool(redo),
        json.loads(asked),
    )
