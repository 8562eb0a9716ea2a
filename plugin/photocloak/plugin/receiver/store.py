"""What programs have sent, what was made of it, and for how long both are kept.

A job is a photo and how it is wished. Its name is a hash of both, so the same request is the same
job however often it is sent: after a lost answer or a kill nothing is done twice. The photo lies in
a private folder from before its row is in the journal until the row says what came of it; whatever
else lies there was left behind by a death, and goes.
"""

import hashlib
import json
import os
import re
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import IO

from photocloak import exporters
from photocloak.core import OutputError, why
from photocloak.plugin.storage.folders import Folders, make_private
from photocloak.plugin.storage.written_files import signature_of
from photocloak.plugin.watch.journal import Journal, JournalEntry, State
from photocloak.plugin.watch.queue import Queue
from photocloak.plugin.watch.tree import Candidate

KEPT = 3600.0
"""Seconds for which the outcome of a job can be asked for."""

PIECE = 1 << 20
"""Bytes that are copied at once."""

JOB = re.compile(r"[0-9a-f]{32}")
"""The name of a job."""


class FullError(Exception):
    """As many photos wait as may."""


class GoneError(Exception):
    """The file is not, or not any more, what the journal says was written."""


@dataclass(frozen=True)
class Wish:
    """How a photo is to be done, as its sender says.

    Attributes:
        name: of the photo's file, without folders.
        mode: a row of `manifests/modes.toml`.
        preset: the metadata policy.
        person: whom the photo shows; None: nobody says it.

    """

    name: str
    mode: str
    preset: str
    person: str | None = None

    def as_asked(self) -> dict[str, str]:
        """Return it as it stands in the journal."""
        asked = {"name": self.name, "mode": self.mode, "preset": self.preset}
        return asked if self.person is None else asked | {"person": self.person}

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> "Wish":
        """Read what `as_asked` wrote."""
        return cls(asked["name"], asked["mode"], asked["preset"], asked.get("person"))


class Store:
    """The jobs; every method may be called in any thread."""

    def __init__(
        self, folders: Folders, *, most: int, clock: Callable[[], float] = time.time
    ) -> None:
        """Make the private folders.

        Args:
            folders: the user's.
            most: photos that may wait.
            clock: the wall time, by which what is over is kept for a while.

        """
        home = make_private(make_private(folders.data) / "received")
        self.incoming, self.output = make_private(home / "in"), make_private(home / "out")
        self.temporary = make_private(home / "tmp")
        self.journal = Journal.of_receiver(folders)
        self._queue = Queue(self.journal.database, self.output, clock)
        self._most, self._clock = most, clock
        self._lock = threading.Lock()

    def take(self, photo: IO[bytes], wish: Wish) -> str:
        """Put a photo into the queue, and return its job; one that is there already stays.

        Raises:
            FullError: too many photos wait.
            OutputError: the photo or its row cannot be written.

        """
        kept, sha256 = self._keep(photo)
        try:
            job = _name(sha256, wish)
            with self._lock:
                self._drop_lost(job)
                if self.entry(job) is None:
                    if self.waiting >= self._most:
                        raise FullError
                    self._add(self.incoming / job, kept, sha256, wish)
            return job
        finally:
            kept.unlink(missing_ok=True)

    def entry(self, job: str) -> JournalEntry | None:
        """Return what the journal says of a job; None: it does not know it."""
        if not JOB.fullmatch(job):
            return None
        return self.journal.entry(self.incoming / job, self.output)

    def file(self, entry: JournalEntry) -> bytes:
        """Return the file that was made, byte for byte as it was checked when it was written.

        Raises:
            GoneError: it was not, or has gone or changed since.

        """
        try:
            data = b"" if entry.output is None else entry.output.read_bytes()
        except OSError:
            data = b""
        if hashlib.sha256(data).hexdigest() != entry.made_sha256:
            raise GoneError
        return data

    def forget(self, job: str) -> bool:
        """Drop a job that is not in hand, and its files; False: it is in hand."""
        with self._lock:
            entry = self.entry(job)
            if entry is None:
                return True
            if not self._queue.strike(entry.source, but=State.WORKING):
                return False
            self._remove(entry)
        return True

    @property
    def waiting(self) -> int:
        """How many photos are not done."""
        counts = self.journal.counts(self.output)
        return sum(counts[one] for one in (State.PENDING, State.WORKING, State.WAITING))

    def tidy(self) -> None:
        """Drop what is over for long, and every file that no job needs any more."""
        oldest = self._clock() - KEPT
        with self._lock:
            rows = {one.source: one for one in self.journal.entries()}
            for source, entry in list(rows.items()):
                if entry.over and (entry.finished or 0.0) < oldest:
                    self._queue.strike(source, but=State.WORKING)
                    self._remove(rows.pop(source))
            for path in self.incoming.iterdir():
                if path not in rows or rows[path].over:
                    path.unlink(missing_ok=True)
            exporters.sweep(self.output)
            for path in (one for one in self.output.iterdir() if not one.name.startswith(".")):
                row = rows.get(self.incoming / _job_of(path))
                if row is None or (row.over and row.output != path):
                    path.unlink(missing_ok=True)

    def clear_temporary(self) -> None:
        """Drop what a process that died had half received."""
        for path in self.temporary.iterdir():
            path.unlink(missing_ok=True)

    def done_with(self, source: Path) -> None:
        """Drop a photo whose outcome is in the journal."""
        with suppress(OSError):  # `tidy` tries again
            source.unlink(missing_ok=True)

    def _add(self, source: Path, kept: Path, sha256: str, wish: Wish) -> None:
        kept.rename(source)
        signature = signature_of(source)
        if signature is None:
            raise OutputError("the photo cannot be kept (it has gone).")
        self._queue.add(Candidate(source, PurePath(), signature), sha256, wish.as_asked())

    def _drop_lost(self, job: str) -> None:
        """Drop a job whose file somebody has taken away or changed: it is done once more."""
        entry = self.entry(job)
        if entry is None or entry.state is not State.DONE:
            return
        try:
            self.file(entry)
        except GoneError:
            self._queue.strike(entry.source, but=State.WORKING)
            self._remove(entry)

    def _remove(self, entry: JournalEntry) -> None:
        for path in (entry.source, entry.output):
            if path is not None:
                path.unlink(missing_ok=True)

    def _keep(self, photo: IO[bytes]) -> tuple[Path, str]:
        """Write a photo into a private file; return it and the SHA-256 of the content."""
        digest = hashlib.sha256()
        try:
            handle, name = tempfile.mkstemp(dir=self.temporary)
            with os.fdopen(handle, "wb") as file:
                while data := photo.read(PIECE):
                    digest.update(data)
                    file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise OutputError(f"the photo cannot be kept ({why(error)}).") from error
        return Path(name), digest.hexdigest()


def _name(sha256: str, wish: Wish) -> str:
    """Return the name of the job that does a photo of this content as it is wished."""
    text = json.dumps([sha256, wish.as_asked()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _job_of(output: Path) -> str:
    """Return the job whose file this is; a number follows where the name was taken."""
    return output.name.partition(".")[0].partition("-")[0]
