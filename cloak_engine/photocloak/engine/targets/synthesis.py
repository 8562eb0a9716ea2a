"""Target classes that are nobody: samples from a model of how real faces vary.

An average of a few people resembles each of them. So an entry is not an average but a sample of
the joint Gaussian of identity centroids of one apparent sex: the mean of that group plus a random
combination of everybody's deviations from the mean of theirs, with the same weights in every
extractor's space, so that one entry is one consistent nobody. Everybody's, because a combination
of few people resembles each of them more. Its members X_T add random combinations of the
deviations of photos from their own centroid. Of many samples those are kept that match the fewest
real people, measured against how many a real person matches.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from photocloak.engine.geometry import Array
from photocloak.engine.recognition.age_sex import EXTRACTOR
from photocloak.engine.recognition.attributes import AgeSexHead, Attributes
from photocloak.engine.recognition.ensemble import Embeddings
from photocloak.engine.targets.library import Target, TargetLibrary

MEMBERS = 6
DRAWS = 1 << 15
"""Samples drawn for each sex; about one in three hundred matches no more people than a real one."""
BATCH = 1 << 12
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
class SynthesisReport:
    """How often entries match the crowd, beside how often real people match each other.

    Attributes:
        drawn: samples drawn, kept and not.
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
) -> tuple[TargetLibrary, SynthesisReport]:
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
    matches: list[Mapping[str, float]] = []
    for female in (True, False):
        wanted = size // 2 if female else size - size // 2
        for weights in model.draw(rng, wanted, female=female):
            name = f"nobody-{len(targets):03d}"
            entry = model.entry(weights, female=female)
            targets[name] = Target(name, model.members(entry, rng), entry)
            ages, sexes = head(entry[EXTRACTOR][None])
            tone = model.skin(weights, female=female)
            looks[name] = Attributes(float(ages[0]), float(sexes[0]), tone)
            matches.append(model.matches(entry))
    census = SynthesisReport(
        2 * DRAWS,
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
        self._deviations = {e: self._apart(rows) for e, rows in self._centroids.items()}
        self.means = {e: np.asarray(c.mean(axis=0), np.float32) for e, c in self._centroids.items()}
        self.real = {
            e: _matches(rows, rows, thresholds[e]) - 1 for e, rows in self._centroids.items()
        }

    def draw(self, rng: np.random.Generator, count: int, *, female: bool) -> Array:
        """Return the weights (count, people) of the best of DRAWS samples.

        A sample is as bad as its worst extractor: how many people it matches there, over how many
        a real person of the group does.
        """
        people = len(self._female)
        best, badness = np.empty((0, people), np.float32), np.empty(0)
        for _ in range(DRAWS // BATCH):
            weights = rng.standard_normal((BATCH, people)).astype(np.float32)
            best = np.concatenate([best, weights / np.float32(np.sqrt(people - 2))])
            badness = np.append(badness, self._badness(best[-BATCH:], female=female))
            order = np.argsort(badness, kind="stable")[:count]
            best, badness = best[order], badness[order]
        return best

    def entry(self, weights: Array, *, female: bool) -> dict[str, Array]:
        """Return entries (…, D) by extractor for weights (…, people)."""
        group = self._female == female
        return {
            e: _sample(rows, rows[group].mean(axis=0), weights @ self._deviations[e])
            for e, rows in self._centroids.items()
        }

    def matches(self, entry: Mapping[str, Array]) -> dict[str, float]:
        """Return how many of the people one entry would be taken for, by extractor."""
        return {e: float(self._matched(e, rows[None])[0]) for e, rows in entry.items()}

    def _badness(self, weights: Array, *, female: bool) -> np.ndarray:
        group = self._female == female
        ratios = [
            self._matched(e, rows) / max(float(self.real[e][group].mean()), 1 / len(group))
            for e, rows in self.entry(weights, female=female).items()
        ]
        return np.asarray(np.max(ratios, axis=0))

    def _matched(self, extractor: str, entries: Array) -> np.ndarray:
        return _matches(entries, self._centroids[extractor], self._thresholds[extractor])

    def _apart(self, centroids: Array) -> Array:
        """Return everybody's deviation (people, D) from the mean of their group."""
        deviations = centroids.copy()
        for female in (True, False):
            group = self._female == female
            deviations[group] -= centroids[group].mean(axis=0)
        return deviations

    def members(self, entry: Mapping[str, Array], rng: np.random.Generator) -> dict[str, Array]:
        """Return X_T: the entry as several photos would show it, (MEMBERS, D) by extractor."""
        photos = len(next(iter(self._residuals.values())))
        mix = SPREAD * rng.standard_normal((MEMBERS, photos)) / np.sqrt(photos)
        return {
            e: np.asarray(entry[e] + mix @ rows, np.float32) for e, rows in self._residuals.items()
        }

    def skin(self, weights: Array, *, female: bool) -> float:
        """Return the skin tone that goes with a sample's weights."""
        tones = self._skin[:, None]
        return float(tones[self._female == female].mean() + weights @ self._apart(tones)[:, 0])


def _sample(centroids: Array, mean: Array, deviations: Array) -> Array:
    """Return mean + deviations, (…, D), with the mean norm of the centroids."""
    entries = mean + deviations
    norm = np.linalg.norm(centroids, axis=1).mean()
    length = np.linalg.norm(entries, axis=-1, keepdims=True)
    return np.asarray(entries * (norm / length), np.float32)


def _matches(entries: Array, people: Array, threshold: float) -> np.ndarray:
    """Return how many people each entry would be taken for, by raw cosine."""
    a = entries / np.linalg.norm(entries, axis=1, keepdims=True)
    b = people / np.linalg.norm(people, axis=1, keepdims=True)
    return np.asarray(np.sum(a @ b.T >= threshold, axis=1))
