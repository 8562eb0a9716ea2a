"""Where cloaks wait to be published: a folder for each album below the user's private data folder.

review/ID/link          to the page, while it is open
review/ID/album.json    what the album is, and what was wished for all of it
review/ID/photos/…      the cloaks, in sub-folders as they will be published
"""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from photocloak.core import ConfigError, OutputError
from photocloak.plugin.settings import Settings
from photocloak.plugin.storage.folders import Folders, make_private

KEPT = 30 * 86400.0
"""Seconds after which an album that was not opened again is cleared away."""


@dataclass
class Wishes:
    """What an album is, and what is wished for it beyond single faces.

    Attributes:
        inputs: photos and folders, absolute.
        output: the folder to publish to, absolute.
        mode: see `Job`.
        preset: see `Job`.
        beside: the setting `beside`, where photos are published beside themselves; `output` is the
            folder that all of these places are below then. Empty: `output` is what was said.
        as_it_is: photos that are published without a face to cloak.
        weak: photos that are published although their cloak is weak.
        spared: people who are left as they are, by label, and the photos that show them.

    """

    inputs: list[str]
    output: str
    mode: str
    preset: str
    beside: str = ""
    as_it_is: list[str] = field(default_factory=list)
    weak: list[str] = field(default_factory=list)
    spared: dict[str, list[str]] = field(default_factory=dict)


class OpenElsewhereError(ConfigError):
    """Another process has the album.

    Attributes:
        link: to its page; empty: it has none yet.

    """

    def __init__(self, link: str) -> None:
        """Say so."""
        super().__init__(
            "This album is open in another `photocloak review`; go on there, or end it first."
        )
        self.link = link


class Staging:
    """The folder of one album, which one process at a time may work with."""

    def __init__(self, folder: Path) -> None:
        """Take the folder, and lock it until this process ends or `close` is called.

        Raises:
            OpenElsewhereError: another process has it.
            OutputError: it cannot be made.

        """
        make_private(folder.parent.parent)
        make_private(folder.parent)
        self.folder, self.photos = make_private(folder), make_private(folder / "photos")
        self._link = folder / "link"
        self._handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._handle)
            raise OpenElsewhereError(_read(self._link)) from error
        self._link.unlink(missing_ok=True)  # of a process that was killed

    @classmethod
    def of(cls, folders: Folders, inputs: Sequence[Path], output: Path) -> "Staging":
        """Return the folder for these photos and this output folder; see `__init__`."""
        names = [os.fsencode(os.path.realpath(one)) for one in (*inputs, output)]
        name = hashlib.sha256(b"\0".join(names)).hexdigest()[:16]
        return cls(_albums(folders) / name)

    @classmethod
    def latest(cls, folders: Folders) -> "Staging | None":
        """Return the folder of the album that was opened last; see `__init__`."""
        there = sorted(_albums(folders).glob("*/album.json"), key=_age)
        return cls(there[0].parent) if there else None

    def load(self) -> Wishes | None:
        """Return what was wished; None: nothing is known, or nothing that can be read."""
        try:
            return Wishes(**json.loads((self.folder / "album.json").read_text("ascii")))
        except (OSError, ValueError, TypeError):
            return None

    def save(self, wishes: Wishes) -> None:
        """Write down what is wished, whole or not at all; OutputError: it cannot be written."""
        _write(self.folder / "album.json", json.dumps(asdict(wishes)))

    def tell_link(self, link: str) -> None:
        """Have whoever opens the album once more find its page; OutputError: as `save`."""
        _write(self._link, link)

    def close(self) -> None:
        """Give the folder back; once is enough."""
        handle, self._handle = self._handle, -1
        if handle >= 0:
            self._link.unlink(missing_ok=True)
            os.close(handle)


def wishes_of(
    inputs: Iterable[Path],
    output: Path,
    settings: Settings,
    before: Wishes | None,
    *,
    beside: str = "",
) -> Wishes:
    """Return what is wished for an album that is opened; what was wished for photos stays."""
    wishes = Wishes(
        [str(one.absolute()) for one in inputs],
        str(output.absolute()),
        settings.mode,
        settings.preset,
        beside,
    )
    if before is not None:
        wishes.as_it_is, wishes.weak, wishes.spared = before.as_it_is, before.weak, before.spared
    return wishes


def sweep(folders: Folders) -> None:
    """Clear away albums that were not opened for long; what was published of them stays."""
    for path in _albums(folders).glob("*/album.json"):
        if _age(path) > KEPT:
            with suppress(ConfigError, OutputError, OSError):
                staging = Staging(path.parent)
                try:
                    shutil.rmtree(staging.folder)
                finally:
                    staging.close()


def _albums(folders: Folders) -> Path:
    return folders.data / "review"


def _write(path: Path, text: str) -> None:
    """Write a file for the user alone, whole or not at all."""
    try:
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}).") from error


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except (OSError, ValueError):
        return ""


def _age(path: Path) -> float:
    return time.time() - path.stat().st_mtime
