"""Step 1 of the method: the target class T, an identity far from the user's own.

Eq. 3 of the paper: T = argmax over K randomly drawn candidates of the smallest distance between
the user's photos and the candidate's centroid. The shipped candidates are nobody: samples from a
model of how faces vary (see `synthesis.py`), never a real person's features.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from photocloak.core import ConfigError, ModelError
from photocloak.engine.geometry import Array
from photocloak.engine.recognition.attributes import Attributes
from photocloak.engine.recognition.ensemble import Embeddings, direction

CANDIDATES = 24
"""K of eq. 3."""


@dataclass(frozen=True)
class Target:
    """A target class: X_T and its centroid in each extractor's feature space.

    Attributes:
        name: of the entry.
        members: (M, D) float32 raw features by extractor.
        centroid: (D,) float32 raw features by extractor.

    """

    name: str
    members: Mapping[str, Array]
    centroid: Mapping[str, Array]


@dataclass(frozen=True)
class TargetLibrary:
    """The candidates, and the centre of each feature space.

    Attributes:
        targets: by name.
        attributes: how each one looks, by name.
        means: μ by extractor, (D,) float32.

    """

    targets: Mapping[str, Target]
    attributes: Mapping[str, Attributes]
    means: Mapping[str, Array]

    @classmethod
    def load(cls, path: Path) -> "TargetLibrary":
        """Read a library written by `save`; ModelError names the file and the remedy."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                arrays = {key: archive[key] for key in archive.files}
            names = [str(name) for name in arrays["names"]]
            looks = [Attributes(*map(float, row)) for row in arrays["attributes"]]
            extractors = [key.removeprefix("mean/") for key in arrays if key.startswith("mean/")]
            members = {e: arrays[f"members/{e}"].astype(np.float32) for e in extractors}
            means = {e: arrays[f"mean/{e}"].astype(np.float32) for e in extractors}
        except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
            raise ModelError(
                f"The target library {path} cannot be read ({error}); "
                "reinstall photocloak, or rebuild it with `photocloak targets build`."
            ) from error
        centroids = {e: members[e].mean(axis=1) for e in extractors}
        targets = {
            name: Target(
                name,
                {e: members[e][i] for e in extractors},
                {e: centroids[e][i] for e in extractors},
            )
            for i, name in enumerate(names)
        }
        return cls(targets, dict(zip(names, looks, strict=True)), means)

    def save(self, path: Path) -> None:
        """Write the library as a plain npz (no pickle); features as float16."""
        arrays: dict[str, NDArray[np.generic]] = {
            "names": np.array(list(self.targets)),
            "attributes": np.array(
                [[a.age, a.sex, a.skin] for a in self.attributes.values()], np.float32
            ),
        }
        for extractor, mean in self.means.items():
            arrays[f"mean/{extractor}"] = mean
            arrays[f"members/{extractor}"] = np.stack(
                [target.members[extractor] for target in self.targets.values()]
            ).astype(np.float16)
        np.savez_compressed(path, allow_pickle=False, **arrays)

    def require(self, extractors: Collection[str]) -> None:
        """Raise ConfigError when the library knows nothing of one of the extractors."""
        missing = sorted(set(extractors) - set(self.means))
        if missing:
            raise ConfigError(
                f"The target library has no features for {', '.join(missing)}; rebuild it from a "
                "folder of photos of many people with `photocloak targets build PHOTOS`."
            )

    def choose(
        self,
        photos: Sequence[Embeddings],
        attributes: Attributes | None,
        *,
        taken: Collection[str] = (),
        seed: int,
    ) -> Target:
        """Choose T by eq. 3 among K random candidates.

        Args:
            photos: X_U, the user's faces, raw features.
            attributes: how the user looks: candidates are then drawn from the quarter of the
                library that looks most alike (matched, and far in feature space); None draws
                from all of it.
            taken: names of targets that others of this library of people already have.
            seed: of the draw.

        """
        free = [name for name in self.targets if name not in taken] or list(self.targets)
        if attributes is not None:
            free.sort(key=lambda name: attributes.distance(self.attributes[name]))
            free = free[: max(len(self.targets) // 4, 1)]
        rng = np.random.default_rng(seed)
        drawn = rng.permutation(free)[:CANDIDATES]
        return max(
            (self.targets[str(name)] for name in drawn),
            key=lambda target: min(self._distance(photo, target) for photo in photos),
        )

    def _distance(self, photo: Embeddings, target: Target) -> float:
        """Return the L2 distance of centred unit features, root mean square over extractors."""
        squares = [
            float(np.sum((direction(features, self.means[e]) - direction(t, self.means[e])) ** 2))
            for e, features in photo.items()
            for t in [target.centroid[e]]
        ]
        return float(np.sqrt(np.mean(squares)))


def target_from_photos(name: str, photos: Sequence[Embeddings]) -> Target:
    """Return the user's own target class, from embedded photos of one person."""
    if not photos:
        raise ConfigError(f"The target folder {name} has no photo with a face in it.")
    return _target(name, {e: np.stack([photo[e] for photo in photos]) for e in photos[0]})


def _target(name: str, members: Mapping[str, Array]) -> Target:
    centroid = {e: np.asarray(rows.mean(axis=0), np.float32) for e, rows in members.items()}
    return Target(name, members, centroid)
