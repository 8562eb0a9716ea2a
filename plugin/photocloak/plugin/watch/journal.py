"""The journal: every photo that was found in a watched folder, by content, and what came of it.

What its rows hold says `schema`. No order rests on the clock, which may be set back.
"""

import json
import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Any

from photocloak.plugin.pipeline.job import FaceOutcome, Outcome, Status
from photocloak.plugin.storage.database import Database
from photocloak.plugin.storage.folders import Folders
from photocloak.plugin.watch.schema import JOURNAL, RECEIVED

BUSY_TIMEOUT = 5.0
"""Seconds to wait for another process's transaction: the daemon has signals to answer to."""


class State(StrEnum):
    """How far a photo is."""

    PENDING = "pending"
    WORKING = "working"
    WAITING = "waiting"
    DONE = "done"
    HELD = "held"
    FAILED = "failed"


@dataclass(frozen=True)
class JournalEntry:
    """A photo in the journal.

    Attributes:
        source: the photo.
        output: what was made of it; None: nothing, or nothing yet.
        state: how far it is.
        status: how it ended; None: it has not.
        reason: why not, or what there is to know.
        faces: as in `--json`.
        mode: it was done with.
        preset: it was done with.
        finished: when, in seconds since 1970.
        folder: the output folder.
        sha256: of the photo's file.
        made_sha256: of the output.
        seconds: that it took; None: it is not done.
        asked: what was asked for this photo alone, by the names of the settings, and `person`.
        discloses: what the metadata of the output tell.
        content: of the photo's pixels, see `Outcome`.

    """

    source: Path
    output: Path | None
    state: State
    status: Status | None
    reason: str | None
    faces: list[dict[str, Any]]
    mode: str | None
    preset: str | None
    finished: float | None
    folder: Path
    sha256: str
    made_sha256: str | None
    seconds: float | None = None
    asked: Mapping[str, str] = field(default_factory=dict)
    discloses: tuple[str, ...] = ()
    content: str | None = None

    @property
    def over(self) -> bool:
        """Whether the photo has its outcome."""
        return self.state in {State.DONE, State.HELD, State.FAILED}

    def outcome(self) -> Outcome | None:
        """Return what came of the photo, but for its exit code; None: nothing yet."""
        if not self.over or self.status is None:
            return None
        return Outcome(
            self.source,
            self.output,
            self.status,
            self.reason,
            tuple(map(FaceOutcome.from_json, self.faces)),
            seconds=self.seconds or 0.0,
            source_sha256=self.sha256 or None,
            output_sha256=self.made_sha256,
            discloses=self.discloses,
            content=self.content,
        )


@dataclass(frozen=True)
class Watching:
    """The latest daemon of an output folder; `trouble` is what it waits for."""

    output: Path
    pid: int
    folders: tuple[str, ...]
    started: float
    trouble: str | None


