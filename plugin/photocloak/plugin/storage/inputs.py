"""From what the user named to the photos to do: files as they are, folders searched."""

import os
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePath

from photocloak.core import InputError
from photocloak.plugin.storage.file_kinds import Kind, counted
from photocloak.plugin.storage.walk import Seen, walk


@dataclass(frozen=True)
class Found:
    """A photo, and the sub-folder of the output folder that mirrors where it was found."""

    source: Path
    below: PurePath


@dataclass(frozen=True)
class Search:
    """What a run takes, and what it passes over."""

    photos: list[Found] = field(default_factory=list)
    passed: list[Seen] = field(default_factory=list)


def search(
    inputs: Sequence[Path],
    suffixes: Collection[str],
    *,
    output: Path | None = None,
    exclude: Sequence[str] = (),
) -> Search:
    """Look for photos, in the order of the inputs, those of a folder sorted by path.

    A file that is named is taken whatever its name; what it is turns out when it is read. What is
    taken from a folder, `kinds` says; links to folders, and an `output` folder inside, are not
    looked into. No photo comes twice.

    Args:
        inputs: files and folders.
        suffixes: of photos, lower case with the dot.
        output: the folder that results go to; they are never fed back.
        exclude: patterns of what to leave out, see `excluded`.

    """
    photos: dict[str, Found] = {}
    passed: dict[Path, Seen] = {}
    for item in inputs:
        if not os.path.isdir(item):  # noqa: PTH112 (Path's raises where there is no permission)
            if excluded(PurePath(item.name), exclude):
                passed.setdefault(item, Seen(item.parent, item.name, Kind.EXCLUDED))
            else:
                photos.setdefault(os.path.realpath(item), Found(item, PurePath()))
            continue
        for seen in walk(item, suffixes, away=_away(item, output)):
            if excluded(seen.path.relative_to(item), exclude):
                passed.setdefault(seen.path, seen._replace(kind=Kind.EXCLUDED))
            elif seen.kind is None:
                found = Found(seen.path, seen.folder.relative_to(item))
                photos.setdefault(os.path.realpath(seen.path), found)
            else:
                passed.setdefault(seen.path, seen)
    return Search(list(photos.values()), list(passed.values()))


def find_photos(
    inputs: Sequence[Path], suffixes: Collection[str], *, output: Path | None = None
) -> list[Found]:
    """Return the photos alone; see `search`."""
    return search(inputs, suffixes, output=output).photos


def require_photos(
    inputs: Sequence[Path],
    suffixes: Collection[str],
    *,
    output: Path | None = None,
    exclude: Sequence[str] = (),
) -> Search:
    """Return what `search` finds; InputError: there are no photos."""
    found = search(inputs, suffixes, output=output, exclude=exclude)
    if found.photos:
        return found
    left = passed_over(Counter(seen.kind for seen in found.passed if seen.kind))
    raise InputError(
        f"There are no photos in {', '.join(map(str, inputs))}{f' ({left})' if left else ''}; name "
        f"photos, or a folder with some ({', '.join(sorted(suffixes))})."
    )


def excluded(below: PurePath, patterns: Sequence[str]) -> bool:
    """Tell whether a path below an INPUT, or a folder on the way to it, fits one of the patterns.

    One without a slash is held against the name alone, as shells do it: * and ? stand for
    anything, a slash included, [...] for one of some characters; upper and lower case differ.
    """
    steps = [one for one in (below, *below.parents) if one.name]
    return any(
        fnmatchcase(step.as_posix() if "/" in glob.rstrip("/") else step.name, glob.strip("/"))
        for glob in patterns
        for step in steps
    )


def passed_over(kinds: "Counter[Kind]") -> str:
    """Say what was passed over: "5 passed over: 3 videos, 1 RAW, 1 text"; empty: nothing was."""
    if not kinds.total():
        return ""
    order = list(Kind)
    most = sorted(kinds.items(), key=lambda item: (-item[1], order.index(item[0])))
    return f"{kinds.total()} passed over: {', '.join(counted(*one) for one in most if one[1])}"


def _away(folder: Path, output: Path | None) -> Collection[Path]:
    """Return the output folder as a walk through `folder` would come by it."""
    if output is None:
        return ()
    top, away = os.path.realpath(folder), os.path.realpath(output)
    if away == top or not away.startswith(os.path.join(top, "")):  # noqa: PTH118 (text is compared)
        return ()
    return {folder / os.path.relpath(away, top)}
