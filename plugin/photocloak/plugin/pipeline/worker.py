"""What a worker does: look at a photo, and cloak it. It knows neither people nor outputs.

Both are idempotent: done twice, or each by another worker, they come to the same.
"""

from collections.abc import Callable
from threading import Lock

from photocloak.engine.cloaker import OnStep
from photocloak.engine.memory import give_back_memory
from photocloak.plugin.pipeline import looking, process_photo
from photocloak.plugin.pipeline.job import Outcome
from photocloak.plugin.pipeline.messages import (
    CloakedFile,
    CloakRequest,
    Detections,
    PhotoTask,
    settled,
)
from photocloak.plugin.pipeline.process_photo import Engine, Opened

Hire = Callable[[], "Worker"]
"""Gives the worker that there is."""


class Worker:
    """The phases of one photo that need the models.

    It holds the photo that was looked at last, and only until another is opened: a photo alone is
    not read twice, and of many no pixels are kept.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._held: tuple[PhotoTask, Opened] | None = None
        self._lock = Lock()

    def detect(self, task: PhotoTask) -> Detections:
        """Decode a photo, find its faces and embed them."""
        self._take(None)
        opened = process_photo.open_photo(task)
        detections = looking.detect(self.engine, opened)
        with self._lock:
            self._held = task, opened
        return detections

    def cloak(self, order: CloakRequest, on_step: OnStep) -> CloakedFile:
        """Cloak, encode and verify on the bytes."""
        opened = self._take(order.task) or process_photo.open_photo(order.task)
        try:
            return process_photo.cloak(self.engine, order, opened, on_step)
        finally:
            give_back_memory()

    def _take(self, task: PhotoTask | None) -> Opened | None:
        """Return the photo if it is the one held; none is held any more."""
        with self._lock:
            held, self._held = self._held, None
        same = task is not None and held is not None and _key(held[0]) == _key(task)
        return held[1] if same and held is not None else None


def _key(task: PhotoTask) -> tuple[object, ...]:
    """Return what reading a photo depends on."""
    return task.job.source, task.file, task.policy, task.job.metadata_from


def detect(hire: Hire, task: PhotoTask, _: OnStep) -> Detections | Outcome:
    """Run `Worker.detect` in this process; what goes wrong is the photo's outcome."""
    return settled(task.job, lambda: hire().detect(task))


def cloak(hire: Hire, order: CloakRequest, on_step: OnStep) -> CloakedFile | Outcome:
    """Run `Worker.cloak` in this process; what goes wrong is the photo's outcome."""
    return settled(order.task.job, lambda: hire().cloak(order, on_step))
