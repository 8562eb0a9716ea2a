"""Photos on a Dask cluster; see docs/howto/many-machines.md."""

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from photocloak.core import ConfigError, install_hint
from photocloak.engine.cloaker import OnStep
from photocloak.plugin.executors.base import OncePerProcess, Phase, Recipe

if TYPE_CHECKING:
    from distributed import Client

CONNECT_TIMEOUT = 10
"""Seconds to wait for the scheduler's answer."""


class Cluster:
    """An executor of the workers of a Dask scheduler."""

    def __init__(self, recipe: Recipe, address: str) -> None:
        """Connect to the scheduler at `address`.

        Raises:
            ConfigError: Dask is not installed, nobody answers, or there are no workers.

        """
        self._make = OncePerProcess(recipe)
        self._client = _connect(address)
        self.workers = sum(self._client.nthreads().values())
        if not self.workers:
            self._client.close()
            raise ConfigError(
                f"The Dask scheduler at {address} has no workers; start some with "
                f"`dask worker --nthreads 1 {address}`."
            )
        self._executor = self._client.get_executor(pure=False)
        self._topic = f"photocloak-{uuid4().hex}"
        self._hearing: dict[str, OnStep] = {}
        self._client.subscribe_topic(self._topic, self._heard)

    def start(self) -> None:
        """Nothing: a worker loads the models when it gets its first photo."""

    def submit(self, phase: Phase, argument: Any, on_step: OnStep) -> "Future[Any]":
        """Run a phase on one of the workers.

        Never by an earlier answer: the photo may have changed, or another have its name.
        """
        call = uuid4().hex
        self._hearing[call] = on_step
        future: Future[Any] = self._executor.submit(
            _run, phase, self._make, argument, self._topic, call
        )
        future.add_done_callback(lambda _: self._hearing.pop(call, None))
        return future

    def close(self, *, wait: bool) -> None:
        """Leave the cluster."""
        self._executor.shutdown(wait=wait)
        self._client.close()

    def _heard(self, event: tuple[float, Any]) -> None:
        """Take note of a step; called in the client's thread."""
        call, done, total = event[1]
        on_step = self._hearing.get(call)
        if on_step is not None:
            on_step(done, total)


def _connect(address: str) -> "Client":
    try:
        from distributed import Client
    except ImportError as error:
        raise ConfigError(
            f"--scheduler needs Dask: {install_hint('dask[distributed]>=2024.8')}."
        ) from error
    try:
        return Client(address, timeout=CONNECT_TIMEOUT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"No Dask scheduler answers at {address} ({error}); start one with `dask scheduler`."
        ) from error


def _run(phase: Phase, make: Recipe, argument: Any, topic: str, call: str) -> Any:
    """Run a phase on a worker, and log its steps there, which the client hears."""
    from distributed import get_worker

    log = get_worker().log_event
    return phase(make, argument, lambda done, total: log(topic, (call, done, total)))
