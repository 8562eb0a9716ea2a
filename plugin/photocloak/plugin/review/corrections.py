"""What the user says about a face on the page, and what is made once more because of it."""

from dataclasses import replace

from photocloak.core import ConfigError
from photocloak.engine.seam import Box
from photocloak.plugin.people.corrections import Correction, Corrections, of_faces
from photocloak.plugin.people.profiles import Person, check_name
from photocloak.plugin.people.roster import Roster
from photocloak.plugin.pipeline.job import FaceOutcome
from photocloak.plugin.review import offers
from photocloak.plugin.review.album import Album, Photo
from photocloak.plugin.review.maker import Maker


class Corrector:
    """Keeps corrections, and has the photos made once more that they touch."""

    def __init__(self, album: Album, maker: Maker, corrections: Corrections, roster: Roster):
        self._album, self._maker = album, maker
        self._corrections, self._roster = corrections, roster

    def of(self, photo: Photo, box: Box | None) -> Correction:
        """Return what was said about a face."""
        content = None if photo.outcome is None else photo.outcome.content
        if content is None or box is None:
            return Correction()
        (said,) = of_faces([box], self._corrections.of(content))
        return said

    def none(self, photo: Photo) -> list[Box]:
        """Return what the user said is no face."""
        content = None if photo.outcome is None else photo.outcome.content
        said = {} if content is None else self._corrections.of(content)
        return [box for box, one in said.items() if one.not_a_face]

    def say(self, photo: Photo, box: Box, what: str) -> None:
        """Keep what is said about a face: the name of a button on the page.

        Raises:
            ConfigError: there is no such face any more, or nothing such can be said.

        """
        face = _face(photo, box)
        before = self.of(photo, box)
        if what == "reset":
            new = Correction()
        elif what == "not_a_face":
            new = Correction(not_a_face=True)
        elif face is None:
            raise _gone()
        elif what in offers.BLURS:
            # the keys of BLURS are the fallbacks
            new = replace(before, leave=False, fallback=what)  # type: ignore[arg-type]
        elif what == "leave":
            new = replace(before, leave=True, fallback=None)
        elif what == "cloak":
            new = replace(before, leave=False, fallback=None)
        elif what in {"stronger", "weaker"} and offers.may(face, what):
            mode = offers.mode_of(face, what)
            new = replace(before, mode=mode, leave=False, fallback=None)
        elif what == "another_target":
            new = replace(before, another_target=before.another_target + 1)
        else:
            raise ConfigError(f"{what!r} cannot be said about a face.")
        self._set(photo, box, new)

    def name(
        self, photo: Photo, box: Box, name: str, *, all_photos: bool, sure: bool = False
    ) -> None:
        """Keep whose face it is.

        Args:
            photo: in which it is.
            box: where.
            name: of somebody known, or a new one.
            all_photos: whoever was taken for its person in other photos is meant as well.
            sure: see `merge`.

        """
        name = name.strip()
        check_name(name)
        face = _face(photo, box)
        if face is None:
            raise _gone()
        if not all_photos or face.person is None:
            self._set(photo, box, replace(self.of(photo, box), person=name))
            return
        self.call(face.person, name, sure=sure)

    def call(self, label: str, name: str, *, sure: bool = False) -> None:
        """Give a person a name; if somebody has it, both are one person; see `merge`."""
        check_name(name := name.strip())
        person = self.person(label)
        other = next((one for one in self._roster.everybody() if _same(one.name, name)), None)
        if other is not None and other.id != person.id:
            self.merge(other.label, label, sure=sure)
            return
        self._album.relabel(person.label, self._roster.name(str(person.id), name).label)

    def merge(self, keep: str, gone: str, *, sure: bool = False) -> None:
        """Make two people one; photos of the second teach the first one's target from now on.

        Raises:
            TogetherError: a photo shows both, and the user is not `sure`.

        """
        kept, lost = self.person(keep), self.person(gone)
        if kept.id == lost.id:
            raise ConfigError("Choose two people to merge.")
        touched = self._album.showing([lost.label])
        merged = self._roster.merge(str(kept.id), [str(lost.id)], though_together=sure)
        self._album.relabel(lost.label, merged.label)
        self._album.relabel(kept.label, merged.label)
        self._maker.again(touched)

    def look(self, photo: Photo) -> None:
        """Call the people in a photo that was just made as they are called by now.

        While it was in work names may have been given; who was merged or forgotten meanwhile is
        not the one any more for whom it was made, so it is made once more.
        """
        labels = {one.id: one.label for one in self._roster.everybody()}
        if any(face.person_id not in {None, *labels} for face in photo.faces):
            self._maker.again([photo])
            return
        faces = tuple(face.called(labels) for face in photo.faces)
        if photo.outcome is not None and faces != photo.faces:
            self._album.change(photo.number, outcome=replace(photo.outcome, faces=faces))

    def forget(self, label: str) -> None:
        """Delete somebody's profile; photos of the album are met as of somebody new."""
        person = self.person(label)
        touched = self._album.showing([person.label])
        self._roster.forget([str(person.id)])
        self._maker.again(touched)

    def person(self, label: str) -> Person:
        """Return somebody by label; ConfigError: there is nobody such any more."""
        for one in self._roster.everybody():
            if label in {one.label, f"person-{one.id}"}:
                return one
        raise ConfigError("This person is no longer there; look at the page once more.")

    def _set(self, photo: Photo, box: Box, correction: Correction) -> None:
        if photo.outcome is None or photo.outcome.content is None:
            raise _gone()
        self._corrections.set(photo.outcome.content, box, correction)
        twins = [
            one
            for one in self._album.photos
            if one.outcome is not None and one.outcome.content == photo.outcome.content
        ]
        self._maker.again(twins)


def _face(photo: Photo, box: Box) -> FaceOutcome | None:
    return next((face for face in photo.faces if face.found == box), None)


def _gone() -> ConfigError:
    return ConfigError("This face is no longer there; look at the page once more.")


def _same(one: str | None, other: str) -> bool:
    return one is not None and one.casefold() == other.casefold()
