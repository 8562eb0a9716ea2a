"""What the addresses of the receiver need: the jobs, the limits, and how to wait for an outcome."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from photocloak import exporters
from photocloak.plugin.assembly import calls_neutrally
from photocloak.plugin.receiver.store import Store
from photocloak.plugin.settings import Settings
from photocloak.plugin.storage.folders import Folders
from photocloak.plugin.watch.journal import JournalEntry


@dataclass(frozen=True)
class Limits:
    """How much is taken.

    Attributes:
        most_bytes: of a request.
        seconds: for which `POST /cloak` waits.
        at_once: requests that wait so.
        waiting: photos that may wait.

    """

    most_bytes: int = 100_000_000
    seconds: float = 300.0
    at_once: int = 16
    waiting: int = 100


class Desk:
    """Takes photos, and tells what came of them; in any thread."""

    def __init__(
        self, store: Store, folders: Folders, limits: Limits, ring: Callable[[], None]
    ) -> None:
        """`ring` has the daemon look into its queue."""
        self.store, self.limits, self.ring = store, limits, ring
        self.settings = Settings()
        self._folders = folders
        self._news = threading.Condition()
        self._told, self._closed = 0, False
        self.places = threading.BoundedSemaphore(limits.at_once)

    def policy(self, preset: str) -> exporters.Policy:
        """Return a preset; ConfigError: there is none."""
        return exporters.load_policy(preset, self._folders.config / "presets")

    def neutral(self, entry: JournalEntry) -> bool:
        """Tell whether the file that was made gets a name that gives nothing away."""
        preset = entry.asked["preset"]
        return calls_neutrally(replace(self.settings, preset=preset), self._folders)

    def trouble(self) -> str | None:
        """Say what all photos wait for."""
        rows = self.store.journal.daemons()
        return next((one.trouble for one in rows if one.output == self.store.output), None)

    def wait(self, job: str) -> JournalEntry | None:
        """Wait until a job has its outcome, time is over, or the server ends; return its row."""
        until = time.monotonic() + self.limits.seconds
        while True:
            told = self._told  # before looking, so that nothing is missed in between
            entry, left = self.store.entry(job), until - time.monotonic()
            if entry is None or entry.over or self._closed or left <= 0:
                return entry
            with self._news:
                self._news.wait_for(lambda: self._told != told or self._closed, left)  # noqa: B023

    def told(self) -> None:
        """Have everybody who waits look again."""
        with self._news:
            self._told += 1
            self._news.notify_all()

    def close(self) -> None:
        """Have nobody wait any more."""
        with self._news:
            self._closed = True
            self._news.notify_all()
