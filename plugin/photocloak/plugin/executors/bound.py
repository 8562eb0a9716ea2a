"""Photos of an album: as many processes as cores and memory are enough for, each on its own cores.

Threads share one interpreter, and processes that share cores take them from each other; bound to
cores each, N processes do .9 N times as much as one (docs/lab/speed.md).
"""

from collections.abc import Sequence
from concurrent.futures import as_completed
from pathlib import Path

from photocloak.core import PhotocloakError
from photocloak.core.cores import cores
from photocloak.plugin.executors.base import OncePerProcess, Recipe
from photocloak.plugin.executors.processes import Processes
from photocloak.plugin.executors.worker_process import WorkerDiedError

MEMINFO = Path("/proc/meminfo")
LEFT = 0.2
"""Share of the available memory that is left to others."""


class BoundProcesses(Processes):
    """An executor of processes that share the cores out, and are all started at once."""

    def __init__(self, recipe: Recipe, workers: int) -> None:
        """`recipe` makes the worker of each; at most so many `workers`, and no more than cores."""
        shares = shared_out(cores(), workers)
        super().__init__(recipe, len(shares), shares=shares)
        self._started = False

    def start(self) -> None:
        """Start the processes side by side; as soon as one has its models, photos may come.

        Raises:
            PhotocloakError: none could load its models.

        """
        if self._started:
            return
        # Each gets one: a process is busy with its start for longer than these take to be given.
        calls = [self._crew.submit(_hire, self._make) for _ in range(self.workers)]
        error: BaseException | None = None
        for call in as_completed(calls):
            error = call.exception()
            if error is None:
                self._started = True
                return
        if isinstance(error, WorkerDiedError):
            raise PhotocloakError(f"No process with the models comes up: each {error}.")
        if error is not None:
            raise error


def shared_out(all_cores: Sequence[int], workers: int) -> list[Sequence[int]]:
    """Return the cores of each of so many workers, none of which is another's, and all are used."""
    count = max(min(workers, len(all_cores)), 1)
    return [all_cores[number::count] for number in range(count)]


def room_for(each: int) -> int:
    """Return for how many processes there are cores, and memory of `each` so many bytes; 1 or more.

    Where the system does not tell how much is available, the cores alone count.
    """
    free = _available()
    count = len(cores())
    return count if free is None else max(min(count, int((1 - LEFT) * free) // each), 1)


def _available() -> int | None:
    """Return the bytes that programs can have without swapping: MemAvailable of proc(5)."""
    try:
        lines = MEMINFO.read_text("ascii").splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(found[0]) * 1024 if found else None


def _hire(make: OncePerProcess) -> None:
    """Load the models in this process."""
    make()
