"""What was computed already: small values by key in one SQLite file, cloaked photos in folders.

Features are biometric data and cloaked photos are photos: the folder is for the user alone.
"""

import hashlib
import sqlite3
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from photocloak.plugin.storage.folders import make_private


def fingerprint(*parts: object) -> str:
    """Return a hash of the parts' texts."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:32]


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Cache:
    """Arrays by key, and a folder by key. What `put` wrote survives a kill once `commit` was."""

    def __init__(self, folder: Path) -> None:
        self.folder = make_private(folder)
        path = folder / "values.db"
        path.touch(mode=0o600)
        # Two evaluations at once wait for each other's commits, which last as long as the writing:
        # what is put is held in memory until then.
        self._connection = sqlite3.connect(path, timeout=60)
        self._held: dict[str, bytes] = {}
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS vectors (key TEXT PRIMARY KEY, data BLOB NOT NULL) STRICT"
        )

    def get(self, key: str) -> NDArray[np.float32] | None:
        """Return the (N,) float32 vector under `key`, or None."""
        if key in self._held:
            return np.frombuffer(self._held[key], "<f4")
        row = self._connection.execute("SELECT data FROM vectors WHERE key = ?", (key,)).fetchone()
        return None if row is None else np.frombuffer(row[0], "<f4")

    def put(self, key: str, vector: NDArray[np.generic]) -> None:
        """Keep a (N,) vector as float32."""
        self._held[key] = np.ascontiguousarray(vector, "<f4").tobytes()

    def commit(self) -> None:
        """Make everything that was put survive."""
        with self._connection:
            self._connection.executemany(
                "INSERT OR REPLACE INTO vectors VALUES (?, ?)", self._held.items()
            )
        self._held.clear()

    def close(self) -> None:
        """Let go of the file, after the last page is written; what was not committed is lost."""
        self._connection.close()

    def private(self, *names: str) -> Path:
        """Return a folder for these names, made if need be."""
        return make_private(self.folder.joinpath(*names))
