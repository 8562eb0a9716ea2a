"""What a worker does: look at a photo, and cloak it. It knows neither people nor outputs.

Both are idempotent: done twice, or each by another worker, they come to the same.
"""

from collections.abc import Callable
from threading import Lock

from photocloak.engine.cloaker import OnStep
from photocloak.plugin import attempt
from photocloak.plugin.attempt import Engine, Opened
from photocloak.plugin.job import Outcome
from photocloak.plugin.phases import Cloaked, Looked, Order, Task, settled

Hire = Callable[[], "Worker"]
"""Gives the worker that there is."""


class Worker:
    """The phases of one photo that need the models.

    It holds the photo that was looked at last, and only until another is opened: a photo alone is
    not read twice, and of many no pixels are kept.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._held: tuple[Task, Opened] | None = None
        self._lock = Lock()

    def look(self, task: Task) -> Looked:
        """Decode a photo, find its faces and embed them."""
        self._take(None)
        opened = attempt.open_photo(task)
        looked = attempt.look(self.engine, opened)
        with self._lock:
            self._held = task, opened
        return looked

    def cloak(self, order: Order, on_step: OnStep) -> Cloaked:
        """Cloak, encode and verify on the bytes."""
        opened = self._take(order.task) or attempt.open_photo(order.task)
        return attempt.cloak(self.engine, order, opened, on_step)

    def _take(self, task: Task | None) -> Opened | None:
        """Return the photo if it is the one held; none is held any more."""
        with self._lock:
            held, self._held = self._held, None
        same = task is not None and held is not None and _key(held[0]) == _key(task)
        return held[1] if same and held is not None else None


def _key(task: Task) -> tuple[object, ...]:
    """Return what reading a photo depends on."""
    return task.job.source, task.file, task.policy, task.job.metadata_from


def look(hire: Hire, task: Task, _: OnStep) -> Looked | Outcome:
    """Run `Worker.look` in this process; what goes wrong is the photo's outcome."""
    return settled(task.job, lambda: hire().look(task))


def cloak(hire: Hire, order: Order, on_step: OnStep) -> Cloaked | Outcome:
    """Run `Worker.cloak` in this process; what goes wrong is the photo's outcome."""
    return settled(order.task.job, lambda: hire().cloak(order, on_step))
