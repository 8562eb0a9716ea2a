"""What programs send, as a daemon's intake; and the server that they send it to."""

import time
from collections import Counter

from photocloak.plugin.pipeline.job import Outcome
from photocloak.plugin.progress import say
from photocloak.plugin.receiver.app import make_app
from photocloak.plugin.receiver.desk import Desk
from photocloak.plugin.receiver.listening import Place
from photocloak.plugin.receiver.problems import malformed, refused
from photocloak.plugin.receiver.token import Token
from photocloak.plugin.server import ByHeader, Guard, Serving
from photocloak.plugin.storage.file_kinds import Kind
from photocloak.plugin.watch.config import WatchConfig
from photocloak.plugin.watch.queue import Queue

TIDY = 60.0
"""Seconds between two looks for what need not be kept any more, and for what may go on."""

CONNECTIONS = 200
"""Connections that may be open at once."""

WHERE = "the file receiver.token, in photocloak's data folder"
"""Said to who has no token; the path is nobody's business."""

BESIDES = 8
"""Threads for what does not wait."""


class Received:
    """Has the daemon do what the desk has taken; see `watch.intake.Intake`."""

    def __init__(self, desk: Desk, place: Place, token: Token) -> None:
        self._desk, self._place, self._token = desk, place, token
        self._serving: Serving | None = None
        self._next = 0.0
        self.passed: Counter[Kind] = Counter()
        self.trouble: str | None = None

    def check(self, config: WatchConfig) -> None:
        """Nothing: whatever the settings say, photos can come."""

    def follow(self, config: WatchConfig) -> None:
        """Use these settings; begin to listen if it was not."""
        self._desk.settings = config.settings
        if self._serving is not None:
            return
        store, limits = self._desk.store, self._desk.limits
        store.clear_temporary()
        store.tidy()
        guard = Guard(
            make_app(self._desk),
            access=ByHeader(self._token.value, WHERE),
            hosts=self._place.hosts,
            worded=refused,
        )
        self._serving = Serving(
            guard,
            self._place.listen(),
            threads=limits.at_once + BESIDES,
            most_bytes=limits.most_bytes,
            connections=CONNECTIONS,
            worded=malformed,
        )
        say(f"listening on {self._place}; the token is in {self._token.path}")

    def everything(self) -> None:
        """Look at once for what may go on."""
        self._next = 0.0

    def start_again(self) -> None:
        """Do the same; nothing is on its way but in the journal."""
        self._next = 0.0

    def due(self) -> float:
        """Return the seconds until there is something to do by itself."""
        return max(0.0, self._next - time.monotonic())

    def scan(self, queue: Queue) -> None:
        """Let photos go on that wait by themselves, and drop what need not be kept any more."""
        if time.monotonic() < self._next:
            return
        self._desk.store.tidy()
        queue.wake()
        self._next = time.monotonic() + TIDY

    def told(self, outcome: Outcome) -> None:
        """Drop the photo, and tell who waits for it."""
        self._desk.store.done_with(outcome.source)
        self._desk.told(outcome.source.name)

    def close(self) -> None:
        """Stop listening."""
        self._desk.close()
        if self._serving is not None:
            self._serving.close()
            self._place.leave()
