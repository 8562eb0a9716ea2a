"""The daemon's loop: scan, wait for files to settle, do them, sleep until something rings."""

import contextlib
import signal
import time
from collections.abc import Callable

from photocloak.core import OutputError, PhotocloakError
from photocloak.plugin.folders import Folders
from photocloak.plugin.job import Outcome
from photocloak.plugin.progress import clean, line, say
from photocloak.plugin.tally import Tally
from photocloak.plugin.watch.hands import Hands, OpenCoordinator
from photocloak.plugin.watch.journal import Journal
from photocloak.plugin.watch.lock import OutputLock
from photocloak.plugin.watch.lookout import Lookout, Pace
from photocloak.plugin.watch.orders import Orders, tree_of
from photocloak.plugin.watch.queue import Queue
from photocloak.plugin.watch.trouble import HinderedError
from photocloak.plugin.watch.wake import Wake


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
        self._lookout = Lookout(self._wake, self._pace, clock)
        self._stops, self._reread = 0, False
        self._tally = Tally()
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
                tell=self._tell,
                wake=self._wake.ring,
            )
            stack.callback(self._hands.close)
            self._patiently(self._begin)
            self._patiently(lambda: self._watch(orders))
            stack.callback(self._lookout.close)
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
            self._rest_until = 0.0
            self._lookout.everything()
            self._wake.ring()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGHUP, reread)
        signal.signal(signal.SIGUSR1, look)  # from `photocloak retry`
        signal.signal(signal.SIGIO, signal.SIG_IGN)  # see `is_being_written`

    def _watch(self, orders: Orders) -> None:
        """Watch what the orders say, and look everything through."""
        self._orders = orders
        self._lookout.watch(tree_of(orders, self._folders))
        say(f"watching {', '.join(map(str, orders.folders))}; cloaked photos go to {orders.output}")

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
            self._lookout.look(self._queue)
            before = self._hands.finished
            self._hands.turn(self._orders.settings)
            if self._trouble and (self._hands.finished > before or not self._hands.busy):
                self._relieved()
            self._hands.rest(self._pace.idle)
        except (OutputError, HinderedError) as error:
            self._hindered(error)
        except OSError as error:  # a disk that answers nobody, for instance
            self._hindered(HinderedError(str(error)))

    def _sleep(self) -> float:
        """Return the seconds until there is something to do by itself."""
        resting = self._rest_until - self._clock()
        return resting if resting > 0 else self._lookout.due()

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
            say("the settings were read again")
        if orders.folders == self._orders.folders:
            self._orders = orders
            self._lookout.everything()
            return
        self._patiently(lambda: self._watch(orders))
        self._patiently(lambda: self._queue.sign_on(orders.folders))

    def _hindered(self, error: PhotocloakError) -> None:
        """Wait before anything is tried again, and say what for."""
        self._rest_until = self._clock() + self._resting
        self._resting = min(2 * self._resting, self._pace.rescan)
        # What was in hand between scan and queue is found again.
        self._lookout.start_again()
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
        while self._hands.in_hand and self._clock() < until and self._stops < 2:
            with contextlib.suppress(OutputError, HinderedError):
                self._hands.collect()
            if self._hands.in_hand:
                self._wake.wait(min(1.0, max(0.0, until - self._clock())))
        self._hands.close()
        with contextlib.suppress(OutputError):
            self._hands.pick_up()
        self._tally.passed = self._lookout.passed
        say(f"stopped: {self._tally.line()}")

    def _tell(self, outcome: Outcome) -> None:
        self._tally.add(outcome)
        say(line(outcome))
