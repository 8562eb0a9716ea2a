"""The photos of an album, how far each of them is, and what came of it."""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

from photocloak.plugin.pipeline.job import FaceOutcome, Job, Outcome, Status
from photocloak.plugin.review.staging import Wishes
from photocloak.plugin.settings import Settings
from photocloak.plugin.storage.inputs import Found


@dataclass(frozen=True)
class Photo:
    """A photo of the album, as it stands now.

    Attributes:
        number: its own in the album, from 1.
        source: the original.
        below: the sub-folder of the output folder that it is published to.
        outcome: what came of it; `output` is the staged file. None: nothing yet.
        waits: whether it is to be made, for the first time or once more.
        step: what is done to it: "looking", "cloaking"; empty: nothing at the moment.
        share: of its cloak that is done.
        published: what lies in the output folder and is what is staged.
        version: the album's, when anything but `share` changed last.

    """

    number: int
    source: Path
    below: PurePath
    outcome: Outcome | None = None
    waits: bool = True
    step: str = ""
    share: float = 0.0
    published: Path | None = None
    version: int = 0

    @property
    def ready(self) -> bool:
        """Whether there is a file to publish."""
        return not self.waits and self.outcome is not None and self.outcome.output is not None

    @property
    def failed(self) -> bool:
        """Whether it could not be made."""
        done = None if self.waits or self.outcome is None else self.outcome.status
        return done is Status.FAILED

    @property
    def held(self) -> bool:
        """Whether it is held back, and why is to be said."""
        done = not self.waits and self.outcome is not None and self.outcome.output is None
        return done and not self.failed

    @property
    def faces(self) -> tuple[FaceOutcome, ...]:
        """What is known of its faces; of the last time, while it is made once more."""
        return () if self.outcome is None else self.outcome.faces


class Album:
    """All photos; may be asked in any thread."""

    def __init__(
        self,
        found: Sequence[Found],
        wishes: Wishes,
        settings: Settings,
        staged: Path,
        *,
        neutral: bool = False,
    ) -> None:
        """Begin with photos of which nothing is known yet.

        Args:
            found: the photos.
            wishes: what is wished for the album.
            settings: of the user.
            staged: where cloaks wait.
            neutral: see `Job`.

        """
        self.wishes, self._settings, self._staged = wishes, settings, staged
        self._neutral = neutral
        self._lock = threading.RLock()
        self.version = 0
        self.trouble = ""
        self._photos = {
            number: Photo(number, one.source.absolute(), one.below)
            for number, one in enumerate(found, 1)
        }
        self._numbers = {one.source: number for number, one in self._photos.items()}

    @property
    def photos(self) -> list[Photo]:
        """All, in their order."""
        with self._lock:
            return list(self._photos.values())

    @property
    def output(self) -> Path:
        """The folder to publish to."""
        return Path(self.wishes.output)

    def photo(self, number: int) -> Photo | None:
        """Return the photo of this number."""
        with self._lock:
            return self._photos.get(number)

    def of(self, source: Path) -> Photo:
        """Return the photo of this original."""
        return self._photos[self._numbers[source]]

    def change(self, number: int, **changes: Any) -> Photo:
        """Note something about a photo, and return it."""
        with self._lock:
            self.version += 1
            if changes.keys() != {"share"}:
                changes["version"] = self.version
            new = replace(self._photos[number], **changes)
            self._photos[number] = new
            return new

    def fail(self, trouble: str) -> None:
        """Note what hinders all photos."""
        with self._lock:
            self.version += 1
            self.trouble = trouble

    def showing(self, people: Iterable[str]) -> list[Photo]:
        """Return the photos with faces of any of these people, by label."""
        wanted = set(people)
        return [one for one in self.photos if wanted & {face.person for face in one.faces}]

    def relabel(self, old: str, new: str) -> None:
        """Have faces of somebody be called by the name that was given."""
        for one in self.showing([old]):
            assert one.outcome is not None
            faces = tuple(
                replace(face, person=new) if face.person == old else face for face in one.faces
            )
            self.change(one.number, outcome=replace(one.outcome, faces=faces))

    def job(self, photo: Photo) -> Job:
        """Return what is to be done for the photo to lie in the staging folder."""
        name, settings, wishes = str(photo.source), self._settings, self.wishes
        return Job(
            photo.source,
            self._staged / photo.below,
            wishes.mode,
            wishes.preset,
            "copy" if name in wishes.as_it_is else settings.no_face,
            faces=settings.faces,
            accept_weak=name in wishes.weak or settings.accept_weak,
            neutral=self._neutral,
            fallback=None if settings.fallback == "hold" else settings.fallback,
            spared=tuple(label for label, photos in wishes.spared.items() if name in photos),
        )
