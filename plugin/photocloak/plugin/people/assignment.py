"""For whom the faces of one photo are to be taken, of the people that were learned."""

import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from photocloak.core import ConfigError
from photocloak.engine.recognition.attributes import Attributes
from photocloak.engine.recognition.ensemble import Embeddings
from photocloak.engine.targets.library import Target, target_from_photos
from photocloak.plugin.people import profiles
from photocloak.plugin.people.matching import best_pairs, likeness, pair
from photocloak.plugin.people.profiles import Person, named

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


Choose = Callable[[Sequence[ObservedFace], str, Collection[str]], Target]
"""Chooses T for a person: (what is known of them, the photo of the first, targets taken)."""


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
class Sighted:
    """A photo in which faces were seen.

    Attributes:
        photo: hash of its content; the same photo teaches a profile once.
        faces: largest first.
        hint: what the user said.
        only_named: leave faces alone that are surely of nobody with a name.
        only: leave faces alone that are surely of none of these ids; None: `only_named` says it.
        told: whose faces the user says they are, a name or label by index.
        others: how often another target was asked for, by index.
        none: what looked like a face, and is none.

    """

    photo: str
    faces: Sequence[ObservedFace]
    hint: UserHint = field(default_factory=UserHint)
    only_named: bool = False
    only: frozenset[int] | None = None
    told: Mapping[int, str] = field(default_factory=dict)
    others: Mapping[int, int] = field(default_factory=dict)
    none: Sequence[ObservedFace] = ()


@dataclass(frozen=True)
class Assignment:
    """What becomes of a face.

    Attributes:
        person: whose it is; None: too uncertain for a profile, or nobody who is known.
        target: for whom it shall be taken; None: it is left alone.
        reference: mean of the raw features of the person's first photos, none that was looked at
            after this one's batch, (D,) by extractor; empty for nobody, and where the face taught
            nothing.
        instead: the other target that was asked for, for this face alone.

    """

    person: Person | None
    target: Target | None
    reference: Embeddings = field(default_factory=dict)
    instead: Target | None = None


class Targets:
    """The targets that people have, inside of a transaction: the library's and the users' own."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        thresholds: Mapping[str, float],
        library: Mapping[str, Target],
        choose: Choose,
    ) -> None:
        self._connection, self._library, self.choose = connection, library, choose
        own = profiles.own_targets(connection, thresholds)
        self._targets = dict(library) | {
            name: target_from_photos(name, rows) for name, rows in own.items()
        }

    def of(self, person: Person, faces: Sequence[ObservedFace], photo: str) -> Target:
        """Return the person's target; a new one only if the library no longer has the old one.

        Args:
            person: whose.
            faces: further ones of the person, beside those in the profile.
            photo: of the first of them.

        """
        if person.target in self._targets:
            return self._targets[person.target]
        known = profiles.samples(self._connection, person.id)
        seen = [*(ObservedFace(one, certain=True) for one in known), *faces]
        extractors = faces[0].features.keys()
        shared = [one for one in seen if one.features.keys() >= extractors]
        return self.give(person, self.choose(shared, photo, self.taken()))

    def give(self, person: Person, target: Target) -> Target:
        """Give a person another target."""
        self.keep(target)
        self._connection.execute(
            "UPDATE people SET target = ? WHERE id = ?", (target.name, person.id)
        )
        return target

    def keep(self, target: Target) -> None:
        """Keep a target that is the user's own."""
        if target.name not in self._library:
            profiles.put_target(self._connection, target)
            self._targets[target.name] = target

    def taken(self) -> set[str]:
        """Return the names of the targets that somebody has."""
        return {one.target for one in profiles.everybody(self._connection).values()}


