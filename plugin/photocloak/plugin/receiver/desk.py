"""What the addresses of the receiver need: the jobs, the limits, and how to wait for an outcome."""

import threading
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
        self._lock = threading.Lock()
        self._bells: dict[str, list[threading.Event]] = {}
        self._closed = False
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
        bell = threading.Event()
        with self._lock:  # before looking, so that nothing is missed in between
            self._bells.setdefault(job, []).append(bell)
        try:
            entry = self.store.entry(job)
            if entry is None or entry.over or self._closed:
                return entry
            bell.wait(self.limits.seconds)
            return self.store.entry(job)
        finally:
            with self._lock:
                self._bells[job].remove(bell)
                if not self._bells[job]:
                    del self._bells[job]

    def told(self, job: str) -> None:
        """Have everybody look again who waits for a job."""
        with self._lock:
            for bell in self._bells.get(job, ()):
                bell.set()

    def close(self) -> None:
        """Have nobody wait any more."""
        self._closed = True
        with self._lock:
            waiting = [*self._bells]
        for job in waiting:
            self.told(job)
