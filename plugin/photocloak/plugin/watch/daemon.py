"""The daemon's loop: take what has come, do it, sleep until something rings."""

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
from photocloak.plugin.watch.config import WatchConfig
from photocloak.plugin.watch.events import Events
from photocloak.plugin.watch.intake import Intake, OpenIntake
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
        open_intake: OpenIntake | None = None,
        journal: Journal | None = None,
        pace: Pace | None = None,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make a daemon.

        Args:
            load: reads the settings, at the start and after SIGHUP.
            folders: the user's.
            open_coordinator: makes what cloaks, when there is a photo.
            open_intake: makes what photos come from; None: the watched folders.
            journal: what is written down of them; None: that of the watched folders.
            pace: how fast it goes about its work.
            wall: the time of day, in seconds since 1970.
            clock: a monotonic one.

        """
        self._load, self._folders, self._open = load, folders, open_coordinator
        self._pace, self._wall, self._clock = pace or Pace(), wall, clock
        self._events = Events()
        self._journal = journal or Journal.of_user(folders)
        self._intake: Intake = (
            Scanner(self._events, self._pace, clock, folders)
            if open_intake is None
            else open_intake(self._events)
        )
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
            self._queue = Queue(self._journal.database, config.output, self._wall)
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
            stack.callback(self._intake.close)
            self._patiently(lambda: self._intake.follow(config))
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
            self._intake.everything()
            self._events.ring()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGHUP, reread)
        signal.signal(signal.SIGUSR1, look)  # from `photocloak retry`
        signal.signal(signal.SIGIO, signal.SIG_IGN)  # see `is_being_written`

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
            self._intake.scan(self._queue)
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
        return resting if resting > 0 else self._intake.due()

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
            self._intake.check(config)
        except PhotocloakError as error:
            say(f"the settings were not read again: {clean(str(error))}")
            config = self._config
        else:
            self._runner.renew()
            say("the settings were read again")
        others = config.folders != self._config.folders
        self._config = config
        self._patiently(lambda: self._intake.follow(config))
        if others:
            self._patiently(lambda: self._queue.sign_on(config.folders))

    def _hindered(self, error: PhotocloakError) -> None:
        """Wait before anything is tried again, and say what for."""
        self._rest_until = self._clock() + self._resting
        self._resting = min(2 * self._resting, self._pace.rescan)
        # What was in hand between scan and queue is found again.
        self._intake.start_again()
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
        if self._unseen == self._intake.trouble:
            return
        self._unseen = self._intake.trouble
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
        self._tally.passed = self._intake.passed
        say(f"stopped: {self._tally.line()}")

    def _tell(self, outcome: Outcome) -> None:
        remark = self._tally.add(outcome)
        say(line(outcome))
        if remark is not None:
            say(clean(remark))
        self._intake.told(outcome)
