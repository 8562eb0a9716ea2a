"""Cloak everyone except …: people who are left as they are in all photos of an album."""

from photocloak.plugin.people.profiles import Person
from photocloak.plugin.review.album import Album, Photo
from photocloak.plugin.review.maker import Maker
from photocloak.plugin.review.staging import Staging


class Sparing:
    """Knows who is spared, and in which photos.

    The photos are written down, because only these are to be made once more.
    """

    def __init__(self, album: Album, maker: Maker, staging: Staging) -> None:
        self._album, self._maker, self._staging = album, maker, staging

    def of(self, person: Person) -> list[str] | None:
        """Return the photos in which somebody is left as they are; None: they are cloaked."""
        return self._album.wishes.spared.get(_key(person))

    def spare(self, person: Person) -> None:
        """Leave somebody as they are, in all photos that show them."""
        shown = self._album.showing([person.label])
        self._album.wishes.spared[_key(person)] = [str(one.source) for one in shown]
        self._staging.save(self._album.wishes)
        self._maker.again(shown)

    def cloak(self, person: Person) -> None:
        """Cloak somebody after all; also after they were forgotten."""
        sources = self._album.wishes.spared.pop(_key(person), [])
        self._staging.save(self._album.wishes)
        self._maker.again([one for one in self._album.photos if str(one.source) in sources])

    def look(self, photo: Photo, people: list[Person]) -> None:
        """Make a photo once more that turned out to show somebody who is spared."""
        labels = {face.person for face in photo.faces if face.cloaked}
        new = [one for one in people if one.label in labels and self.of(one) is not None]
        if new:
            for person in new:
                self._album.wishes.spared[_key(person)].append(str(photo.source))
            self._staging.save(self._album.wishes)
            self._maker.again([photo])


def _key(person: Person) -> str:
    return f"person-{person.id}"
