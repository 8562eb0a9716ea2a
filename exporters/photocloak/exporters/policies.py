"""Policies: what may be written. Presets are TOML; users add theirs in their own folder."""

import tomllib
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args

from photocloak.core import ConfigError, manifest_root

Metadata = Literal["all", "some", "none"]
Names = Literal["keep", "neutral"]
FIELDS = ("copyright", "creator", "caption", "date", "camera")
_SUBSAMPLINGS = ("4:4:4", "4:2:0")
_FORMATS = ("JPEG", "PNG", "WebP", "AVIF", "HEIC", "TIFF")


@dataclass(frozen=True)
class Policy:
    """What may be written.

    Attributes:
        name: the preset's.
        title: one line for people.
        metadata: all (as in the source, pictures replaced), some (`fields` only) or none.
        fields: what `some` keeps: copyright, creator, caption, date, camera.
        format: to write; None: the source's.
        quality: of a newly encoded file, 1 to 100.
        subsampling: of a newly encoded JPEG, 4:4:4 or 4:2:0.
        width: at most so many pixels wide; None: any.
        height: at most so many pixels high; None: any.
        edge: the longer edge at most; None: any.
        bytes: at most so many bytes; the quality is lowered to fit. None: any.
        names: keep the photos' names, or have names that give nothing away. No part of the
            representation: it is not what is written.
        sources: where the platform states its limits.
        checked: when they were looked up, ISO date; empty where there are none.

    """

    name: str
    title: str
    metadata: Metadata
    fields: tuple[str, ...] = ()
    format: str | None = None
    quality: int = 92
    subsampling: str = "4:4:4"
    width: int | None = None
    height: int | None = None
    edge: int | None = None
    bytes: int | None = None
    names: Names = field(default="keep", repr=False)
    sources: tuple[str, ...] = ()
    checked: str = ""

    @property
    def dated(self) -> bool:
        """Whether a file may tell when the photo was taken: by its own time, too."""
        return self.metadata == "all" or "date" in self.fields


def policy_names(*folders: Path) -> tuple[str, ...]:
    """Return the names of all presets, shipped and in further folders, sorted."""
    return tuple(sorted(_files(*folders)))


def load_policy(name: str, *folders: Path) -> Policy:
    """Read the preset of a name.

    Args:
        name: file stem.
        folders: searched after the shipped presets; a later one wins. They need not exist.

    Raises:
        ConfigError: there is none of this name, or it is not valid.

    """
    files = _files(*folders)
    if name not in files:
        near = get_close_matches(name, files, 1)
        hint = f" Did you mean {near[0]}?" if near else f" There are: {', '.join(sorted(files))}."
        raise ConfigError(f"There is no preset {name}.{hint}")
    return read_policy(files[name])


def read_policy(path: Path) -> Policy:
    """Read and check one preset.

    Raises:
        ConfigError: it cannot be read, has an unknown key or an impossible value.

    """
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: this preset cannot be read ({error}).") from error
    known = set(Policy.__dataclass_fields__) - {"name"}
    for key in table:
        if key not in known:
            near = get_close_matches(key, known, 1)
            hint = (
                f"; did you mean {near[0]}?" if near else f"; known are {', '.join(sorted(known))}."
            )
            raise ConfigError(f"{path}: the key {key} is unknown{hint}")
    for key, rule in _RULES.items():
        if key in table and not rule(table[key]):
            raise ConfigError(f"{path}: {key} = {table[key]!r} is not possible; {_HELP[key]}.")
    for key in ("title", "metadata"):
        if key not in table:
            raise ConfigError(f"{path}: the key {key} is missing; {_HELP[key]}.")
    if table["metadata"] == "all" and set(table) - {"title", "metadata", "names"}:
        raise ConfigError(
            f'{path}: metadata = "all" keeps the file as it is: no other key fits but names.'
        )
    lists = (key for key in ("fields", "sources") if key in table)
    table |= {key: tuple(table[key]) for key in lists}
    return Policy(name=path.stem, **table)


def _files(*folders: Path) -> dict[str, Path]:
    places = (manifest_root() / "presets", *folders)
    found: dict[str, Path] = {}
    for place in places:
        found.update({path.stem: path for path in sorted(place.glob("*.toml"))})
    return found


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(_is_text(one) for one in value)


def _between(low: int, high: int) -> Any:
    return lambda value: type(value) is int and low <= value <= high


_RULES: dict[str, Any] = {
    "title": _is_text,
    "metadata": lambda value: value in get_args(Metadata),
    "fields": lambda value: _texts(value) and set(value) <= set(FIELDS),
    "format": lambda value: value in _FORMATS,
    "quality": _between(1, 100),
    "subsampling": lambda value: value in _SUBSAMPLINGS,
    "width": _between(16, 65_535),
    "height": _between(16, 65_535),
    "edge": _between(16, 65_535),
    "bytes": _between(10_000, 1 << 30),
    "names": lambda value: value in get_args(Names),
    "sources": _texts,
    "checked": lambda value: isinstance(value, str),
}
_HELP = {
    "title": "it takes one line of text",
    "metadata": f"it takes one of {', '.join(get_args(Metadata))}",
    "fields": f"it takes a list out of {', '.join(FIELDS)}",
    "format": f"it takes one of {', '.join(_FORMATS)}",
    "quality": "it takes a whole number from 1 to 100",
    "subsampling": f"it takes one of {', '.join(_SUBSAMPLINGS)}",
    "width": "it takes a whole number from 16 to 65535",
    "height": "it takes a whole number from 16 to 65535",
    "edge": "it takes a whole number from 16 to 65535",
    "bytes": "it takes a whole number of at least 10000",
    "names": f"it takes one of {', '.join(get_args(Names))}",
    "sources": "it takes a list of texts",
    "checked": "it takes a date as text, such as 2026-11-22",
}
