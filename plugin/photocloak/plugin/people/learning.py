"""Who is in the photos of a batch: learned from all of them together, before any is cloaked."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from photocloak.engine.targets.library import Target
from photocloak.plugin.people import profiles
from photocloak.plugin.people.assignment import ObservedFace, Sighted, Targets
from photocloak.plugin.people.grouping import Cluster, Key, group, of_face, of_profile
from photocloak.plugin.people.matching import best_pairs
from photocloak.plugin.people.profiles import Person, named

PROFILE = ""
"""Stands in a key for the photo, where it is a profile's: profiles come before faces."""


@dataclass(frozen=True)
class Merged:
    """Two profiles that turned out to be one person; photos made for `gone` teach its target."""

    gone: Person
    kept: Person


class Learner:
    """One batch, inside its transaction."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        thresholds: Mapping[str, float],
        now: float,
        targets: Targets,
    ) -> None:
        self._connection, self._thresholds = connection, thresholds
        self._now, self._targets = now, targets
        profiles.expire(connection, now)

    def __call__(self, photos: Sequence[Sighted]) -> list[Merged]:
        """Learn people from the photos; see `People.learn`."""
        there = self._meet(photos)
        faces = _new_faces(photos, there)
        names = self._names(photos, there, faces)
        told = self._told(photos, there, faces, names)
        # Mostly there is nothing new: photos that were met are submitted one by one.
        merged = self._group(photos, faces, names, told) if faces or names else []
        self._give_wished(photos)
        return merged

    def _group(
        self,
        photos: Sequence[Sighted],
        faces: Mapping[Key, ObservedFace],
        names: Mapping[Key, str],
        told: Mapping[Key, Key],
    ) -> list[Merged]:
        """Learn from faces; see `_names` and `_told` for what the user says of them."""
        strangers = set[Key]().union(*map(_strangers, photos))
        clusters = [
            *self._profiles(names),
            *(of_face(key, face.features, names.get(key)) for key, face in faces.items()),
        ]
        groups = group(_of_one_person(clusters, told), self._thresholds)
        order = {(one.photo, index): number for number, one in enumerate(photos)
                 for index in range(len(one.faces))}  # fmt: skip
        learned = [  # of a profile that nothing was joined with there is nothing to write
            one
            for one in groups
            if not one.settled and (one.name is not None or strangers.isdisjoint(one.members))
        ]
        targets = self._new_targets(learned, faces)
        merged: list[Merged] = []
        for one in sorted(learned, key=lambda one: min(order.get(key, -1) for key in one.members)):
            merged += self._learn(one, faces, targets.get(one.key))
        return merged

    def _meet(self, photos: Sequence[Sighted]) -> dict[str, dict[int, int]]:
        """Return whose the faces are that were learned before: {photo: {index: id}}."""
        known = {
            person: profiles.centroids(self._connection, person).get(person, {})
            for photo in {one.photo for one in photos}
            for person in profiles.people_in(self._connection, photo)
        }
        found: dict[str, dict[int, int]] = {}
        for seen in photos:
            people = profiles.people_in(self._connection, seen.photo)
            for person in people:
                profiles.meet(self._connection, person, self._now)
            shown = [*seen.faces, *seen.none]
            pairs = best_pairs(
                [face.features for face in shown],
                {person: known[person] for person in people},
                self._thresholds,
            )
            for index in list(pairs):
                if index >= len(seen.faces):
                    self._unlearn(seen, pairs.pop(index), shown[index])
            found[seen.photo] = pairs
        return found

    def _unlearn(self, seen: Sighted, person: int, face: ObservedFace) -> None:
        profiles.unlearn(self._connection, person, seen.photo, face.features)

    def _names(
        self,
        photos: Sequence[Sighted],
        there: Mapping[str, Mapping[int, int]],
        faces: dict[Key, ObservedFace],
    ) -> dict[Key, str]:
        """Return the faces and profiles that have a name because the user says so.

        The only face of a photo; and where the name is new, and no photo shows but one face, the
        largest of the first. A face of somebody with another name is learned once more.
        """
        result: dict[Key, str] = {}
        wished = [one for one in photos if one.hint.name and one.faces]
        for seen in sorted(wished, key=lambda one: len(one.faces) > 1):
            name = str(seen.hint.name)
            known = named(self._connection, name)
            told = known is not None or name.casefold() in map(str.casefold, result.values())
            if told and len(seen.faces) > 1:
                continue
            person = there[seen.photo].get(0)
            was = None if person is None else profiles.somebody(self._connection, person)
            if was is not None and _is(was, name, known):
                result[PROFILE, was.id] = name
            else:
                faces[seen.photo, 0] = seen.faces[0]
                result[seen.photo, 0] = name
        return result

    def _told(
        self,
        photos: Sequence[Sighted],
        there: Mapping[str, Mapping[int, int]],
        faces: dict[Key, ObservedFace],
        names: dict[Key, str],
    ) -> dict[Key, Key]:
        """Return the profiles of the faces of which the user says whose they are.

        Names are added to `names`; faces that were learned as somebody else's are unlearned there,
        and learned once more.
        """
        result: dict[Key, Key] = {}
        for seen in photos:
            for index, who in seen.told.items():
                known = profiles.find(self._connection, who)
                if known is None and profiles.id_in(who) is not None:  # forgotten since
                    continue
                key, name = (seen.photo, index), who if known is None else known.name
                person = there[seen.photo].get(index)
                was = None if person is None else profiles.somebody(self._connection, person)
                if was is not None and (was == known or (name and _is(was, name, known))):
                    names |= {(PROFILE, was.id): name} if name else {}
                    continue
                if was is not None:
                    self._unlearn(seen, was.id, seen.faces[index])
                faces[key] = seen.faces[index]
                if name:
                    names[key] = name
                elif known is not None:
                    result[key] = PROFILE, known.id
        return result

    def _profiles(self, names: Mapping[Key, str]) -> Iterable[Cluster]:
        photos = profiles.photos_of_people(self._connection)
        known = profiles.centroids(self._connection)
        for person in profiles.everybody(self._connection).values():
            key, total = (PROFILE, person.id), known.get(person.id, {})
            name = person.name or names.get(key)
            yield of_profile(key, total, photos.get(person.id, ()), name, settled=key not in names)

    def _new_targets(
        self, groups: Sequence[Cluster], faces: Mapping[Key, ObservedFace]
    ) -> dict[Key, Target]:
        """Choose for everybody new, in an order that does not depend on that of the photos."""
        result: dict[Key, Target] = {}
        taken = self._targets.taken()
        for one in groups:
            if one.members[0][0] == PROFILE:
                continue
            known = [faces[key] for key in one.members]
            result[one.key] = self._targets.choose(known, one.key[0], taken)
            taken.add(result[one.key].name)
        return result

    def _learn(
        self, one: Cluster, faces: Mapping[Key, ObservedFace], target: Target | None
    ) -> list[Merged]:
        """Write down one person, and whose profiles turned out to be this person's."""
        if target is not None:
            person = profiles.add_person(
                self._connection, name=one.name, target=target.name, now=self._now
            )
            merged: list[Merged] = []
        else:
            person, merged = self._kept(one)
        seen = [key for key in one.members if key[0] != PROFILE]
        if seen and target is None:
            self._targets.of(person, [faces[key] for key in seen], seen[0][0])
        number = profiles.next_number(self._connection, person.id)
        for key in seen:
            profiles.learn(
                self._connection,
                person.id,
                key[0],
                faces[key].features,
                self._now,
                number=number,
            )
        return merged

    def _kept(self, one: Cluster) -> tuple[Person, list[Merged]]:
        """Make the profiles of one person one; the named or best known one's target stays."""
        found = [
            profiles.somebody(self._connection, number)
            for photo, number in one.members
            if photo == PROFILE
        ]
        kept, *others = sorted(found, key=lambda who: (who.name is None, -who.photos, who.id))
        for other in others:
            profiles.absorb(self._connection, kept.id, other.id)
        if kept.name is None and one.name is not None:
            self._connection.execute("UPDATE people SET name = ? WHERE id = ?", (one.name, kept.id))
        kept = profiles.somebody(self._connection, kept.id)
        return kept, [Merged(other, kept) for other in others]

    def _give_wished(self, photos: Sequence[Sighted]) -> None:
        """Give the people whom the user spoke of the targets that the user named."""
        wished = [(one, one.hint.target) for one in photos if one.hint.target and one.faces]
        known = profiles.centroids(self._connection) if wished else {}
        for seen, target in wished:
            people = profiles.people_in(self._connection, seen.photo)
            there = best_pairs(
                [face.features for face in seen.faces],
                {person: known[person] for person in people},
                self._thresholds,
            )
            who = named(self._connection, seen.hint.name) if seen.hint.name else None
            person = there.get(0) if who is None else who.id if who.id in people else None
            if person is not None:
                self._targets.give(profiles.somebody(self._connection, person), target)


