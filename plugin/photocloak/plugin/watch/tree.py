"""What lies in the watched folders: the reconciling scan, which alone decides what there is."""

import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from photocloak.plugin.storage.file_kinds import kind_of_folder
from photocloak.plugin.storage.walk import Seen, walk
from photocloak.plugin.storage.written_files import signature_of


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


class Tree:
    """The watched folders, without what must never be taken from them."""

    def __init__(
        self, roots: Iterable[Path], suffixes: Collection[str], *, away: Collection[Path]
    ) -> None:
        """`roots` and `away`, the output folders to pass over, are resolved paths."""
        self.roots, self._suffixes, self.away = tuple(roots), suffixes, frozenset(away)

    def everything(self) -> Iterator[Candidate | Seen]:
        """Find all candidates; see `walk`."""
        for root in self.roots:
            yield from self.walk(root, deep=True)

    def walk(self, folder: Path, *, deep: bool) -> Iterator[Candidate | Seen]:
        """Find the candidates of a folder, and with `deep` of those below; a missing one has none.

        What is passed over comes as it was seen. A file that is a link out of the watched folder
        is refused.
        """
        root = self.root_of(folder)
        if root is None or any(one in self.away for one in (folder, *folder.parents)):
            return
        if any(kind_of_folder(part) for part in folder.relative_to(root).parts):
            return
        for seen in walk(folder, self._suffixes, away=self.away, deep=deep):
            found = seen if seen.kind else self._candidate(seen, root)
            if found is not None:
                yield found

    def root_of(self, path: Path) -> Path | None:
        """Return the watched folder that a path belongs to."""
        return next((root for root in self.roots if path.is_relative_to(root)), None)

    def why_not_seen(self) -> str | None:
        """Say which watched folders nobody can look into, and why; None: there is none."""
        return "; ".join(filter(None, map(_why_not_seen, self.roots))) or None

    def _candidate(self, seen: Seen, root: Path) -> Candidate | None:
        source, below = seen.path, seen.folder.relative_to(root)
        signature = signature_of(source)
        if signature is None:
            return None
        if not seen.link:
            return Candidate(source, below, signature)
        target = Path(os.path.realpath(source))
        if not target.is_relative_to(root):
            reason = f"{source}: is a link out of the watched folder {root}; put the photo itself."
            return Candidate(source, below, signature, reason)
        if any(target.is_relative_to(one) for one in self.away):
            return None
        return Candidate(source, below, signature)


def _why_not_seen(root: Path) -> str | None:
    try:
        with os.scandir(root) as entries:  # which alone may go well where nothing can be read
            next(entries, None)
    except OSError as error:
        return f"{root}: cannot be looked into ({error.strerror})"
    return None
