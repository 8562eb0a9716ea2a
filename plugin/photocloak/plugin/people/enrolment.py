"""Which faces show one person, and making or extending the profile of a named one.

A user says that photos show somebody. That is checked: their faces must look alike, or like the
person already known by that name. A stranger's face in a profile would have two people taken for
one.
"""

import sqlite3
from collections.abc import Mapping, Sequence

import numpy as np

from photocloak.core import ConfigError
from photocloak.engine.recognition.ensemble import Embeddings
from photocloak.plugin.people import profiles
from photocloak.plugin.people.assignment import Choose, ObservedFace
from photocloak.plugin.people.matching import likeness, pair, unit
from photocloak.plugin.people.profiles import Person


class RefusedError(ConfigError):
    """Nothing was learned from any of the photos."""

    def __init__(self, message: str, why: Mapping[str, str]) -> None:
        """`why` says what speaks against each photo, by the hash of its content."""
        super().__init__(message)
        self.why = why


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

    def __call__(self, name: str, faces: Mapping[str, ObservedFace]) -> tuple[Person, set[str]]:
        """Learn a person from a face a photo; see `People.enroll`."""
        contents, looks = list(faces), [one.features for one in faces.values()]
        person = profiles.named(self._connection, name)
        if person is not None:
            kept = like_known(looks, self._centroids.get(person.id), self._thresholds)
            if not kept:
                raise RefusedError(
                    f"None of the photos looks like the {name} who is known. Name frontal photos "
                    "in even light, choose another name, or forget the profile first if it is "
                    f"wrong: `photocloak people forget {person.id}`.",
                    dict.fromkeys(contents, f"does not look like the {name} who is known"),
                )
        else:
            kept = alike(looks, self._thresholds)
            if 2 * len(kept) <= len(looks) and len(looks) > 1:
                raise _disagreement(name, contents, kept)
            person = self._profile(name, faces, kept)
        number = profiles.next_number(self._connection, person.id)
        for index in kept:
            profiles.learn(
                self._connection,
                person.id,
                contents[index],
                looks[index],
                self._now,
                number=number,
            )
        person = profiles.somebody(self._connection, person.id)
        return person, {contents[index] for index in kept}

    def _profile(self, name: str, faces: Mapping[str, ObservedFace], kept: Sequence[int]) -> Person:
        """Return the profile for a new name: an unnamed one that looks the same, or a new one."""
        everyone = profiles.everybody(self._connection)
        contents = list(faces)
        chosen = [faces[contents[index]] for index in kept]
        total = _total([one.features for one in chosen])
        found = pair([total], self._centroids, self._thresholds).get(0)
        if found is not None and everyone[found].name is not None:
            known = everyone[found].name
            others = dict.fromkeys(contents, "does not look like the others")
            raise RefusedError(
                f"The photos look like {known}, who is known already. Enroll them by that name, "
                f"or change it: `photocloak people name {found} NAME`.",
                others | {contents[index]: f"looks like {known}" for index in kept},
            )
        if found is not None:
            query = "UPDATE people SET name = ? WHERE id = ?"
            self._connection.execute(query, (name, found))
            return everyone[found]
        taken = {person.target for person in everyone.values()}
        target = self._choose(chosen, contents[kept[0]], taken)
        return profiles.add_person(self._connection, name=name, target=target.name, now=self._now)


def _disagreement(name: str, contents: Sequence[str], kept: Sequence[int]) -> RefusedError:
    """Say that no more than half of the photos look alike, and which."""
    why = dict.fromkeys(contents, "does not look like the others")
    if len(kept) > 1:
        few = f"looks like no more than {len(kept) - 1} of the others"
        why |= {contents[index]: few for index in kept}
    return RefusedError(
        f"The photos do not agree on who {name} is: no more than {len(kept)} of {len(contents)} "
        f"look alike. Name frontal photos of {name} alone, in even light and without sunglasses. "
        "Harder ones can be cloaked as they are; if that makes profiles of their own (`photocloak "
        "people list`), join them with `photocloak people merge`, and name them with `photocloak "
        "people name`.",
        why,
    )


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
            total = {name: total[name] + unit(faces[index][name]) for name in total}
        kept += more


def _total(faces: Sequence[Embeddings]) -> Embeddings:
    """Return the sum of unit features: a profile's direction."""
    shared = set.intersection(*(set(face) for face in faces))
    return {name: np.sum([unit(face[name]) for face in faces], axis=0) for name in shared}


def _without(total: Embeddings, face: Embeddings) -> Embeddings:
    return {name: total[name] - unit(face[name]) for name in total}
