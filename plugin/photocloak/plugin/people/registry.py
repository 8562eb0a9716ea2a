"""People: who was seen, and for whom each is to be taken (step 3 of the method).

A cloak works on a set of photos: all of a person's photos must teach the same wrong identity. So
a person gets a target once and keeps it, and no two people of one library share theirs.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import combinations

from photocloak.core import ConfigError
from photocloak.engine.recognition.ensemble import Embeddings
from photocloak.engine.targets.library import Target
from photocloak.plugin.people import profiles
from photocloak.plugin.people.assignment import (
    NOBODY_NAMED,
    Assigner,
    Assignment,
    Choose,
    ObservedFace,
    Sighted,
    Targets,
)
from photocloak.plugin.people.enrolment import Enroller
from photocloak.plugin.people.learning import Learner, Merged
from photocloak.plugin.people.matching import best_pairs, likeness, pair
from photocloak.plugin.people.profiles import Person, check_name, named
from photocloak.plugin.storage.database import Database

NO_NAMES = "nobody has a name yet, see `photocloak people list` and `people name`"


class People:
    """The people store."""

    def __init__(
        self,
        database: Database,
        thresholds: Mapping[str, float],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`thresholds`: raw cosine at which an extractor takes two faces for one person."""
        self._database, self._thresholds, self._clock = database, thresholds, clock

    def learn(
        self, photos: Sequence[Sighted], *, library: Mapping[str, Target], choose: Choose
    ) -> list[Merged]:
        """Decide who is who over all faces of a batch, and learn from them.

        One transaction: of two processes that meet a new person at once, one makes the profile
        and the other finds it. The order of the photos decides nothing but the numbers of those
        who are new.

        Args:
            photos: the batch; what is learned already changes nothing.
            library: the targets there are, by name.
            choose: chooses a target for somebody new.

        Returns:
            The profiles that turned out to be one person.

        """
        with self._database.transaction() as connection:
            targets = Targets(connection, self._thresholds, library, choose)
            return Learner(connection, self._thresholds, self._clock(), targets)(photos)

    def assign(
        self, seen: Sighted, *, library: Mapping[str, Target], choose: Choose
    ) -> list[Assignment]:
        """Say who each face of a photo is and for whom it shall be taken; see `learn`.

        Raises:
            ConfigError: only named people count, and nobody is one.

        """
        with self._database.transaction() as connection:
            targets = Targets(connection, self._thresholds, library, choose)
            return Assigner(connection, self._thresholds, targets)(seen)

    def enroll(
        self, name: str, faces: Mapping[str, ObservedFace], *, choose: Choose
    ) -> tuple[Person, set[str]]:
        """Learn who `name` is, and return the person and from which photos it was learned.

        A name that is known keeps its target and learns from the photos that look like that
        person. A new one takes over a profile without a name that looks the same, target and all.

        Args:
            name: of the person.
            faces: one of each photo, by hash of the photo's content.
            choose: chooses a target for somebody new.

        Raises:
            RefusedError: the faces do not look like one person, like the one who is known by that
                name, or look like somebody with another name.

        """
        check_name(name)
        with self._database.transaction() as connection:
            enroller = Enroller(connection, self._thresholds, self._clock(), choose)
            return enroller(name, faces)

    def denied(self, seen: Sighted) -> Person | None:
        """Return who the face is, with another name, that the user calls by the hint's name.

        None: nothing speaks against it; or the name is known, and of several faces the one that
        looks like that person is meant.
        """
        name = seen.hint.name
        if name is None or not seen.faces:
            return None
        with self._database.transaction() as connection:
            if len(seen.faces) > 1 and named(connection, name) is not None:
                return None
            known = profiles.centroids(connection)
            learned = {
                one: known.get(one, {}) for one in profiles.people_in(connection, seen.photo)
            }
            features = [one.features for one in seen.faces]
            found = best_pairs(features, learned, self._thresholds).get(0)
            if found is None:
                found = pair(features[:1], known, self._thresholds).get(0)
            who = None if found is None else profiles.somebody(connection, found)
        other = who is not None and who.name is not None and who.name.casefold() != name.casefold()
        return who if other else None

    def named(self) -> list[int]:
        """Return who has a name."""
        with self._database.transaction() as connection:
            everyone = profiles.everybody(connection).values()
        return [one.id for one in everyone if one.name is not None]

    def labels(self) -> dict[int, str]:
        """Return what everybody is called, by id."""
        with self._database.transaction() as connection:
            return {key: one.label for key, one in profiles.everybody(connection).items()}

    def ids(self, names: Sequence[str]) -> list[int]:
        """Return who is called so, by names or labels; ConfigError says who there is."""
        if not names:  # of each photo it is asked several times, mostly for nobody
            return []
        with self._database.transaction() as connection:
            found = [(name, profiles.find(connection, name)) for name in names]
            everyone = profiles.everybody(connection).values()
        for name, person in found:
            if person is None:
                there = ", ".join(sorted(one.name for one in everyone if one.name is not None))
                raise ConfigError(
                    f"There is nobody {name!r}; {f'there are: {there}' if there else NO_NAMES}."
                )
        return [person.id for _, person in found if person is not None]

    def require(self) -> None:
        """Raise ConfigError or OutputError where the store cannot be used."""
        with self._database.transaction():
            pass

    def require_named(self) -> None:
        """Raise ConfigError when nobody has a name."""
        if not self.named():
            raise ConfigError(NOBODY_NAMED)

    def recognise(self, faces: Sequence[Embeddings]) -> list[Person | None]:
        """Say who each face looks like, without learning anything."""
        with self._database.transaction() as connection:
            everyone = profiles.everybody(connection)
            given = pair(faces, profiles.centroids(connection), self._thresholds)
        return [everyone[given[i]] if i in given else None for i in range(len(faces))]

    def alike(self, among: Collection[int]) -> list[tuple[int, int]]:
        """Return who of some may be one person and is not known to be, the likeliest pair first.

        Two whom one photo shows are not one person, nor two with different names.
        """
        with self._database.transaction() as connection:
            everyone = profiles.everybody(connection)
            known = profiles.centroids(connection)
            photos = profiles.photos_of_people(connection)
        found = []
        for one, other in combinations(sorted(known.keys() & everyone.keys() & set(among)), 2):
            if everyone[one].name and everyone[other].name:
                continue
            if not photos.get(one, set()).isdisjoint(photos.get(other, set())):
                continue
            like = likeness(known[one], known[other], self._thresholds)
            if like.doubtful and like.score > -1:
                first, second = sorted((one, other), key=lambda who: _fame(everyone[who]))
                found.append((-like.score, first, second))
        return [(one, other) for _, one, other in sorted(found)]


def _fame(person: Person) -> tuple[bool, int, int]:
    """Order people so that who is known best comes first."""
    return person.name is None, -person.photos, person.id
