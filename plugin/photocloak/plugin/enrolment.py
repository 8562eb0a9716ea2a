"""Which faces show one person, and making or extending the profile of a named one.

A user says that photos show somebody. That is checked: their faces must look alike, or like the
person already known by that name. A stranger's face in a profile would have two people taken for
one.
"""

import sqlite3
from collections.abc import Mapping, Sequence

import numpy as np

from photocloak.core import ConfigError
from photocloak.engine.ensemble import Embeddings
from photocloak.engine.geometry import Array
from photocloak.plugin import profiles
from photocloak.plugin.assignment import Choose
from photocloak.plugin.matching import likeness, pair
from photocloak.plugin.profiles import Person


class Enroller:
    """One enrolment, inside its transaction."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        thresholds: Mapping[str, float],
        now: float,
        choose: Choose,
    ) -> None:
        self._connection, self._thresholds = connection, thresholds
        self._now, self._choose = now, choose
        profiles.expire(connection, now)
        self._centroids = profiles.centroids(connection)

    def __call__(self, name: str, faces: Mapping[str, Embeddings]) -> tuple[Person, set[str]]:
        """Learn a person from a face a photo; see `People.enroll`."""
        contents, looks = list(faces), list(faces.values())
        person = profiles.named(self._connection, name)
        if person is not None:
            kept = like_known(looks, self._centroids.get(person.id), self._thresholds)
            if not kept:
                raise ConfigError(
                    f"None of the photos looks like the {name} who is known. Choose another name, "
                    f"or forget the profile first if it is wrong: `photocloak people forget "
                    f"{person.id}`."
                )
        else:
            kept = alike(looks, self._thresholds)
            if 2 * len(kept) <= len(looks) and len(looks) > 1:
                raise ConfigError(
                    f"The photos do not agree on who {name} is: no more than {len(kept)} of "
                    f"{len(looks)} look alike. Name photos of {name} alone."
                )
            person = self._profile(name, looks, kept)
        for index in kept:
            profiles.learn(self._connection, person.id, contents[index], looks[index], self._now)
        everyone = profiles.everybody(self._connection)
        return everyone[person.id], {contents[index] for index in kept}

    def _profile(self, name: str, looks: Sequence[Embeddings], kept: Sequence[int]) -> Person:
        """Return the profile for a new name: an unnamed one that looks the same, or a new one."""
        everyone = profiles.everybody(self._connection)
        chosen = [looks[index] for index in kept]
        found = pair([_total(chosen)], self._centroids, self._thresholds).get(0)
        if found is not None and everyone[found].name is not None:
            raise ConfigError(
                f"The photos look like {everyone[found].name}, who is known already. Enroll them "
                f"by that name, or change it: `photocloak people name {found} NAME`."
            )
        if found is not None:
            query = "UPDATE people SET name = ? WHERE id = ?"
            self._connection.execute(query, (name, found))
            return everyone[found]
        taken = {person.target for person in everyone.values()}
        target = self._choose(kept[0], chosen, taken)
        return profiles.add_person(self._connection, name=name, target=target.name, now=self._now)


def alike(faces: Sequence[Embeddings], thresholds: Mapping[str, float]) -> list[int]:
    """Return which faces look like one person: the worst is left out until all match the others."""
    kept = list(range(len(faces)))
    while len(kept) > 1:
        total = _total([faces[index] for index in kept])
        found = {
            index: likeness(faces[index], _without(total, faces[index]), thresholds)
            for index in kept
        }
        strangers = [index for index in kept if not found[index].matches]
        if not strangers:
            break
        kept.remove(min(strangers, key=lambda index: found[index].score))
    return kept


def like_known(
    faces: Sequence[Embeddings], known: Embeddings | None, thresholds: Mapping[str, float]
) -> list[int]:
    """Return which faces look like a person, who becomes better known with each that does."""
    if known is None:  # a profile of other extractors
        return alike(faces, thresholds)
    kept: list[int] = []
    total = dict(known)
    while True:
        more = [
            index
            for index, face in enumerate(faces)
            if index not in kept and likeness(face, total, thresholds).matches
        ]
        if not more:
            return sorted(kept)
        for index in more:
            total = {name: total[name] + _unit(faces[index][name]) for name in total}
        kept += more


def _total(faces: Sequence[Embeddings]) -> Embeddings:
    """Return the sum of unit features: a profile's direction."""
    shared = set.intersection(*(set(face) for face in faces))
    return {name: np.sum([_unit(face[name]) for face in faces], axis=0) for name in shared}


def _without(total: Embeddings, face: Embeddings) -> Embeddings:
    return {name: total[name] - _unit(face[name]) for name in total}


def _unit(features: Array) -> Array:
    return features / np.float32(max(float(np.linalg.norm(features)), 1e-12))
