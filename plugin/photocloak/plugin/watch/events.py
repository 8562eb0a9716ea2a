"""What wakes the daemon: events of the file system, signals, finished photos. None of it decides.

watchdog drops events without a word when the kernel's queue overflows, and new sub-folders race
with their watches. So an event only names a folder to look into, and all folders are looked
through again from time to time.
"""

import contextlib
import os
import select
import threading
from collections.abc import Collection
from pathlib import Path

from watchdog.events import (
    DirCreatedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from photocloak.plugin.watch.mounts import mount_of, place_of

EVENTS: list[type[FileSystemEvent]] = [
    FileCreatedEvent,
    FileModifiedEvent,
    FileClosedEvent,
    FileMovedEvent,
    DirCreatedEvent,
    DirMovedEvent,
]

ROOM = 1_000
"""Folders to look into that are kept apart; beyond that, all are looked into."""

WITHOUT_EVENTS = (
    "nfs", "cifs", "smb", "9p", "fuse", "vbox", "afs", "ceph", "gluster", "virtiofs", "prl_fs",
    "drvfs", "lustre", "davfs", "ncp",
)  # fmt: skip
"""How the types of file systems begin that do not tell what other machines change on them."""


class Events:
    """A bell that signal handlers and threads may ring; the main thread waits for it."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def ring(self) -> None:
        """End the wait, or the next one. Takes no lock, so that it is safe in a signal handler."""
        with contextlib.suppress(BlockingIOError, OSError):  # full: it rings already
            os.write(self._writer, b"!")

    def wait(self, seconds: float) -> None:
        """Wait for the bell, at most so long."""
        select.select([self._reader], [], [], seconds)
        with contextlib.suppress(BlockingIOError):
            os.read(self._reader, 4096)

    def close(self) -> None:
        """Give the pipe back."""
        os.close(self._reader)
        os.close(self._writer)


class Hints(FileSystemEventHandler):
    """Collects the folders in which something has happened."""

    def __init__(self, wake: Events, away: Collection[Path]) -> None:
        self._events, self._away = wake, tuple(away)
        self._lock = threading.Lock()
        self._folders: dict[Path, bool] = {}
        self._all = False

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Note a file's folder, or the whole of a folder that is new."""
        path = Path(os.fsdecode(event.dest_path or event.src_path))
        folder, deep = (path, True) if event.is_directory else (path.parent, False)
        if not any(folder.is_relative_to(one) for one in self._away):
            self.add(folder, deep=deep)

    @property
    def waiting(self) -> bool:
        """Whether there is a folder to look into."""
        return bool(self._folders) or self._all

    def add(self, folder: Path, *, deep: bool) -> None:
        """Have a folder looked into, and with `deep` all below."""
        with self._lock:
            self._folders[folder] = deep or self._folders.get(folder, False)
            if len(self._folders) > ROOM:
                self._folders.clear()
                self._all = True
        self._events.ring()

    def take(self) -> tuple[dict[Path, bool], bool]:
        """Return the folders (True: with all below), and whether all must be looked into."""
        with self._lock:
            taken = self._folders, self._all
            self._folders, self._all = {}, False
        return taken


class Watcher:
    """Keeps the kernel's watches on the folders, as far as it has any."""

    def __init__(self, roots: Collection[Path], hints: Hints) -> None:
        self._roots, self._hints = roots, hints
        self._observer: BaseObserver | None = None
        self._armed: dict[Path, tuple[int, int]] = {}
        self.trouble: str | None = None

    def arm(self) -> None:
        """Watch what is not watched: at first, and when a folder has gone and come back."""
        places = {root: place for root in self._roots if (place := place_of(root)) is not None}
        if places == self._armed and (self._observer is not None or self.trouble):
            return
        self.close()
        self._armed = places
        observer = Observer()
        try:
            for root in places:
                observer.schedule(self._hints, str(root), recursive=True, event_filter=EVENTS)
            observer.start()
        except OSError as error:
            self.trouble = f"no events from the file system ({error.strerror}); polling instead"
            observer.unschedule_all()
            return
        self.trouble = None
        self._observer = observer

    @property
    def polls(self) -> bool:
        """Whether changes can happen of which no event tells."""
        return self.trouble is not None or not all(map(has_events, self._roots))

    def close(self) -> None:
        """Stop watching."""
        if self._observer is not None:
            self._observer.stop()
            self._observer.join()
            self._observer = None


def has_events(folder: Path) -> bool:
    """Tell whether a folder lies on a file system where the kernel sees every change."""
    return not mount_of(folder).kind.startswith(WITHOUT_EVENTS)
