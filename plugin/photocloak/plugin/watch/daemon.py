"""The daemon's loop: scan, wait for files to settle, do them, sleep until something rings."""

import contextlib
import signal
import time
from collections.abc import Callable

from photocloak.core import OutputError, PhotocloakError
from photocloak.plugin.pipeline.job import Outcome
from photocloak.plugin.progress import clean, line, say
from photocloak.plugin.storage.folders import Folders
from photocloak.plugin.tally import Tally
from photocloak.plugin.watch.blockers import BlockedError
from photocloak.plugin.watch.config import WatchConfig, tree_of
from photocloak.plugin.watch.events import Events
from photocloak.plugin.watch.journal import Journal
from photocloak.plugin.watch.lock import OutputLock
from photocloak.plugin.watch.queue import Queue
from photocloak.plugin.watch.runner import OpenCoordinator, Runner
from photocloak.plugin.watch.scanner import Pace, Scanner


class Daemon:
    """One daemon for one output folder."""

    def __init__(
        self,
        load: Callable[[], WatchConfig],
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
        self._events = Events()
        self._scanner = Scanner(self._events, self._pace, clock)
        self._stops, self._reread = 0, False
        self._tally = Tally()
        self._trouble: str | None = None
        self._unseen: str | None = None
        self._rest_until, self._resting = 0.0, self._pace.rest

    def run(self) -> None:
        """Watch until SIGTERM or SIGINT.

        Raises:
            ConfigError: another daemon has the output folder, or the journal cannot be used.
            OutputError: the output folder cannot be made.

        """
        config = self._config = self._load()
        with contextlib.ExitStack() as stack:
            stack.callback(self._events.close)
            lock = OutputLock(config.output, self._folders)
            stack.callback(lock.release)
            self._listen()
            journal = Journal.of_user(self._folders)
            self._queue = Queue(journal.database, config.output, self._wall)
            self._runner = Runner(
                config.output,
                self._folders,
                self._queue,
                lock,
                open_coordinator=self._open,
                tell=self._tell,
                wake=self._events.ring,
            )
            stack.callback(self._runner.close)
            self._patiently(self._begin)
            self._patiently(lambda: self._watch(config))
            stack.callback(self._scanner.close)
            while not self._stops:
                self._turn()
                self._events.wait(self._sleep())
            self._wind_down()

    def _listen(self) -> None:
        def stop(*_: object) -> None:
            self._stops += 1
            self._events.ring()

        def reread(*_: object) -> None:
            self._reread = True
            self._events.ring()

        def look(*_: object) -> None:
            self._rest_until = 0.0
            self._scanner.everything()
            self._events.ring()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGHUP, reread)
        signal.signal(signal.SIGUSR1, look)  # from `photocloak retry`
        signal.signal(signal.SIGIO, signal.SIG_IGN)  # see `is_being_written`

    def _watch(self, config: WatchConfig) -> None:
        """Watch what the orders say, and look everything through."""
        self._config = config
        self._scanner.watch(tree_of(config, self._folders))
        say(f"watching {', '.join(map(str, config.folders))}; cloaked photos go to {config.output}")

    def _begin(self) -> None:
        self._queue.sign_on(self._config.folders)
        self._runner.pick_up()

    def _patiently(self, what: Callable[[], None]) -> None:
        """Do what needs the journal; while another process has it locked, wait."""
        while not self._stops:
            try:
                what()
            except OutputError as error:
                self._hindered(error)
                self._events.wait(self._resting)
                continue
            return

    def _turn(self) -> None:
        if self._reread:
            self._reread = False
            self._reload()
        if self._clock() < self._rest_until:
            return
        try:
            self._scanner.scan(self._queue)
            self._tell_unseen()
            before = self._runner.finished
            self._runner.turn(self._config.settings)
            if self._trouble and (self._runner.finished > before or not self._runner.busy):
                self._relieved()
            self._runner.rest(self._pace.idle)
        except (OutputError, BlockedError) as error:
            self._hindered(error)
        except OSError as error:  # a disk that answers nobody, for instance
            self._hindered(BlockedError(str(error)))

    def _sleep(self) -> float:
        """Return the seconds until there is something to do by itself."""
        resting = self._rest_until - self._clock()
        return resting if resting > 0 else self._scanner.due()

    def _reload(self) -> None:
        """Read the settings again; a mistake in them changes nothing."""
        self._rest_until = 0.0
        try:
            config = self._load()
            if config.output != self._config.output:
                raise OutputError(
                    f"{config.output}: the output folder changes only when the daemon is started "
                    "again."
                )
            tree_of(config, self._folders)
        except PhotocloakError as error:
            say(f"the settings were not read again: {clean(str(error))}")
            config = self._config
        else:
            self._runner.renew()
            say("the settings were read again")
        if config.folders == self._config.folders:
            self._config = config
            self._scanner.everything()
            return
        self._patiently(lambda: self._watch(config))
        self._patiently(lambda: self._queue.sign_on(config.folders))

    def _hindered(self, error: PhotocloakError) -> None:
        """Wait before anything is tried again, and say what for."""
        self._rest_until = self._clock() + self._resting
        self._resting = min(2 * self._resting, self._pace.rescan)
        # What was in hand between scan and queue is found again.
        self._scanner.start_again()
        if self._trouble != str(error):
            self._trouble = str(error)
            say(f"waiting: {clean(self._trouble)}")
        with contextlib.suppress(OutputError):
            self._queue.say(self._trouble)

    def _relieved(self) -> None:
        self._trouble, self._resting = None, self._pace.rest
        self._queue.say(self._unseen)
        say("going on")

    def _tell_unseen(self) -> None:
        """Say which watched folders cannot be looked into; what lies in others goes on."""
        if self._unseen == self._scanner.trouble:
            return
        self._unseen = self._scanner.trouble
        say(f"waiting: {clean(self._unseen)}" if self._unseen else "going on")
        if self._trouble is None:
            self._queue.say(self._unseen)

    def _wind_down(self) -> None:
        """Finish the photos in hand, or, when that takes too long, return them to the queue."""
        until = self._clock() + self._pace.grace
        while self._runner.in_hand and self._clock() < until and self._stops < 2:
            with contextlib.suppress(OutputError, BlockedError):
                self._runner.collect()
            if self._runner.in_hand:
                self._events.wait(min(1.0, max(0.0, until - self._clock())))
        self._runner.close()
        with contextlib.suppress(OutputError):
            self._runner.pick_up()
        self._tally.passed = self._scanner.passed
        say(f"stopped: {self._tally.line()}")

    def _tell(self, outcome: Outcome) -> None:
        remark = self._tally.add(outcome)
        say(line(outcome))
        if remark is not None:
            say(clean(remark))
