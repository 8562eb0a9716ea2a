"""A place to watch."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from photocloak.plugin import Folders
from tests.plugin.watch.harness import Place


@pytest.fixture
def place(tmp_path: Path, folders: Folders) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.end()
