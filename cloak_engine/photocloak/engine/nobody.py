"""Target classes that are nobody: samples from a model of how real faces vary.

An average of a few people resembles each of them. So an entry is not an average but a sample of
the joint Gaussian of identity centroids within a group of one apparent sex: group mean plus a
random combination of the members' deviations, with the same weights in every extractor's space,
so that one entry is one consistent nobody. Its members X_T add random combinations of the
deviations of photos from their own centroid. Samples that a real person would be taken for more
often than a real person is taken for another are drawn again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from photocloak.engine.attributes import AgeSexHead, Attributes
from photocloak.engine.ensemble import Embeddings
from photocloak.engine.geometry import Array
from photocloak.engine.heads import EXTRACTOR
from photocloak.engine.targets import Target, TargetLibrary

MEMBERS = 6
SHRINK = 0.9
"""How far samples go from their group's mean, of what real centroids do."""
SPREAD = 0.6
"""How far members go from their entry, of what real photos go from their person's centroid."""


@dataclass(frozen=True)
class Crowd:
    """Real people that the model is fitted to; nothing of one of them is kept.

    Attributes:
        photos: embeddings of each person's photos.
        attributes: how each person looks.

    """

    photos: Sequence[Sequence[Embeddings]]
    attributes: Sequence[Attributes]


@dataclass(frozen=True)
class Census:
    """How often entries match the crowd, beside how often real people match each other.

    Attributes:
        drawn: samples drawn, kept and rejected.
        kept: entries of the library.
        matches: mean number of real people an entry matches, by extractor.
        real: the same of a real person, who is held out of the count.

    """

    drawn: int
    kept: int
    matches: Mapping[str, float]
    real: Mapping[str, float]


def build_library(
    crowd: Crowd,
    thresholds: Mapping[str, float],
    head: AgeSexHead,
    *,
    size: int = 160,
    seed: int = 0,
) -> tuple[TargetLibrary, Census]:
    """Sample `size` entries, half of each apparent sex.

    Args:
        crowd: at least twenty people of each apparent sex, two photos each.
        thresholds: raw cosine at 1 % false accepts, by extractor.
        head: age and sex from features of the extractor called "hse".
        size: entries.
        seed: of the draw.

    """
    model = _Model(crowd, thresholds)
    rng = np.random.default_rng(seed)
    targets: dict[str, Target] = {}
    looks: dict[str, Attributes] = {}
    matches: list[dict[str, float]] = []
    drawn = 0
    for female in (True, False):
        wanted = size // 2 if female else size - size // 2
        while wanted > 0:
            weights, entries, counts = model.draw(rng, female=female)
            drawn += len(weights)
            good = np.flatnonzero(
                np.all([counts[e] <= model.limit(e, female=female) for e in counts], axis=0)
            )
            for i in good[:wanted]:
                name = f"nobody-{len(targets):03d}"
                entry = {e: rows[i] for e, rows in entries.items()}
                targets[name] = Target(name, model.members(entry, rng), entry)
                ages, sexes = head(entry[EXTRACTOR][None])
                tone = model.skin(weights[i], female=female)
                looks[name] = Attributes(float(ages[0]), float(sexes[0]), tone)
                matches.append({e: float(counts[e][i]) for e in counts})
            wanted -= len(good[:wanted])
    census = Census(
        drawn,
        size,
        {e: float(np.mean([row[e] for row in matches])) for e in thresholds},
        {e: float(np.mean(model.real[e])) for e in thresholds},
    )
    return TargetLibrary(targets, looks, model.means), census


class _Model:
    """How identity centroids and photos of one identity vary, in all extractors' spaces at once."""

    def __init__(self, crowd: Crowd, thresholds: Mapping[str, float]) -> None:
        self._thresholds = thresholds
        self._centroids = {
            e: np.stack([np.mean([p[e] for p in person], axis=0) for person in crowd.photos])
            for e in thresholds
        }
        self._residuals = {
            e: np.concatenate(
                [
                    np.stack([p[e] for p in person]) - rows[i]
                    for i, person in enumerate(crowd.photos)
                ]
            )
            for e, rows in self._centroids.items()
        }
        self._female = np.array([a.sex <= 0.5 for a in crowd.attributes])
        self._skin = np.array([a.skin for a in crowd.attributes])
        self.means = {e: np.asarray(c.mean(axis=0), np.float32) for e, c in self._centroids.items()}
        self.real = {
            e: _matches(rows, rows, thresholds[e]) - 1 for e, rows in self._centroids.items()
        }

    def limit(self, extractor: str, *, female: bool) -> float:
        """Return how many others a real person of the group matches, on average."""
        return float(self.real[extractor][self._female == female].mean())

    def draw(
        self, rng: np.random.Generator, *, female: bool, count: int = 512
    ) -> tuple[Array, dict[str, Array], dict[str, np.ndarray]]:
        """Return weights (count, G), entries (count, D) and whom they match, by extractor."""
        group = self._female == female
        people = int(group.sum())
        weights = SHRINK * rng.standard_normal((count, people)) / np.sqrt(people - 1)
        entries = {e: _sample(rows[group], weights) for e, rows in self._centroids.items()}
        counts = {
            e: _matches(rows, self._centroids[e], self._thresholds[e])
            for e, rows in entries.items()
        }
        return weights.astype(np.float32), entries, counts

    def members(self, entry: Mapping[str, Array], rng: np.random.Generator) -> dict[str, Array]:
        """Return X_T: the entry as several photos would show it, (MEMBERS, D) by extractor."""
        photos = len(next(iter(self._residuals.values())))
        mix = SPREAD * rng.standard_normal((MEMBERS, photos)) / np.sqrt(photos)
        return {
            e: np.asarray(entry[e] + mix @ rows, np.float32) for e, rows in self._residuals.items()
        }

    def skin(self, weights: Array, *, female: bool) -> float:
        """Return the skin tone that goes with a sample's weights."""
        tones = self._skin[self._female == female]
        return float(tones.mean() + weights @ (tones - tones.mean()))


def _sample(centroids: Array, weights: np.ndarray) -> Array:
    """Return combinations of deviations, with the norm of their group's centroids."""
    mean = centroids.mean(axis=0)
    entries = mean + weights @ (centroids - mean)
    norm = np.linalg.norm(centroids, axis=1).mean()
    return np.asarray(entries * (norm / np.linalg.norm(entries, axis=1, keepdims=True)), np.float32)


def _matches(entries: Array, people: Array, threshold: float) -> np.ndarray:
    """Return how many people each entry would be taken for, by raw cosine."""
    a = entries / np.linalg.norm(entries, axis=1, keepdims=True)
    b = people / np.linalg.norm(people, axis=1, keepdims=True)
    return np.asarray(np.sum(a @ b.T >= threshold, axis=1))
