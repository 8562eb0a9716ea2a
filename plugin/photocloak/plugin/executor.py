"""Where photos are worked on: threads of this process, processes, or a cluster."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol

from photocloak.engine.cloaker import OnStep
from photocloak.plugin.worker import Hire

Phase = Callable[[Hire, Any, OnStep], Any]
"""`worker.look` or `worker.cloak`: (gives the worker, what it gets, hears of its steps)."""


class Executor(Protocol):
    """Runs phases of photos; makes its workers itself, from a recipe.

    Attributes:
        workers: photos that it does at once.

    """

    @property
    def workers(self) -> int:
        """See the class."""

    def start(self) -> None:
        """Get ready for the first photo; raises what would meet every one of them."""

    def submit(self, phase: Phase, argument: Any, on_step: OnStep) -> "Future[Any]":
        """Run a phase; `on_step` is called in any thread, and says that it is at work."""

    def close(self, *, wait: bool) -> None:
        """End the workers; `wait` for what was submitted, else give it up."""
