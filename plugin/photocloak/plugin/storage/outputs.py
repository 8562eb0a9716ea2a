"""What photocloak itself has written, by hash, so that it is never cloaked twice."""

import time
from pathlib import Path

from photocloak.plugin.storage.database import Database
from photocloak.plugin.storage.written_files import path_bytes


class Outputs:
    """The register of own outputs.

    A hash is registered before the file becomes visible: whoever finds a published file, after a
    kill at any moment, finds its hash here too.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def announce(self, sha256: str, *, source: Path, cloaked: bool) -> None:
        """Register bytes that are about to be published for `source`, cloaked or copied."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO outputs VALUES (?, ?, ?, ?)",
                (sha256, path_bytes(source), cloaked, time.time()),
            )

    def knows(self, sha256: str) -> bool:
        """Tell whether bytes of this hash are a photo that photocloak has cloaked."""
        query = "SELECT EXISTS (SELECT 1 FROM outputs WHERE sha256 = ? AND cloaked)"
        with self._database.transaction() as connection:
            return bool(connection.execute(query, (sha256,)).fetchone()[0])

    def of(self, source: Path) -> set[str]:
        """Return the hashes of everything that was made of `source`."""
        query = "SELECT sha256 FROM outputs WHERE source = ?"
        with self._database.transaction() as connection:
            return {row[0] for row in connection.execute(query, (path_bytes(source),))}
