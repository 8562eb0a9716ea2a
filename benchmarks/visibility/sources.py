"""Which photos are shown, whom each of them shows, and where their altered versions lie."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from photocloak import exporters
from photocloak.core import ConfigError, InputError
from photocloak.plugin.storage.inputs import find_photos, require_photos


@dataclass(frozen=True)
class Source:
    """A clean photo.

    Attributes:
        path: the file.
        person: whom it shows; a judge sees each person once.
        shows: what kind of face it is, as the selection says.

    """

    path: Path
    person: str
    shows: tuple[str, ...] = ()


def find_sources(inputs: Sequence[Path], selection: Path | None) -> list[Source]:
    """Return the photos to show.

    The sub-folders of a folder are people; other photos show somebody else each.

    Args:
        inputs: photos and folders of photos.
        selection: TOML file that names some photos of the one folder that `inputs` is; None: all.

    Raises:
        InputError: a photo is missing, or there are none.
        ConfigError: the selection cannot be read, or two photos have one name.

    """
    if selection is not None:
        sources = _selected(inputs, selection)
    else:
        sources = [
            Source(one.source, str(one.source.parent if one.below != PurePath() else one.source))
            for one in require_photos(inputs, exporters.suffixes()).photos
        ]
    _by_name([one.path for one in sources])
    return sources


def find_ready(folder: Path, sources: Sequence[Source]) -> dict[Path, Path]:
    """Return the picture of each source that `folder` has under the same name, any suffix."""
    there = _by_name([one.source for one in find_photos([folder], exporters.suffixes())])
    found = {one.path: there[one.path.stem] for one in sources if one.path.stem in there}
    if not found:
        raise InputError(
            f"{folder}: holds no picture that is named like one of the {len(sources)} sources; "
            "name the pictures as the photos that they were made of."
        )
    return found


def _selected(inputs: Sequence[Path], selection: Path) -> list[Source]:
    if len(inputs) != 1 or not inputs[0].is_dir():
        raise ConfigError(f"{selection}: name the one folder that its photos lie in.")
    try:
        table = tomllib.loads(selection.read_text("utf-8"))
        faces: Mapping[str, list[str]] = table["faces"]
        named = [(inputs[0] / name, tuple(shows)) for name, shows in faces.items()]
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise ConfigError(
            f"{selection}: cannot be read as a selection ({error}); it has a table [faces] of "
            'lines such as "folder/photo.jpg" = ["beard"].'
        ) from error
    for path, _ in named:
        if not path.is_file():
            raise InputError(f"{path}: is missing; {selection} names it.")
    return [Source(path, str(path.parent), shows) for path, shows in named]


def _by_name(paths: Sequence[Path]) -> dict[str, Path]:
    """Return the paths by name without suffix; ConfigError: two share one."""
    named: dict[str, Path] = {}
    for path in paths:
        if (other := named.setdefault(path.stem, path)) != path:
            raise ConfigError(
                f"{path} and {other} have one name; versions are found by name, so rename one."
            )
    return named
