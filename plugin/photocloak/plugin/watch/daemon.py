"""The daemon's loop: scan, wait for files to settle, do them, sleep until something rings."""

import contextlib
import hashlib
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from photocloak.core import OutputError, PhotocloakError
from photocloak.plugin.folders import Folders
from photocloak.plugin.job import Outcome
from photocloak.plugin.progress import clean, line, say
from photocloak.plugin.watch.hands import Hands, HinderedError, OpenCoordinator
from photocloak.plugin.watch.journal import Journal
from photocloak.plugin.watch.lock import OutputLock
from photocloak.plugin.watch.orders import Orders, tree_of
from photocloak.plugin.watch.queue import Queue
from photocloak.plugin.watch.scan import Candidate, Tree, signature_of
from photocloak.plugin.watch.settle import Settler
from photocloak.plugin.watch.wake import Hints, Wake, Watcher

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


class Daemon:
    """One daemon for one output folder."""

    def __init__(
        self,
        load: Callable[[], Orders],
        folders: Folders,
        *,
        open_coordinator: OpenCoordinator,
        pace: Pace | None = None,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`load` reads the settings, at the start and after SIGHUP."""
        self._load, self._folders, self._open = load, folders, open_coordinator
        self._pace, self._wall, self._clock = pace or Pace(), wall, clock
        self._wake = Wake()
        self._settler = Settler(self._pace.quiet, clock)
        self._hints = Hints(self._wake, ())
        self._watcher = Watcher((), self._hints)
        self._walks: deque[tuple[Iterator[Candidate], bool]] = deque()
        self._next_scan = self._next_look = 0.0
        self._scan_cost = 0.0
        self._stops, self._reread = 0, False
        self._trouble: str | None = None
        self._rest_until, self._resting = 0.0, self._pace.rest

    def run(self) -> None:
        """Watch until SIGTERM or SIGINT.

        Raises:
            ConfigError: another daemon has the output folder, or the journal cannot be used.
            OutputError: the output folder cannot be made.

        """
        orders = self._orders = self._load()
        with contextlib.ExitStack() as stack:
            stack.callback(self._wake.close)
            lock = OutputLock(orders.output, self._folders)
            stack.callback(lock.release)
            self._listen()
            journal = Journal.of_user(self._folders)
            self._queue = Queue(journal.database, orders.output, self._wall)
            self._hands = Hands(
                orders.output,
                self._folders,
                self._queue,
                lock,
                open_coordinator=self._open,
                tell=_tell,
                wake=self._wake.ring,
            )
            stack.callback(self._hands.close)
            self._patiently(self._begin)
            self._patiently(lambda: self._watch(orders))
            stack.callback(self._unwatch)
            while not self._stops:
                self._turn()
                self._wake.wait(self._sleep())
            self._wind_down()

    def _listen(self) -> None:
        def stop(*_: object) -> None:
            self._stops += 1
            self._wake.ring()

        def reread(*_: object) -> None:
            self._reread = True
            self._wake.ring()

        def look(*_: object) -> None:
            self._next_scan = self._rest_until = 0.0
            self._wake.ring()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGHUP, reread)
        signal.signal(signal.SIGUSR1, look)  # from `photocloak retry`
        signal.signal(signal.SIGIO, signal.SIG_IGN)  # see `is_being_written`

    def _watch(self, orders: Orders) -> None:
        """Watch what the orders say, and look everything through."""
        self._orders = orders
        self._tree: Tree = tree_of(orders, self._folders)
        self._hints = Hints(self._wake, [orders.output])
        self._watcher = Watcher(orders.folders, self._hints)
        self._walks.clear()
        self._next_scan = 0.0
        say(f"watching {', '.join(map(str, orders.folders))}; cloaked photos go to {orders.output}")

    def _unwatch(self) -> None:
        self._watcher.close()

    def _begin(self) -> None:
        self._queue.sign_on(self._orders.folders)
        self._hands.pick_up()

    def _patiently(self, what: Callable[[], None]) -> None:
        """Do what needs the journal; while another process has it locked, wait."""
        while not self._stops:
            try:
                what()
            except OutputError as error:
                self._hindered(error)
                self._wake.wait(self._resting)
                continue
            return

    def _turn(self) -> None:
        if self._reread:
            self._reread = False
            self._reload()
        if self._clock() < self._rest_until:
            return
        try:
            self._look()
            self._take()
            before = self._hands.finished
            self._hands.turn(self._orders.settings)
            if self._trouble and (self._hands.finished > before or not self._hands.busy):
                self._relieved()
            self._hands.rest(self._pace.idle)
        except (OutputError, HinderedError) as error:
            self._hindered(error)

    def _sleep(self) -> float:
        """Return the seconds until there is something to do by itself."""
        now = self._clock()
        if now < self._rest_until:
            return self._rest_until - now
        if self._walks:
            return 0.0
        due = [self._next_scan - now, self._pace.rescan]
        if (settles := self._settler.due()) is not None:
            due.append(settles)
        if self._hints.waiting:
            due.append(self._next_look - now)
        return max(0.0, min(due))

    def _look(self) -> None:
        """Follow the hints, start a scan when it is time, and go on with what was started."""
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
            self._settler.overflowed = False
            self._scan_cost = 0.0
            self._walks.append((self._tree.everything(), True))
            self._next_scan = float("inf")
        if self._walks:
            self._step()

    def _step(self) -> None:
        """Take a piece of the first walk."""
        walk, full = self._walks[0]
        began = time.thread_time()
        found = list(islice(walk, CHUNK))
        if found:
            for candidate in self._queue.news(found):
                if candidate.refused:
                    self._queue.refuse(candidate, candidate.refused)
                    say(f"failed: {clean(candidate.refused)}")
                else:
                    self._settler.see(candidate)
        else:
            self._walks.popleft()
        cost = time.thread_time() - began
        self._scan_cost += cost if full else 0.0
        self._next_look = max(self._next_look, self._clock() + 20 * cost)
        if full and not found:
            self._queue.prune()
            base = self._pace.poll if self._watcher.polls else self._pace.rescan
            base = self._pace.quiet if self._settler.overflowed else base
            self._next_scan = self._clock() + max(base, SHARE * self._scan_cost)

    def _take(self) -> None:
        """Put settled files into the queue; big ones take a while to read, so not too many."""
        until = time.monotonic() + 0.5
        for candidate in self._settler.settled():
            try:
                with candidate.source.open("rb") as file:
                    sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            except FileNotFoundError:
                continue
            except OSError as error:
                reason = f"{candidate.source}: cannot be read ({error.strerror})."
                self._queue.refuse(candidate, reason)
                say(f"failed: {clean(reason)}")
                continue
            if signature_of(candidate.source) != candidate.signature:
                self._hints.add(candidate.source.parent, deep=False)
            else:
                self._queue.add(candidate, sha256)
            if time.monotonic() > until:
                break

    def _reload(self) -> None:
        """Read the settings again; a mistake in them changes nothing."""
        self._rest_until = 0.0
        try:
            orders = self._load()
            if orders.output != self._orders.output:
                raise OutputError(
                    f"{orders.output}: the output folder changes only when the daemon is started "
                    "again."
                )
            tree_of(orders, self._folders)
        except PhotocloakError as error:
            say(f"the settings were not read again: {clean(str(error))}")
            orders = self._orders
        else:
            self._hands.renew()
        if orders.folders == self._orders.folders:
            self._orders, self._next_scan = orders, 0.0
            return
        self._unwatch()
        self._patiently(lambda: self._watch(orders))
        self._patiently(lambda: self._queue.sign_on(orders.folders))

    def _hindered(self, error: PhotocloakError) -> None:
        """Wait before anything is tried again, and say what for."""
        self._rest_until = self._clock() + self._resting
        self._resting = min(2 * self._resting, self._pace.rescan)
        # What was in hand between scan and queue is found again.
        self._next_scan = 0.0
        self._walks.clear()
        if self._trouble != str(error):
            self._trouble = str(error)
            say(f"waiting: {clean(self._trouble)}")
        with contextlib.suppress(OutputError):
            self._queue.say(self._trouble)

    def _relieved(self) -> None:
        self._trouble, self._resting = None, self._pace.rest
        self._queue.say(None)
        say("going on")

    def _wind_down(self) -> None:
        """Finish the photos in hand, or, when that takes too long, return them to the queue."""
        until = self._clock() + self._pace.grace
        while self._hands.busy and self._clock() < until and self._stops < 2:
            with contextlib.suppress(OutputError, HinderedError):
                self._hands.collect()
            if self._hands.busy:
                self._wake.wait(min(1.0, max(0.0, until - self._clock())))
        self._hands.close()
        with contextlib.suppress(OutputError):
            self._hands.pick_up()
        say("stopped")


def _tell(outcome: Outcome) -> None:
    say(line(outcome))
