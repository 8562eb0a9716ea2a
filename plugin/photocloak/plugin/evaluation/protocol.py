"""Who is protected, who is not, and which photos a stranger trains on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from photocloak import exporters
from photocloak.core import ConfigError
from photocloak.plugin.evaluation.cache import file_hash
from photocloak.plugin.pipeline.process_photo import seed_of
from photocloak.plugin.storage.inputs import find_photos

Third = Literal["development", "confirmation", "sealed"]
THIRDS: tuple[Third, ...] = ("development", "confirmation", "sealed")

TRAIN = 10
"""Photos of each identity that a stranger trains on (paper: all that were published)."""

TEST = 5
"""Clean photos of each identity that the stranger then has to name."""

FEWEST_TEST = 2


@dataclass(frozen=True)
class Picture:
    """A photo of the data set: its file and the SHA-256 of that."""

    path: Path
    sha256: str


@dataclass(frozen=True)
class Identity:
    """One person of the data set.

    Attributes:
        name: the folder's.
        protected: their training photos are cloaked.
        train: clean photos a stranger would train on.
        test: clean photos to name, none of them in `train`.

    """

    name: str
    protected: bool
    train: tuple[Picture, ...]
    test: tuple[Picture, ...]


@dataclass(frozen=True)
class Subject:
    """All usable photos of one identity, before they are divided."""

    name: str
    photos: tuple[Picture, ...]


def folders_of(data: Path, thirds: Sequence[Third]) -> list[Path]:
    """Return the people's folders of the thirds: every third one by name, so each is a mixture."""
    if not data.is_dir():
        raise ConfigError(f"{data}: is not a folder.")
    people = sorted(path for path in data.iterdir() if path.is_dir())
    wanted = {THIRDS.index(third) for third in thirds}
    return [path for number, path in enumerate(people) if number % 3 in wanted]


def pictures_of(folder: Path) -> list[Picture]:
    """Return the photos in one person's folder."""
    found = find_photos([folder], exporters.suffixes())
    return [Picture(one.source, file_hash(one.source)) for one in found]


def divide(
    people: Sequence[Subject], *, protected: int | None, train: int = TRAIN, test: int = TEST
) -> list[Identity]:
    """Choose the protected ones, and divide everybody's photos; the same every time.

    The draws depend on names alone: who is protected does not change with a photo more or less,
    so that two settings are compared on the same people.

    Args:
        people: with their usable photos; those with too few are left out.
        protected: how many; None: 10, or half of fewer than 20.
        train: photos to train on.
        test: photos to test on, at most.

    """
    usable = [one for one in people if len(one.photos) >= train + FEWEST_TEST]
    count = min(10, len(usable) // 2) if protected is None else protected
    if not 0 < count < len(usable):
        raise ConfigError(
            f"{count} of {len(usable)} people with at least {train + FEWEST_TEST} photos of their "
            "face cannot be protected: at least one must be, and one must not."
        )
    order = sorted(usable, key=lambda one: seed_of("protected", one.name))
    chosen = {one.name for one in order[:count]}
    return [_divided(one, one.name in chosen, train, test) for one in usable]


def _divided(person: Subject, protected: bool, train: int, test: int) -> Identity:
    photos = sorted(person.photos, key=lambda one: one.path.name)
    order = np.random.default_rng(seed_of("photos", person.name)).permutation(len(photos))
    drawn = [photos[i] for i in order]
    return Identity(
        person.name, protected, tuple(drawn[:train]), tuple(drawn[train : train + test])
    )
