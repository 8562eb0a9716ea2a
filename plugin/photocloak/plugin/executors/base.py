"""Where photos are worked on: threads of this process, processes, or a cluster.

An executor knows no photos: it makes workers, and runs phases with them.
"""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any, Protocol

from photocloak.engine.cloaker import OnStep

Recipe = Callable[[], Any]
"""Makes a worker, which loads the models; hashable, and can be pickled."""

Phase = Callable[[Recipe, Any, OnStep], Any]
"""What a worker does: (gives the worker that there is, what it is about, hears of its steps)."""


class Executor(Protocol):
    """Runs phases; makes its workers itself, from a recipe.

    Attributes:
        workers: phases that it runs at once.

    """

    @property
    def workers(self) -> int:
        """See the class."""

    def start(self) -> None:
        """Get ready for the first phase; raises what would meet every one."""

    def submit(self, phase: Phase, argument: Any, on_step: OnStep) -> "Future[Any]":
        """Run a phase; `on_step` is called in any thread, and says that it is at work."""

    def close(self, *, wait: bool) -> None:
        """End the workers; `wait` for what was submitted, else give it up."""


@dataclass(frozen=True)
class OncePerProcess:
    """Gives the worker of whatever process it is called in; it is made at the first call."""

    recipe: Recipe

    def __call__(self) -> Any:
        """Load the models once a process."""
        with _MAKING:
            return _made(self.recipe)


_MAKING = Lock()


@lru_cache(maxsize=1)
def _made(recipe: Recipe) -> Any:
    return recipe()
