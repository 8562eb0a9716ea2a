"""When a file is complete: nobody writes to it, and it has not changed for a while."""

import fcntl
import os
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from photocloak.plugin.storage.written_files import signature_of
from photocloak.plugin.watch.tree import Candidate

ROOM = 10_000
"""Files that may be settling at once; what is beyond, the next scan finds."""

WRITER_TIMEOUT = 600.0
"""Seconds after which a file is taken although a program keeps it open for writing."""


class Settler:
    """Holds files until they have been the same for `quiet` seconds of the monotonic `clock`."""

    def __init__(self, quiet: float, clock: Callable[[], float]) -> None:
        self.quiet, self._clock = quiet, clock
        # Ordered by when they are due, since all wait equally long from their last change.
        self._waiting: OrderedDict[Path, tuple[Candidate, float]] = OrderedDict()
        self._changed: dict[Path, float] = {}
        self.overflowed = False

    def __len__(self) -> int:
        """Return how many files are settling."""
        return len(self._waiting)

    def see(self, candidate: Candidate) -> None:
        """Take note of a file as it is now."""
        known = self._waiting.get(candidate.source)
        if known is not None and known[0].signature == candidate.signature:
            return
        if known is None and len(self._waiting) >= ROOM:
            self.overflowed = True
            return
        self._changed[candidate.source] = self._clock()
        self._wait(candidate)

    def due(self) -> float | None:
        """Return the seconds until the next file may have settled; None: none is waiting."""
        if not self._waiting:
            return None
        _, since = next(iter(self._waiting.values()))
        return max(0.0, since + self.quiet - self._clock())

    def settled(self) -> Iterator[Candidate]:
        """Hand out, one by one, the files that have settled."""
        while self.due() == 0:
            path, (candidate, _) = self._waiting.popitem(last=False)
            changed = self._changed.pop(path)
            signature = signature_of(path)
            if signature is None:
                continue
            if signature != candidate.signature:
                self.see(replace(candidate, signature=signature))
            elif is_being_written(path) and self._clock() - changed < WRITER_TIMEOUT:
                self._changed[path] = changed
                self._wait(candidate)
            else:
                yield candidate

    def _wait(self, candidate: Candidate) -> None:
        self._waiting[candidate.source] = (candidate, self._clock())
        self._waiting.move_to_end(candidate.source)


def is_being_written(path: Path) -> bool:
    """Tell whether a program has the file open for writing, as far as the file system knows.

    The kernel grants a read lease only on a file that nobody has open for writing. It is given
    back at once; should somebody open the file in between, the kernel sends SIGIO, which the
    daemon ignores. Network file systems have no leases: there only the waiting counts.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(handle)
    return False
