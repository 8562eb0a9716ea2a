"""From what the user named to the photos to do: files as they are, folders searched."""

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from photocloak.core import InputError


@dataclass(frozen=True)
class Found:
    """A photo, and the sub-folder of the output folder that mirrors where it was found."""

    source: Path
    below: PurePath


def find_photos(
    inputs: Sequence[Path], suffixes: Collection[str], *, output: Path | None = None
) -> list[Found]:
    """Return the photos in the order of the inputs, those of a folder sorted by path.

    A file that is named is taken whatever its suffix; what it is turns out when it is read. In
    folders, files with other suffixes, hidden files and folders, links to folders, and an
    `output` folder inside of them are passed over. No photo comes twice.

    Args:
        inputs: files and folders.
        suffixes: of photos, lower case with the dot.
        output: the folder that results go to; they are never fed back.

    """
    found: dict[Path, Found] = {}
    for item in inputs:
        photos = _search(item, suffixes, output) if item.is_dir() else [Found(item, PurePath())]
        for photo in photos:
            found.setdefault(photo.source.resolve(), photo)
    return list(found.values())


def require_photos(
    inputs: Sequence[Path], suffixes: Collection[str], *, output: Path | None = None
) -> list[Found]:
    """Return what `find_photos` finds; InputError: that is nothing."""
    if found := find_photos(inputs, suffixes, output=output):
        return found
    raise InputError(
        f"There are no photos in {', '.join(map(str, inputs))}; name photos, or a folder with some "
        f"({', '.join(sorted(suffixes))}). Hidden files and links to folders are passed over."
    )


def _search(folder: Path, suffixes: Collection[str], output: Path | None) -> Iterator[Found]:
    away = None if output is None or _same(output, folder) else output.resolve()
    for place, below, names in os.walk(folder):
        here = Path(place)
        below[:] = sorted(
            name for name in below if not name.startswith(".") and (here / name).resolve() != away
        )
        for name in sorted(names):
            path = here / name
            if name.startswith(".") or path.suffix.lower() not in suffixes or not path.is_file():
                continue
            yield Found(path, here.relative_to(folder))


def _same(a: Path, b: Path) -> bool:
    return a.resolve() == b.resolve()
