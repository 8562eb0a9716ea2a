"""What photocloak itself has written, by hash, so that it is never cloaked twice."""

import os
import time
from pathlib import Path

from photocloak.plugin.database import Database


class Outputs:
    """The register of own outputs.

    A hash is registered before the file becomes visible: whoever finds a published file, a kill
    in between included, finds its hash here too.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def knows(self, sha256: str) -> bool:
        """Tell whether bytes of this hash were written by photocloak."""
        query = "SELECT EXISTS (SELECT 1 FROM outputs WHERE sha256 = ?)"
        with self._database.transaction() as connection:
            return bool(connection.execute(query, (sha256,)).fetchone()[0])

    def announce(self, sha256: str, *, source: Path) -> None:
        """Register bytes that are about to be published."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO outputs (sha256, source, written) VALUES (?, ?, ?) "
                "ON CONFLICT DO NOTHING",
                (sha256, _bytes(source), time.time()),
            )

    def published(self, sha256: str, *, source: Path, path: Path) -> None:
        """Note where announced bytes went."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE outputs SET path = ?, written = ? WHERE sha256 = ? AND source = ?",
                (_bytes(path), time.time(), sha256, _bytes(source)),
            )

    def earlier(self, *, source: Path, folder: Path) -> list[tuple[Path, str]]:
        """Return (path, sha256) of what was published in `folder` from `source`, latest first."""
        with self._database.transaction() as connection:
            rows = connection.execute(
                "SELECT path, sha256 FROM outputs WHERE source = ? AND path IS NOT NULL "
                "ORDER BY written DESC",
                (_bytes(source),),
            ).fetchall()
        home = folder.resolve()
        found = [(Path(os.fsdecode(path)), str(sha256)) for path, sha256 in rows]
        return [(path, sha256) for path, sha256 in found if path.parent == home]


def _bytes(path: Path) -> bytes:
    """Return an absolute path as the file system knows it; names need not be UTF-8."""
    return os.fsencode(path.resolve())