def _new_faces(
    photos: Sequence[Sighted], there: Mapping[str, Mapping[int, int]]
) -> dict[Key, ObservedFace]:
    """Return the faces to learn from: the certain ones, and those that the user speaks of."""
    return {
        (seen.photo, index): face
        for seen in photos
        for index, face in enumerate(seen.faces)
        if index not in there[seen.photo] and (face.certain or index == _spoken_of(seen))
    }


def _strangers(seen: Sighted) -> set[Key]:
    """Return the faces that are compared, and then forgotten unless they are somebody named."""
    if not seen.only_named and seen.only is None:
        return set()
    spoken = {_spoken_of(seen), *seen.told}
    return {(seen.photo, index) for index in range(len(seen.faces)) if index not in spoken}


def _spoken_of(seen: Sighted) -> int | None:
    """Return the index of the face that the user speaks of, where no name is needed to tell."""
    if seen.hint.name is not None:
        return 0 if len(seen.faces) == 1 else None
    return None if seen.hint.target is None else 0


def _is(person: Person, name: str, known: Person | None) -> bool:
    """Tell whether a profile is the one of this name, or may get it; `known` has it."""
    same = (person.name or name).casefold() == name.casefold()
    return same and (known is None or known.id == person.id)


def _of_one_person(clusters: Sequence[Cluster], told: Mapping[Key, Key]) -> list[Cluster]:
    """Join what has one name or is told to be one, whatever it looks like: the user said so."""
    result: dict[object, Cluster] = {}
    for one in sorted(clusters, key=lambda one: one.key):
        key = told.get(one.key, one.key) if one.name is None else one.name.casefold()
        result[key] = result[key].joined(one) if key in result else one
    return list(result.values())
