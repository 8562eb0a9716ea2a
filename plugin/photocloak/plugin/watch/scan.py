"""What lies in the watched folders: the reconciling scan, which alone decides what there is."""

import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

TEMPORARY_ENDINGS = (
    "~", ".part", ".partial", ".filepart", ".crdownload", ".download", ".opdownload", ".tmp",
    ".temp", ".swp", ".aria2", ".!ut", ".!qb", ".!sync", ".bts", ".owncloudsync", ".nextcloudsync",
    ".syncthing",
)  # fmt: skip
"""Of names that browsers, editors, download managers and sync clients give unfinished files."""

TEMPORARY_STARTS = (".", "~syncthing~", "~$", "#", ".~lock.")
"""Hidden files are never taken: .goutputstream-…, .syncthing.…, .nextcloud…, rsync's .name.Ab3x."""

TEMPORARY_MIDDLES = (".tmp.", ".tmp-", ".part.", ".goutputstream-", ".sb-")


@dataclass(frozen=True)
class Candidate:
    """A file that may be a photo.

    Attributes:
        source: absolute path.
        below: sub-folder of the output folder that mirrors where it was found.
        signature: changes whenever the file does; see `signature_of`.
        refused: why it must not be read; None: it may.

    """

    source: Path
    below: PurePath
    signature: str
    refused: str | None = None


def signature_of(path: Path) -> str | None:
    """Return what tells one state of a file from another without reading it; None: no file.

    Times are only compared for being equal, so a clock that is set back does no harm.
    """
    try:
        status = path.stat()
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    times = f"{status.st_mtime_ns}:{status.st_ctime_ns}"
    return f"{status.st_dev}:{status.st_ino}:{status.st_size}:{times}"


def is_photo_name(name: str, suffixes: Collection[str]) -> bool:
    """Tell whether a file of this name is to be taken."""
    low = name.lower()
    if low.startswith(TEMPORARY_STARTS) or low.endswith(TEMPORARY_ENDINGS):
        return False
    if any(part in low for part in TEMPORARY_MIDDLES):
        return False
    return os.path.splitext(low)[1] in suffixes  # noqa: PTH122 (a Path a file is slow)


class Tree:
    """The watched folders, without what must never be taken from them."""

    def __init__(
        self, roots: Collection[Path], suffixes: Collection[str], *, away: Collection[Path]
    ) -> None:
        """`roots` and `away`, the output folders to pass over, are resolved paths."""
        self.roots, self._suffixes, self.away = tuple(roots), suffixes, frozenset(away)

    def everything(self) -> Iterator[Candidate]:
        """Find all candidates."""
        for root in self.roots:
            yield from self.walk(root, deep=True)

    def walk(self, folder: Path, *, deep: bool) -> Iterator[Candidate]:
        """Find the candidates of a folder, and with `deep` of those below; a missing one has none.

        Links to folders are never followed, so no loop of links can be walked. A file that is a
        link out of the watched folder is refused.
        """
        root = self.root_of(folder)
        if root is None or any(one in self.away for one in (folder, *folder.parents)):
            return
        waiting = [folder]
        while waiting:
            here = waiting.pop()
            below = here.relative_to(root)
            if any(part.startswith(".") for part in below.parts):
                continue
            try:
                # Read at once: a generator that is kept waiting must not hold a handle.
                with os.scandir(here) as entries:
                    found = sorted(entries, key=lambda entry: entry.name)
            except OSError:
                continue
            for entry in found:
                if deep and entry.is_dir(follow_symlinks=False):
                    if here / entry.name not in self.away:
                        waiting.append(here / entry.name)
                elif is_photo_name(entry.name, self._suffixes):
                    candidate = self._candidate(entry, here, root, below)
                    if candidate is not None:
                        yield candidate

    def root_of(self, path: Path) -> Path | None:
        """Return the watched folder that a path belongs to."""
        return next((root for root in self.roots if path.is_relative_to(root)), None)

    def _candidate(
        self, entry: os.DirEntry[str], here: Path, root: Path, below: PurePath
    ) -> Candidate | None:
        source = here / entry.name
        signature = signature_of(source)
        if signature is None:
            return None
        if not entry.is_symlink():
            return Candidate(source, below, signature)
        target = source.resolve()
        if not target.is_relative_to(root):
            reason = f"{source}: is a link out of the watched folder {root}; put the photo itself."
            return Candidate(source, below, signature, reason)
        if any(target.is_relative_to(one) for one in self.away):
            return None
        return Candidate(source, below, signature)
