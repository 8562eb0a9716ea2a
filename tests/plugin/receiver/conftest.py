"""One receiver for the tests that need no fresh one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from photocloak.plugin import Folders
from tests.plugin.receiver.harness import Receiver


@pytest.fixture
def receiver(tmp_path: Path, folders: Folders) -> Iterator[Receiver]:
    one = Receiver(tmp_path)
    yield one
    one.end()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """Return one that runs, for a whole module; whatever is sent to it stays there."""
    home = tmp_path_factory.mktemp("receiver")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home / "home"))
        patch.setenv("XDG_CONFIG_HOME", str(home / "config"))
        patch.setenv("XDG_DATA_HOME", str(home / "data"))
        one = Receiver(home)
        one.start("--max-size", "1", "--max-waiting", "50")
    yield one
    one.end()
