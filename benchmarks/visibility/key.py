"""What only who scores may know: which picture shows what."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from photocloak.core import InputError

Kind = Literal["alone", "pairs"]
KINDS: tuple[Kind, ...] = ("alone", "pairs")


@dataclass(frozen=True)
class KeyEntry:
    """One picture of a set.

    Attributes:
        kind: of the set.
        set: the folder's name.
        photo: the clean photo.
        shows: what kind of face it is.
        size: shorter side of the face's box in the photo, pixels.
        version: mode, name of a ready version, or `CONTROL`.
        side: of a pair, where that version is, not the original: "left" or "right".

    """

    kind: Kind
    set: str
    photo: str
    shows: tuple[str, ...]
    size: int
    version: str
    side: str = ""


Key = Mapping[str, KeyEntry]
"""Entries by the number that a picture is named with."""


def write_key(key: Key, path: Path) -> None:
    """Write a key, for its owner alone."""
    path.touch(mode=0o600)
    table = {number: asdict(entry) for number, entry in key.items()}
    path.write_text(json.dumps(table, indent=1), "utf-8")


def read_key(path: Path) -> Key:
    """Read a key; InputError: it is none."""
    try:
        table = json.loads(path.read_text("utf-8"))
        return {
            number: KeyEntry(**value | {"shows": tuple(value["shows"])})
            for number, value in table.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: is not a key ({error}); name the file that `build` wrote with --key."
        ) from error
