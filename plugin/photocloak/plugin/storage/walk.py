"""What lies in a folder: the photos to take, and what is passed over. The same for every way in."""

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from photocloak.plugin.storage.file_kinds import (
    Kind,
    downloads,
    is_reserved,
    kind_of_file,
    kind_of_folder,
)


class Seen(NamedTuple):
    """A file or folder that a walk has come by.

    Attributes:
        folder: that it lies in, absolute or relative as the walk began.
        name: its own.
        kind: why it is passed over; None: it is a photo by its name.
        link: whether it is a link.

    """

    folder: Path
    name: str
    kind: Kind | None
    link: bool = False

    @property
    def path(self) -> Path:
        """Return where it lies."""
        return self.folder / self.name


def walk(
    top: Path, suffixes: Collection[str], *, away: Collection[Path] = (), deep: bool = True
) -> Iterator[Seen]:
    """Go through a folder, its files by name and then its sub-folders by name.

    Links to folders are never followed, so no loop of links can be walked. What cannot be read is
    passed over; nothing raises.

    Args:
        top: the folder; one that is not there has nothing in it.
        suffixes: of photos, lower case with the dot.
        away: folders to leave out without a word, as `top` would lead there.
        deep: look into sub-folders too.

    """
    waiting = [top]
    while waiting:
        here = waiting.pop()
        try:
            # Read at once: a generator that is kept waiting must not hold a handle.
            with os.scandir(here) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            yield Seen(here.parent, here.name, Kind.UNREADABLE)
            continue
        below: list[Path] = []
        partial = downloads(entry.name for entry in found)
        for entry in found:
            if not _is_folder(entry):
                yield Seen(here, entry.name, _kind(entry, partial, suffixes), entry.is_symlink())
            elif here / entry.name in away or not deep:
                continue
            elif kind := kind_of_folder(entry.name):
                yield Seen(here, entry.name, kind)
            else:
                below.append(here / entry.name)
        waiting += reversed(below)


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _kind(
    entry: "os.DirEntry[str]", partial: Collection[str], suffixes: Collection[str]
) -> Kind | None:
    """Say why a file is passed over; None: it is a photo. Asks the disk only where it must."""
    kind = kind_of_file(entry.name, suffixes)
    try:
        if entry.is_symlink() and entry.is_dir():
            return Kind.LINK
        if kind is not None:
            return kind
        if not entry.is_file():
            return Kind.BROKEN if entry.is_symlink() and not _leads(entry) else Kind.SPECIAL
        if partial and is_reserved(entry.name, partial, empty=lambda: entry.stat().st_size == 0):
            return Kind.PARTIAL
    except OSError:  # it is gone again, or a loop of links
        return Kind.BROKEN
    return None


def _leads(link: "os.DirEntry[str]") -> bool:
    return os.path.exists(link.path)  # noqa: PTH110 (Path's raises where there is no permission)
