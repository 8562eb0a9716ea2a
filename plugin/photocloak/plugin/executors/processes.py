"""Photos in processes of our own: what crashes there costs one photo."""

from collections.abc import Collection, Sequence
from concurrent.futures import Future
from typing import Any

from photocloak.engine.cloaker import OnStep
from photocloak.plugin.executors.base import OncePerProcess, Phase, Recipe
from photocloak.plugin.executors.process_pool import HANG_TIMEOUT, ProcessPool
from photocloak.plugin.executors.worker_process import report


class Processes:
    """An executor of spawned processes, each with a worker."""

    def __init__(
        self,
        recipe: Recipe,
        workers: int,
        *,
        patience: float = HANG_TIMEOUT,
        shares: Sequence[Collection[int]] | None = None,
    ) -> None:
        """Make so many processes, none of which is started yet.

        Args:
            recipe: makes the worker of each.
            workers: processes.
            patience: seconds of silence after which one counts as hung.
            shares: the cores that each is bound to; None: they run where there is room.

        """
        self.workers = workers
        self._make = OncePerProcess(recipe)
        self._crew = ProcessPool(workers, patience=patience, shares=shares)

    def start(self) -> None:
        """Nothing: a process loads the models when it gets its first photo."""

    def submit(self, phase: Phase, argument: Any, on_step: OnStep) -> "Future[Any]":
        """Run a phase in a process, whose steps are its signs of life."""
        return self._crew.submit(_run, phase, self._make, argument, heard=on_step)

    def close(self, *, wait: bool) -> None:
        """End the processes."""
        self._crew.close(wait=wait)


def _run(phase: Phase, make: Recipe, argument: Any) -> Any:
    return phase(make, argument, report)
