"""Where a daemon's photos come from: watched folders, or programs that send them."""

from collections import Counter
from collections.abc import Callable
from typing import Protocol

from photocloak.plugin.pipeline.job import Outcome
from photocloak.plugin.storage.file_kinds import Kind
from photocloak.plugin.watch.config import WatchConfig
from photocloak.plugin.watch.events import Events
from photocloak.plugin.watch.queue import Queue


class Intake(Protocol):
    """Puts photos into the queue. All but `told` is called by the daemon's own thread.

    Attributes:
        passed: what was passed over, by kind.
        trouble: why some photos may not be seen, for people; None: all are.

    """

    passed: Counter[Kind]
    trouble: str | None

    def check(self, config: WatchConfig) -> None:
        """Raise ConfigError where photos cannot come like this."""

    def follow(self, config: WatchConfig) -> None:
        """Take photos as the orders say from now on; they may be others than before."""

    def everything(self) -> None:
        """Look everything through as soon as can be."""

    def start_again(self) -> None:
        """Do the same from the beginning: something may have got lost on the way."""

    def due(self) -> float:
        """Return the seconds until there is something to do by itself."""

    def scan(self, queue: Queue) -> None:
        """Put into the queue what has come.

        Raises:
            OutputError: the journal cannot be used; `start_again` then.

        """

    def told(self, outcome: Outcome) -> None:
        """Hear what came of a photo; the journal has it already."""

    def close(self) -> None:
        """Take no photo any more."""


OpenIntake = Callable[[Events], Intake]
"""Makes an intake that rings when photos have come."""
