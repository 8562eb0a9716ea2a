"""A Dask cluster to work on; see docs/howto/many-machines.md."""

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from photocloak.core import ConfigError

CONNECT_TIMEOUT = 10
"""Seconds to wait for the scheduler's answer."""


@contextmanager
def connected(address: str) -> Iterator[tuple[Executor, int]]:
    """Connect to the scheduler at `address`; give an executor, and how many photos it does at once.

    Raises:
        ConfigError: Dask is not installed, nobody answers, or there are no workers.

    """
    try:
        from distributed import Client
    except ImportError as error:
        raise ConfigError(
            "--scheduler needs Dask: pip install 'photocloak[distributed]'."
        ) from error
    try:
        client = Client(address, timeout=CONNECT_TIMEOUT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"No Dask scheduler answers at {address} ({error}); start one with `dask scheduler`."
        ) from error
    with client:
        threads = sum(client.nthreads().values())
        if not threads:
            raise ConfigError(
                f"The Dask scheduler at {address} has no workers; start some with "
                f"`dask worker --nthreads 1 {address}`."
            )
        # Never by an earlier answer: the photo may have changed, or another have its name.
        yield client.get_executor(pure=False), threads