class Journal:
    """The journal as others read it; the daemon writes through `Queue`."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @classmethod
    def of_user(cls, folders: Folders) -> "Journal":
        """Return the user's journal; the file is made when it is first used."""
        return cls(Database(folders.data / "watch.db", JOURNAL, patience=BUSY_TIMEOUT))

    @classmethod
    def of_receiver(cls, folders: Folders) -> "Journal":
        """Return that of the photos that programs have sent, which stay for a while only."""
        return cls(Database(folders.data / "received.db", RECEIVED, patience=BUSY_TIMEOUT))

    def exists(self) -> bool:
        """Tell whether anything was ever watched."""
        return self.database.path.exists()

    def entries(self) -> Iterable[JournalEntry]:
        """Return every photo, by output folder and path."""
        return self._entries("ORDER BY output, source")

    def entry(self, source: Path, output: Path) -> JournalEntry | None:
        """Return a photo, by its path and output folder."""
        what = "WHERE output = ? AND source = ?"
        found = self._entries(what, os.fsencode(output), os.fsencode(source))
        return next(iter(found), None)

    def problems(self, output: Path, limit: int) -> list[JournalEntry]:
        """Return the photos that failed, were held back or wait by themselves, the latest first."""
        return self._entries(
            "WHERE output = ? AND state IN ('failed', 'held', 'waiting') "
            "ORDER BY number DESC LIMIT ?",
            os.fsencode(output),
            limit,
        )

    def in_hand(self, output: Path) -> list[Path]:
        """Return the photos that are being cloaked."""
        what = "WHERE output = ? AND state = 'working' ORDER BY source"
        return [entry.source for entry in self._entries(what, os.fsencode(output))]

    def daemons(self) -> list[Watching]:
        """Return the latest daemon of each output folder."""
        query = "SELECT output, pid, folders, started, trouble FROM daemons ORDER BY output"
        with self.database.transaction() as connection:
            rows = connection.execute(query).fetchall()
        return [
            Watching(_path(output), pid, tuple(json.loads(folders)), started, trouble)
            for output, pid, folders, started, trouble in rows
        ]

    def counts(self, output: Path) -> dict[State, int]:
        """Return how many photos are in each state."""
        query = "SELECT state, count(*) FROM photos WHERE output = ? GROUP BY state"
        with self.database.transaction() as connection:
            found = dict(connection.execute(query, (os.fsencode(output),)).fetchall())
        return {state: found.get(state.value, 0) for state in State}

    def pace(self, output: Path, latest: int = 20) -> float | None:
        """Return the mean seconds a photo of the latest ones; None: there are none.

        Photos overlap, so what counts is the time since the one before was finished, unless the
        daemon had nothing to do in between.
        """
        query = (
            "SELECT seconds, ticks FROM photos WHERE output = ? AND seconds > 0 "
            "ORDER BY number DESC LIMIT ?"
        )
        with self.database.transaction() as connection:
            rows = connection.execute(query, (os.fsencode(output), latest + 1)).fetchall()
        took = [
            min(seconds, ticks - before) if ticks > before else seconds
            for (seconds, ticks), (_, before) in pairwise(rows)
        ]
        if 0 < len(rows) <= latest:  # the first of all has none before it
            took.append(rows[-1][0])
        return sum(took) / len(took) if took else None

    def retry(self, paths: Iterable[Path]) -> list[Path]:
        """Put photos back into the queue, and return them.

        Args:
            paths: photos and folders, whatever became of them; none: all that failed, were held
                back or wait by themselves. A photo that is no longer there is struck off.

        """
        named = [Path(os.path.realpath(path)) for path in paths]
        again: list[tuple[int, Path]] = []
        gone: list[tuple[int, Path]] = []
        with self.database.transaction() as connection:
            for row, blob, state in connection.execute(
                "SELECT rowid, source, state FROM photos ORDER BY output, source"
            ):
                source = _path(blob)
                problem = state in {State.FAILED, State.HELD, State.WAITING}
                meant = problem if not named else any(map(source.is_relative_to, named))
                if meant and state != State.WORKING:
                    there = os.path.exists(blob)  # noqa: PTH110 (Path's raises without permission)
                    (again if there else gone).append((row, source))
            _put_back(connection, [row for row, _ in again])
            connection.executemany("DELETE FROM photos WHERE rowid = ?", [(r,) for r, _ in gone])
        return [source for _, source in again]

    def _entries(self, what: str, *arguments: object) -> list[JournalEntry]:
        query = (
            "SELECT source, made, state, status, reason, faces, mode, preset, finished, output, "
            f"sha256, made_sha256, seconds, asked, discloses, content FROM photos {what}"
        )
        with self.database.transaction() as connection:
            return list(map(_entry, connection.execute(query, arguments)))


def _put_back(connection: sqlite3.Connection, rows: Sequence[int]) -> None:
    """Queue rows again; a file that could not be read has no hash, and is found by the scan."""
    connection.executemany(
        "DELETE FROM photos WHERE sha256 = '' AND rowid = ?", [(row,) for row in rows]
    )
    connection.executemany(
        "UPDATE photos SET state = 'pending', tries = 0, status = NULL, reason = NULL, "
        "faces = '[]' WHERE rowid = ?",
        [(row,) for row in rows],
    )


def _entry(row: tuple[Any, ...]) -> JournalEntry:
    source, made, state, status, reason, faces, mode, preset, finished, output, *rest = row
    sha, made_sha, seconds, asked, discloses, content = rest
    return JournalEntry(
        _path(source),
        None if made is None else _path(made),
        State(state),
        None if status is None else Status(status),
        reason,
        json.loads(faces),
        mode,
        preset,
        finished,
        _path(output),
        sha,
        made_sha,
        seconds,
        json.loads(asked),
        tuple(json.loads(discloses)),
        content,
    )


def _path(blob: bytes) -> Path:
    return Path(os.fsdecode(blob))
