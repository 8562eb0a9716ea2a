"""Looking for photos: what events hint at, what a scan finds, and what of it has settled."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from photocloak.core import InputError, UnreadError
from photocloak.plugin.pipeline.job import Outcome
from photocloak.plugin.progress import clean, say
from photocloak.plugin.storage.file_kinds import Kind
from photocloak.plugin.storage.folders import Folders
from photocloak.plugin.storage.walk import Seen
from photocloak.plugin.storage.written_files import require_readable, sha256_of, signature_of
from photocloak.plugin.watch.config import WatchConfig, tree_of
from photocloak.plugin.watch.events import Events, Hints, Watcher
from photocloak.plugin.watch.queue import Queue
from photocloak.plugin.watch.settle import Settler
from photocloak.plugin.watch.tree import Candidate, Tree

CHUNK = 500
"""Candidates that are compared with the journal at once."""

SHARE = 400
"""A scan that took one second of CPU is made again after so many: a quarter of a per cent."""


@dataclass(frozen=True)
class Pace:
    """How fast the daemon goes about its work, in seconds.

    Attributes:
        quiet: without a change, after which a file has settled.
        rescan: between two scans of everything.
        poll: the same where the file system tells of no changes.
        gap: between two looks that events asked for.
        rest: before trying again when something hinders all photos, doubled up to `rescan`.
        idle: without work, after which the models are let go.
        grace: for the photos in hand when the daemon is to end.

    """

    quiet: float = 2.0
    rescan: float = 60.0
    poll: float = 10.0
    gap: float = 0.5
    rest: float = 2.0
    idle: float = 300.0
    grace: float = 45.0


class Scanner:
    """Looks out for photos in the watched folders. Events only wake it; a scan decides."""

    def __init__(
        self, wake: Events, pace: Pace, clock: Callable[[], float], folders: Folders
    ) -> None:
        """`clock` is monotonic."""
        self._events, self._pace, self._clock, self._folders = wake, pace, clock, folders
        self._settler = Settler(pace.quiet, clock)
        self._tree = Tree((), (), away=())
        self._hints = Hints(wake, ())
        self._watcher = Watcher((), self._hints)
        self._walks: deque[tuple[Iterator[Candidate | Seen], bool]] = deque()
        self._passing: Counter[Kind] = Counter()
        self.passed: Counter[Kind] = Counter()
        self.trouble: str | None = None
        self._next_scan = self._next_look = self._scan_cost = 0.0

    def check(self, config: WatchConfig) -> None:
        """Raise ConfigError where a watched folder lies in an output folder."""
        tree_of(config, self._folders)

    def follow(self, config: WatchConfig) -> None:
        """Watch these folders from now on, and look everything through."""
        if config.folders == self._tree.roots:
            self.everything()
            return
        self._watcher.close()
        self._tree = tree = tree_of(config, self._folders)
        self._hints = Hints(self._events, tree.away)
        self._watcher = Watcher(tree.roots, self._hints)
        self.start_again()
        say(f"watching {', '.join(map(str, config.folders))}; cloaked photos go to {config.output}")

    def everything(self) -> None:
        """Look everything through as soon as can be."""
        self._next_scan = 0.0

    def start_again(self) -> None:
        """Do the same from the beginning: something may have got lost on the way."""
        self._walks.clear()
        self._next_scan = 0.0

    def due(self) -> float:
        """Return the seconds until there is something to do without an event."""
        if self._walks:
            return 0.0
        now = self._clock()
        due = [self._next_scan - now, self._pace.rescan]
        if (settles := self._settler.due()) is not None:
            due.append(settles)
        if self._hints.waiting:
            due.append(self._next_look - now)
        return max(0.0, min(due))

    def told(self, outcome: Outcome) -> None:
        """Nothing."""

    def close(self) -> None:
        """Stop watching."""
        self._watcher.close()

    def scan(self, queue: Queue) -> None:
        """Go on looking, and put into the queue what has settled.

        Raises:
            OutputError: the journal cannot be used; `start_again` then.

        """
        self._follow()
        if self._walks:
            self._step(queue)
        self._take(queue)

    def _follow(self) -> None:
        """Begin what events ask for, and a scan of everything when it is time."""
        now = self._clock()
        if self._hints.waiting and now >= self._next_look:
            hinted, everything = self._hints.take()
            for folder, deep in hinted.items():
                self._walks.append((self._tree.walk(folder, deep=deep), False))
            self._next_look = now + self._pace.gap
            if everything:
                self._next_scan = 0.0
        if now >= self._next_scan and not any(full for _, full in self._walks):
            self._watcher.arm()
            # What such a file system says of a file may be as old as its last look.
            polls = self._watcher.polls
            self._settler.quiet = max(self._pace.quiet, self._pace.poll if polls else 0.0)
            self._settler.overflowed = False
            self._scan_cost = 0.0
            self._passing = Counter()
            self._walks.append((self._tree.everything(), True))
            self._next_scan = float("inf")

    def _step(self, queue: Queue) -> None:
        """Take a piece of the first walk."""
        walk, full = self._walks[0]
        began = time.thread_time()
        found = list(islice(walk, CHUNK))
        if found:
            candidates = [one for one in found if isinstance(one, Candidate)]
            if full:
                passed = (one.kind for one in found if isinstance(one, Seen))
                self._passing.update(filter(None, passed))
            for candidate in queue.news(candidates) if candidates else ():
                if candidate.refused:
                    queue.refuse(candidate, candidate.refused)
                    say(f"failed: {clean(candidate.refused)}")
                else:
                    self._settler.see(candidate)
        else:
            self._walks.popleft()
        cost = time.thread_time() - began
        self._scan_cost += cost if full else 0.0
        self._next_look = max(self._next_look, self._clock() + 20 * cost)
        if full and not found:
            self.passed = self._passing
            self.trouble = self._tree.why_not_seen()
            queue.prune()
            queue.wake()
            base = self._pace.poll if self._watcher.polls else self._pace.rescan
            base = self._pace.quiet if self._settler.overflowed else base
            self._next_scan = self._clock() + max(base, SHARE * self._scan_cost)

    def _take(self, queue: Queue) -> None:
        """Put settled files into the queue; big ones take a while to read, so not too many."""
        until = time.monotonic() + 0.5
        for candidate in self._settler.settled():
            sha256 = sha256_of(candidate.source)
            if sha256 is None:
                _record_why(queue, candidate)
                continue
            if signature_of(candidate.source) != candidate.signature:
                self._hints.add(candidate.source.parent, deep=False)
            else:
                queue.add(candidate, sha256)
            if time.monotonic() > until:
                break


def _record_why(queue: Queue, candidate: Candidate) -> None:
    """Record why a photo cannot be read, unless it is gone, or can be."""
    try:
        require_readable(candidate.source)
    except UnreadError as error:
        if queue.postpone(candidate, str(error)):
            say(f"waiting: {clean(str(error))}")
    except InputError as error:
        queue.refuse(candidate, str(error))
        say(f"failed: {clean(str(error))}")
