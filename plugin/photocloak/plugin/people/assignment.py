"""Who the faces of one photo are, and for whom each is to be taken."""

import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from photocloak.core import ConfigError
from photocloak.engine.recognition.attributes import Attributes
from photocloak.engine.recognition.ensemble import Embeddings
from photocloak.engine.targets.library import Target, target_from_photos
from photocloak.plugin.people import profiles
from photocloak.plugin.people.matching import likeness, pair
from photocloak.plugin.people.profiles import Person, named

Choose = Callable[[int, Sequence[Embeddings], Collection[str]], Target]
"""Chooses T for a face: (its index, all that is known of its person, targets that are taken)."""

NOBODY_NAMED = (
    "Only people with a name shall be cloaked (faces = me), but nobody has one yet. Name somebody "
    "with `photocloak people name`, say --person NAME, or cloak everyone."
)


@dataclass(frozen=True)
class ObservedFace:
    """A face of a photo, as far as it matters who it is.

    Attributes:
        features: raw.
        certain: whether it is a face for certain.
        attributes: how it looks, for a matched target; None where matching is off.

    """

    features: Embeddings
    certain: bool
    attributes: Attributes | None = None


@dataclass(frozen=True)
class UserHint:
    """What the user said about one face of the photo.

    Attributes:
        name: whom the photo shows: its only face, else the one that looks like the person known
            by that name, else, when the name is new, the largest.
        target: whom that face (without a name, the largest) shall be taken for.

    """

    name: str | None = None
    target: Target | None = None


@dataclass(frozen=True)
class Assignment:
    """What becomes of a face.

    Attributes:
        person: whose it is; None: too uncertain for a profile, or somebody who is left alone.
        target: for whom it shall be taken; None: it is left alone.
        reference: mean of the raw features of the person's first photos, none that was seen after
            this one, (D,) by extractor; empty for nobody, and where the face taught nothing.

    """

    person: Person | None
    target: Target | None
    reference: Embeddings = field(default_factory=dict)


class Assigner:
    """One assignment, inside its transaction."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        thresholds: Mapping[str, float],
        now: float,
        library: Mapping[str, Target],
        choose: Choose,
        *,
        only_named: bool = False,
    ) -> None:
        self._connection, self._thresholds, self._now = connection, thresholds, now
        self._choose, self._library, self._only_named = choose, library, only_named
        profiles.expire(connection, now)
        self._everyone = profiles.everybody(connection)
        own = profiles.own_targets(connection, thresholds)
        self._targets = dict(library) | {
            name: target_from_photos(name, rows) for name, rows in own.items()
        }

    def __call__(
        self, photo: str, faces: Sequence[ObservedFace], hint: UserHint
    ) -> list[Assignment]:
        """Assign every face of one photo; see `People.assign`."""
        known = profiles.centroids(self._connection)
        given = pair([face.features for face in faces], known, self._thresholds)
        meant = self._meant(given, len(faces), hint)
        if meant is not None and hint.name is not None:
            self._claim(given, meant, hint.name)
        if self._only_named and meant is None and not self._named():
            raise ConfigError(NOBODY_NAMED)
        result: list[Assignment] = []
        for index, face in enumerate(faces):
            taken = {one.target.name for one in result if one.target is not None}
            person = self._everyone[given[index]] if index in given else None
            if self._only_named and index != meant and (person is None or person.name is None):
                likely = self._might_be(face, known)
                if likely is None and face.certain:
                    result.append(Assignment(None, None))
                    continue
                if likely is not None and person is None:
                    result.append(Assignment(None, self._kept(likely, index, face, taken)))
                    continue
            if person is not None:
                target = self._kept(person, index, face, taken)
            elif face.certain or index == meant:
                target = self._choose(index, [face.features], taken | self._taken())
                name = hint.name if index == meant else None
                person = profiles.add_person(
                    self._connection, name=name, target=target.name, now=self._now
                )
            else:
                target = self._choose(index, [face.features], taken)
                result.append(Assignment(None, target))
                continue
            if index == meant and hint.target is not None:
                target = self._replace(person, hint.target)
            if face.certain or index == meant:
                profiles.learn(self._connection, person.id, photo, face.features, self._now)
            self._everyone = profiles.everybody(self._connection)
            reference = profiles.reference(self._connection, person.id, photo)
            result.append(Assignment(self._everyone[person.id], target, reference))
        return result

    def _named(self) -> list[Person]:
        return [one for one in self._everyone.values() if one.name is not None]

    def _might_be(self, face: ObservedFace, known: Mapping[int, Embeddings]) -> Person | None:
        """Return whom with a name the face looks most like; None: surely nobody."""
        found = [
            (likeness(face.features, known.get(one.id, {}), self._thresholds), one)
            for one in self._named()
        ]
        doubts = [(like.score, one) for like, one in found if like.doubtful]
        return max(doubts, key=lambda doubt: doubt[0], default=(0.0, None))[1]

    def _meant(self, given: dict[int, int], count: int, hint: UserHint) -> int | None:
        """Return the index of the face that the user spoke of."""
        if hint == UserHint() or count == 0:
            return None
        known = None if hint.name is None else named(self._connection, hint.name)
        if count == 1 or known is None:
            return 0
        return next((index for index, person in given.items() if person == known.id), None)

    def _claim(self, given: dict[int, int], meant: int, name: str) -> None:
        """Make the face `meant` the person called `name`, who may be new or not named yet."""
        known = named(self._connection, name)
        found = given.pop(meant, None)
        if known is not None:
            given[meant] = known.id
        elif found is not None and self._everyone[found].name is None:
            self._connection.execute("UPDATE people SET name = ? WHERE id = ?", (name, found))
            given[meant] = found

    def _kept(self, person: Person, index: int, face: ObservedFace, taken: set[str]) -> Target:
        """Return the person's target; a new one only if the library no longer has the old one."""
        if person.target in self._targets:
            return self._targets[person.target]
        known = [*profiles.samples(self._connection, person.id), face.features]
        shared = [photo for photo in known if photo.keys() >= face.features.keys()]
        return self._replace(person, self._choose(index, shared, taken | self._taken()))

    def _replace(self, person: Person, target: Target) -> Target:
        """Give a person another target."""
        if target.name not in self._library:
            profiles.put_target(self._connection, target)
        self._connection.execute(
            "UPDATE people SET target = ? WHERE id = ?", (target.name, person.id)
        )
        return target

    def _taken(self) -> set[str]:
        return {person.target for person in self._everyone.values()}
