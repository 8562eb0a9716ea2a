"""SQLite files of the user's data folder; first of all people (biometric data) and own outputs.

0600 in a 0700 folder; what is deleted is overwritten (`secure_delete`), and rollback journals
are used rather than a write-ahead log, which would keep deleted pages around. A connection lives
for one transaction only: threads and processes need no arrangement beyond SQLite's own locks.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from photocloak.core import ConfigError, OutputError
from photocloak.plugin.storage.folders import make_private

DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
HINDERED = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
}

BUSY_TIMEOUT = 30.0

SCHEMA = (
    """
    CREATE TABLE people (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT UNIQUE COLLATE NOCASE,
        target TEXT NOT NULL,
        created REAL NOT NULL,
        last_seen REAL NOT NULL
    ) STRICT
    """,
    """
    -- The sum of a person's unit feature vectors, little-endian float32. Its direction counts.
    CREATE TABLE centroids (
        person INTEGER NOT NULL REFERENCES people ON DELETE CASCADE,
        extractor TEXT NOT NULL,
        total BLOB NOT NULL,
        PRIMARY KEY (person, extractor)
    ) STRICT
    """,
    """
    -- One row a photo, so that a photo seen again neither counts nor teaches twice. They are
    -- numbered in the order they were first seen.
    CREATE TABLE sightings (
        person INTEGER NOT NULL REFERENCES people ON DELETE CASCADE,
        photo TEXT NOT NULL,
        number INTEGER NOT NULL,
        PRIMARY KEY (person, photo)
    ) STRICT
    """,
    """
    -- The raw features of the first photos (X_U of eq. 3), for choosing a target again.
    CREATE TABLE samples (
        person INTEGER NOT NULL,
        photo TEXT NOT NULL,
        extractor TEXT NOT NULL,
        features BLOB NOT NULL,
        PRIMARY KEY (person, photo, extractor),
        FOREIGN KEY (person, photo) REFERENCES sightings ON DELETE CASCADE
    ) STRICT
    """,
    """
    -- Targets from a user's own folder (the library's lie in the manifests).
    CREATE TABLE targets (
        name TEXT NOT NULL,
        extractor TEXT NOT NULL,
        members BLOB NOT NULL,
        size INTEGER NOT NULL,
        PRIMARY KEY (name, extractor)
    ) STRICT
    """,
    """
    -- source is a path as the file system knows it, which need not be UTF-8.
    CREATE TABLE outputs (
        sha256 TEXT NOT NULL,
        source BLOB NOT NULL,
        cloaked INTEGER NOT NULL,
        written REAL NOT NULL,
        PRIMARY KEY (sha256, source)
    ) STRICT
    """,
    """
    CREATE INDEX outputs_source ON outputs (source)
    """,
)

RESULTS = (
    """
    -- What was written of a photo into a folder; see `results.Result`. Paths as in `outputs`.
    CREATE TABLE results (
        folder BLOB NOT NULL,
        source BLOB NOT NULL,
        signature TEXT,
        sha256 TEXT NOT NULL,
        settings TEXT NOT NULL,
        people TEXT NOT NULL,
        made BLOB NOT NULL,
        made_signature TEXT,
        made_sha256 TEXT NOT NULL,
        outcome TEXT NOT NULL,
        written REAL NOT NULL,
        PRIMARY KEY (folder, source)
    ) STRICT
    """,
    "CREATE INDEX results_sha256 ON results (sha256)",
    "CREATE INDEX results_made ON results (made_sha256)",
    "CREATE INDEX sightings_photo ON sightings (photo)",
)

NAMES = (
    """
    -- Random bytes that names of outputs are made with; see `output_names`.
    CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT
    """,
    # How it was to be done, as `job.how_of` says it; NULL: an earlier version wrote it.
    "ALTER TABLE results ADD COLUMN how TEXT",
)

CORRECTIONS = (
    """
    -- What the user said about faces; see `people.corrections`. `photo` is the hash of its pixels,
    -- in which the box is.
    CREATE TABLE corrections (
        photo TEXT NOT NULL,
        x INTEGER NOT NULL,
        y INTEGER NOT NULL,
        w INTEGER NOT NULL,
        h INTEGER NOT NULL,
        correction TEXT NOT NULL,
        PRIMARY KEY (photo, x, y, w, h)
    ) STRICT
    """,
)


@dataclass(frozen=True)
class Schema:
    """What a file holds.

    Attributes:
        versions: the statements that make each version of the schema of the one before; the
            file keeps the number of its own.
        holds: what it holds, in a sentence "photocloak keeps … there".
        loss: what it means to start without it, in a sentence "… then".

    """

    versions: tuple[tuple[str, ...], ...]
    holds: str
    loss: str


PEOPLE = Schema(
    (SCHEMA, RESULTS, NAMES, CORRECTIONS),
    "people and outputs",
    "people will then get new targets",
)


class Database:
    """A file to run transactions on; created when first used."""

    def __init__(
        self, path: Path, schema: Schema = PEOPLE, *, patience: float = BUSY_TIMEOUT
    ) -> None:
        """`patience`: seconds to wait for another process's transaction."""
        self.path, self._schema, self._patience = path, schema, patience

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run a block as one IMMEDIATE transaction: all of it or, after an exception, nothing.

        Raises:
            ConfigError: the file is damaged or from a newer photocloak.
            OutputError: it cannot be written, or is locked for too long.

        """
        try:
            with closing(self._connect()) as connection:
                connection.execute("BEGIN IMMEDIATE")
                try:
                    self._migrate(connection)
                    yield connection
                except BaseException:
                    connection.rollback()
                    raise
                connection.commit()
        except sqlite3.DatabaseError as error:
            raise self._explained(error) from error

    def vacuum(self) -> None:
        """Rebuild the file, so that no page keeps a copy of what was deleted."""
        try:
            with closing(self._connect()) as connection:
                connection.execute("VACUUM")
        except sqlite3.DatabaseError as error:
            raise self._explained(error) from error

    def _connect(self) -> sqlite3.Connection:
        make_private(self.path.parent)
        try:
            # SQLite would create the file with the umask's mode; its journal takes the file's.
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self.path.chmod(0o600)
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be written ({error.strerror}).") from error
        connection = sqlite3.connect(self.path, timeout=self._patience, isolation_level=None)
        try:
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA temp_store = MEMORY")
            connection.execute("PRAGMA foreign_keys = ON")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _explained(self, error: sqlite3.DatabaseError) -> Exception:
        """Say what a failure means for the user; one that is our own mistake stays what it is."""
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in DAMAGED:
            return ConfigError(
                f"{self.path}: is damaged ({error}). Restore it from a backup, or move it away to "
                f"start afresh; {self._schema.loss}."
            )
        if code in HINDERED:
            return OutputError(
                f"{self.path}: {error}; photocloak keeps {self._schema.holds} there. Close other "
                "photocloak processes, or see that the folder is writable and the disk not full."
            )
        return error

    def _migrate(self, connection: sqlite3.Connection) -> None:
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        latest = len(self._schema.versions)
        if found > latest:
            raise ConfigError(
                f"{self.path}: was written by a newer photocloak (version {found}, this one knows "
                f"{latest}). Update photocloak, or point XDG_DATA_HOME elsewhere."
            )
        for statement in (one for version in self._schema.versions[found:] for one in version):
            connection.execute(statement)
        if found < latest:
            connection.execute(f"PRAGMA user_version = {latest}")


class Copy(Database):
    """A database as it is now, in memory: whatever is changed in it, is in no file."""

    def __init__(self, path: Path, schema: Schema = PEOPLE) -> None:
        super().__init__(path, schema)
        self._memory = sqlite3.connect(
            ":memory:", isolation_level=None, check_same_thread=False, factory=_Kept
        )
        if path.is_file():
            try:
                with closing(
                    sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
                ) as file:
                    file.backup(self._memory)
            except sqlite3.DatabaseError as error:
                raise self._explained(error) from error
        self._memory.execute("PRAGMA foreign_keys = ON")

    def _connect(self) -> sqlite3.Connection:
        return self._memory


class _Kept(sqlite3.Connection):
    """Outlives a transaction: closing it would be the end of what is in memory."""

    def close(self) -> None:
        """Nothing."""
