"""Which of many faces and profiles are one person, decided over all of them together.

Every face and every profile is a cluster at first. The two that are most alike are joined, then
the two most alike of what there is now, as long as a pair matches. So no decision rests on the
photo that happened to come first.

The rule is that of `matching.likeness`, which compares a face and a profile. Sums of many faces are
more alike than that, strangers' too, since what differs from photo to photo cancels out. So their
cosine is multiplied with the length of the mean unit vector, of the two the greater: what a face of
the one has with the other, on average. Without that, two of 21 people who look alike became one.
"""

import heapq
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from photocloak.engine.geometry import Array
from photocloak.engine.recognition.ensemble import Embeddings
from photocloak.plugin.people.matching import SURE, unit

Key = tuple[str, int]
"""Orders clusters by content: (hash of the photo's pixels, index of the face)."""


@dataclass(frozen=True)
class Cluster:
    """A face, a profile, or several of them that are one person.

    Attributes:
        key: of the first of its members in the order of content.
        total: sum of unit features, (D,) by extractor.
        photos: hashes of the photos that show this person.
        faces: how many were summed up.
        name: the person's; clusters of different names are never joined.
        settled: it was compared with all others that are settled.
        members: what it was joined from, ordered by key.

    """

    key: Key
    total: Embeddings
    photos: frozenset[str]
    faces: int
    name: str | None = None
    settled: bool = False
    members: tuple[Key, ...] = ()

    def may_join(self, other: "Cluster") -> bool:
        """Tell whether nothing but their looks speaks against that they are one person."""
        names = {one.casefold() for one in (self.name, other.name) if one is not None}
        return len(names) < 2 and self.photos.isdisjoint(other.photos)

    def joined(self, other: "Cluster") -> "Cluster":
        """Return the two as one."""
        first, second = sorted((self, other), key=lambda one: one.key)
        return Cluster(
            first.key,
            add(first.total, second.total),
            first.photos | second.photos,
            first.faces + second.faces,
            first.name or second.name,
            False,
            tuple(sorted(first.members + second.members)),
        )


def of_face(key: Key, features: Embeddings, name: str | None = None) -> Cluster:
    """Return the cluster of one face, from its raw features."""
    total = {extractor: unit(one) for extractor, one in features.items()}
    return Cluster(key, total, frozenset([key[0]]), 1, name, False, (key,))


def of_profile(
    key: Key, total: Embeddings, photos: Collection[str], name: str | None, *, settled: bool
) -> Cluster:
    """Return the cluster of a profile, from the sum of its unit features."""
    return Cluster(key, total, frozenset(photos), max(len(photos), 1), name, settled, (key,))


def add(first: Embeddings, second: Embeddings) -> Embeddings:
    """Return the sum of two sums of unit features; an extractor that one lacks is the other's."""
    shared = {name: first[name] + second[name] for name in first.keys() & second.keys()}
    return {**first, **second, **shared}


def group(clusters: Sequence[Cluster], thresholds: Mapping[str, float]) -> list[Cluster]:
    """Join what is one person; the result does not depend on the order of the clusters.

    Args:
        clusters: with keys of their own.
        thresholds: raw cosine at which an extractor takes two faces for one person.

    """
    return _Grouping(sorted(clusters, key=lambda one: one.key), thresholds).run()


class _Grouping:
    """One run of `group`: unit directions in arrays that are twice as long as the clusters."""

    def __init__(self, clusters: Sequence[Cluster], thresholds: Mapping[str, float]) -> None:
        self._thresholds = thresholds
        self._clusters: dict[int, Cluster] = {}
        self._keys: list[Key] = []
        self._pairs: list[tuple[float, Key, Key, int, int]] = []
        room = max(2 * len(clusters) - 1, 0)
        sizes = {name: len(one.total[name]) for one in clusters for name in one.total}
        self._directions = {
            name: np.zeros((room, sizes[name]), np.float32) for name in thresholds if name in sizes
        }
        self._knows = {name: np.zeros(room, bool) for name in self._directions}
        self._lengths = {name: np.ones(room, np.float32) for name in self._directions}
        for cluster in clusters:
            self._enter(cluster)

    def run(self) -> list[Cluster]:
        while self._pairs:
            *_, one, other = heapq.heappop(self._pairs)
            if one not in self._clusters or other not in self._clusters:
                continue
            if not self._clusters[one].may_join(self._clusters[other]):
                continue
            self._enter(self._clusters.pop(one).joined(self._clusters.pop(other)))
        return sorted(self._clusters.values(), key=lambda one: one.key)

    def _enter(self, cluster: Cluster) -> None:
        """Take in a cluster, and compare it with those that there are."""
        number = len(self._keys)
        self._keys.append(cluster.key)
        for name, rows in self._directions.items():
            if name in cluster.total:
                rows[number] = unit(cluster.total[name])
                length = float(np.linalg.norm(cluster.total[name])) / cluster.faces
                self._lengths[name][number] = min(length, 1.0)
                self._knows[name][number] = True
        if not cluster.settled:
            self._compare(number, np.array(list(self._clusters), int))
        self._clusters[number] = cluster

    def _compare(self, one: int, others: Array) -> None:
        """Note the pairs that match; see the module."""
        shared = np.zeros(len(others), int)
        accepted = np.zeros(len(others), int)
        total = np.zeros(len(others), np.float64)
        for name, rows in self._directions.items():
            both = self._knows[name][others] & self._knows[name][one]
            longer = np.maximum(self._lengths[name][others], self._lengths[name][one])
            cosines = (rows[others] @ rows[one]) * longer
            margins = (cosines - self._thresholds[name]) / (1 - self._thresholds[name])
            shared += both
            accepted += both & (margins >= 0)
            total += np.where(both, margins, 0)
        scores = total / np.maximum(shared, 1)
        matches = (2 * accepted > shared) & (scores >= SURE)
        for index in np.flatnonzero(matches):
            other = int(others[index])
            keys = sorted((self._keys[one], self._keys[other]))
            pair = (-float(scores[index]), keys[0], keys[1], one, other)
            heapq.heappush(self._pairs, pair)
