"""What a worker does: look at a photo, and cloak it. It knows neither people nor outputs.

Both are idempotent: done twice, or each by another worker, they come to the same.
"""

from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from threading import Lock

from photocloak.engine.cloaker import OnStep
from photocloak.exporters import Policy
from photocloak.plugin.executors.worker_process import sign_of_life
from photocloak.plugin.pipeline.job import Outcome
from photocloak.plugin.pipeline.messages import (
    CloakedFile,
    CloakRequest,
    Detections,
    PhotoTask,
    settled,
)
from photocloak.plugin.pipeline.process_photo import Engine, PhotoProcess

REMEMBERED = 2
"""Photos that a worker holds between looking and cloaking: the one in hand and the next."""

_Key = tuple[Path, str | None, Policy, Path | None]

Recipe = Callable[[], "Worker"]
"""Makes a worker in whatever process it is called in; hashable, and can be pickled."""


class Worker:
    """The phases of one photo that need the models."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._seen: OrderedDict[_Key, PhotoProcess] = OrderedDict()
        self._lock = Lock()

    def detect(self, task: PhotoTask) -> Detections:
        """Decode a photo, find its faces and embed them; remember it for `cloak`."""
        return self._attempt(task).detections

    def cloak(self, order: CloakRequest, on_step: OnStep | None = None) -> CloakedFile:
        """Cloak, encode and verify on the bytes; looks first if another worker did that."""
        attempt = self._attempt(order.task)
        try:
            return attempt.cloak(order, on_step)
        finally:
            with self._lock:
                self._seen.pop(_key(order.task), None)

    def _attempt(self, task: PhotoTask) -> PhotoProcess:
        with self._lock:
            known = self._seen.get(_key(task))
        if known is not None:
            return known
        attempt = PhotoProcess.detect(self._engine, task)
        with self._lock:
            self._seen[_key(task)] = attempt
            while len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
        return attempt


def _key(task: PhotoTask) -> _Key:
    """Return what the look at a photo depends on."""
    return task.job.source, task.file, task.policy, task.job.metadata_from


def detect(recipe: Recipe, task: PhotoTask) -> Detections | Outcome:
    """Run `Worker.detect` in this process; what goes wrong is the photo's outcome."""
    return settled(task.job, lambda: _hired(recipe).detect(task))


def cloak(recipe: Recipe, order: CloakRequest) -> CloakedFile | Outcome:
    """Run `Worker.cloak` in this process; what goes wrong is the photo's outcome."""
    return settled(order.task.job, lambda: _hired(recipe).cloak(order, lambda *_: sign_of_life()))


_HIRING = Lock()


def _hired(recipe: Recipe) -> Worker:
    with _HIRING:
        return _hire(recipe)


@lru_cache(maxsize=1)
def _hire(recipe: Recipe) -> Worker:
    """Load the models once a process."""
    return recipe()