class Assigner:
    """Assigns the faces of photos whose people were learned, inside of a transaction."""

    def __init__(
        self, connection: sqlite3.Connection, thresholds: Mapping[str, float], targets: Targets
    ) -> None:
        self._connection, self._thresholds, self._targets = connection, thresholds, targets
        self._everyone = profiles.everybody(connection)
        self._known = profiles.centroids(connection)

    def __call__(self, seen: Sighted) -> list[Assignment]:
        """Assign every face of a photo; see `People.assign`."""
        learned = self._learned(seen)
        meant = meant_face(self._connection, seen, learned)
        wanted = self._wanted(seen)
        if wanted is not None and meant is None and not wanted:
            raise ConfigError(NOBODY_NAMED)
        alike = self._alike(seen, learned)
        result: list[Assignment] = []
        for index, face in enumerate(seen.faces):
            if index in learned:
                one = self._as_learned(learned[index], face, seen)
            else:
                taken = {one.target.name for one in result if one.target is not None}
                person = self._everyone[alike[index]] if index in alike else None
                one = self._unlearned(face, person, seen, taken)
            result.append(self._other(one, seen.others.get(index, 0), face, seen.photo))
        return result

    def _other(self, one: Assignment, times: int, face: ObservedFace, photo: str) -> Assignment:
        """Choose another target, and again as often as the user asked."""
        target, passed = one.target, set[str]()
        for _ in range(0 if target is None else times):
            passed |= set() if target is None else {target.name}
            target = self._targets.choose([face], photo, passed)
        return one if target is one.target else replace(one, instead=target)

    def _learned(self, seen: Sighted) -> dict[int, int]:
        """Return whose the faces are that taught something: {index: id}."""
        told = told_people(self._connection, seen)
        people = {
            one: self._known.get(one, {})
            for one in profiles.people_in(self._connection, seen.photo)
            if one not in told.values()
        }
        known = named(self._connection, seen.hint.name) if seen.hint.name else None
        if known is not None and known.id in people and len(seen.faces) == 1 and not told:
            return {0: known.id}
        rest = [index for index in range(len(seen.faces)) if index not in told]
        features = [seen.faces[index].features for index in rest]
        found = best_pairs(features, people, self._thresholds)
        return told | {rest[number]: person for number, person in found.items()}

    def _alike(self, seen: Sighted, learned: Mapping[int, int]) -> dict[int, int]:
        """Return whom the other faces look like: {index: id}."""
        rest = [index for index in range(len(seen.faces)) if index not in learned]
        others = {one: self._known[one] for one in self._known.keys() - set(learned.values())}
        features = [seen.faces[index].features for index in rest]
        found = pair(features, others, self._thresholds)
        return {rest[number]: person for number, person in found.items()}

    def _as_learned(self, person: int, face: ObservedFace, seen: Sighted) -> Assignment:
        who, wanted = self._everyone[person], self._wanted(seen)
        if wanted is not None and who not in wanted:
            return Assignment(who, None)
        target = self._targets.of(who, [face], seen.photo)
        reference = profiles.reference(self._connection, person, seen.photo)
        return Assignment(who, target, reference)

    def _unlearned(
        self, face: ObservedFace, person: Person | None, seen: Sighted, taken: Collection[str]
    ) -> Assignment:
        """Assign a face that taught nothing: uncertain, or not to be cloaked unless in doubt."""
        wanted = self._wanted(seen)
        if wanted is not None and person not in wanted:
            likely = self._might_be(face, wanted)
            if likely is None and face.certain:
                return Assignment(person, None)
            if likely is not None and person is None:
                return Assignment(None, self._targets.of(likely, [face], seen.photo))
        if person is None:
            return Assignment(None, self._targets.choose([face], seen.photo, taken))
        return Assignment(person, self._targets.of(person, [face], seen.photo))

    def _wanted(self, seen: Sighted) -> list[Person] | None:
        """Return whose faces are to be cloaked; None: everyone's."""
        if seen.only is not None:
            return [one for one in self._everyone.values() if one.id in seen.only]
        if seen.only_named:
            return [one for one in self._everyone.values() if one.name is not None]
        return None

    def _might_be(self, face: ObservedFace, wanted: Sequence[Person]) -> Person | None:
        """Return whom of these the face looks most like; None: surely nobody."""
        found = [
            (likeness(face.features, self._known.get(one.id, {}), self._thresholds), one)
            for one in wanted
        ]
        doubts = [(like.score, one) for like, one in found if like.doubtful]
        return max(doubts, key=lambda doubt: doubt[0], default=(0.0, None))[1]


def told_people(connection: sqlite3.Connection, seen: Sighted) -> dict[int, int]:
    """Return the people whose faces the user says they are: {index: id}."""
    found = {index: profiles.find(connection, who) for index, who in seen.told.items()}
    return {index: person.id for index, person in found.items() if person is not None}


def meant_face(
    connection: sqlite3.Connection, seen: Sighted, given: Mapping[int, int]
) -> int | None:
    """Return the index of the face that the user spoke of; `given` says whose the faces are."""
    if seen.hint == UserHint() or not seen.faces:
        return None
    known = named(connection, seen.hint.name) if seen.hint.name else None
    if len(seen.faces) == 1 or known is None:
        return 0
    return next((index for index, person in given.items() if person == known.id), None)
