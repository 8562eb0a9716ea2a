"""The cards of people: their clearest faces, and who may be the same as whom."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from photocloak.plugin.people.profiles import Person
from photocloak.plugin.people.registry import People
from photocloak.plugin.people.roster import Roster
from photocloak.plugin.portraits import Seen, clearest, seen_in
from photocloak.plugin.review.album import Album
from photocloak.plugin.storage.results import Results

SHOWN = 3
"""Faces on a card."""

COMPARED = 150
"""People, those seen last, who are compared with each other: each with each takes a while."""


@dataclass(frozen=True)
class Card:
    """What is shown of somebody.

    Attributes:
        person: who.
        faces: the largest ones, each of another photo that is still there.
        photos: numbers of the album's photos that show the person.
        first: day on which the person was first seen, as text.
        last: likewise.

    """

    person: Person
    faces: tuple[Seen, ...]
    photos: tuple[int, ...]
    first: str
    last: str


class Cards:
    """Makes cards of what the stores know, and of the album."""

    def __init__(self, album: Album, roster: Roster, people: People, results: Results) -> None:
        self._album, self._roster = album, roster
        self._people, self._results = people, results
        self._shown: dict[tuple[int, int], Seen] = {}

    def all(self) -> list[Card]:
        """Return everybody's, those of the album first, then by how often they were seen."""
        faces = self._faces()
        cards = [self._card(one, faces.get(one.id, [])) for one in self._roster.everybody()]
        self._shown |= {
            (one.person.id, number): seen for one in cards for number, seen in enumerate(one.faces)
        }
        return sorted(cards, key=lambda one: (-len(one.photos), -one.person.photos, one.person.id))

    def face(self, person: int, number: int) -> Seen | None:
        """Return the face that stands at a place, from 0, of a card that `all` returned."""
        return self._shown.get((person, number))

    def pairs(self, cards: Iterable[Card]) -> list[tuple[Card, Card]]:
        """Return who may be one person, the likeliest first."""
        latest = sorted(cards, key=lambda one: -one.person.last_seen)[:COMPARED]
        by_id = {one.person.id: one for one in latest}
        return [(by_id[one], by_id[other]) for one, other in self._people.alike(by_id)]

    def _card(self, person: Person, faces: Iterable[Seen]) -> Card:
        spared = self._album.wishes.spared.get(f"person-{person.id}", ())
        shown = {one.number for one in self._album.showing([person.label])}
        shown |= {one.number for one in self._album.photos if str(one.source) in spared}
        days = _day(person.created), _day(person.last_seen)
        chosen = tuple(islice(clearest(faces), SHOWN))
        return Card(person, chosen, tuple(sorted(shown)), *days)

    def _faces(self) -> dict[int, list[Seen]]:
        """Return where faces of everybody were seen: in this album, and in what was written."""
        people = [one.id for one in self._roster.everybody()]
        found = seen_in(self._results.showing(people))
        for photo in self._album.photos:
            sha256 = None if photo.outcome is None else photo.outcome.source_sha256
            for face in photo.faces:
                if face.person_id is not None and face.found is not None and sha256 is not None:
                    seen = Seen(photo.source, sha256, face.found)
                    found.setdefault(face.person_id, []).append(seen)
        return found


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d")
