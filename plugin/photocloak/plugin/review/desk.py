"""All that the page works with, put together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from photocloak.plugin.people.corrections import Corrections
from photocloak.plugin.people.registry import People
from photocloak.plugin.people.roster import Roster
from photocloak.plugin.pipeline.coordinator import Coordinator
from photocloak.plugin.pipeline.decisions import Decisions
from photocloak.plugin.progress import shown
from photocloak.plugin.review.album import Album, Photo
from photocloak.plugin.review.corrections import Corrector
from photocloak.plugin.review.maker import Maker
from photocloak.plugin.review.people import Cards
from photocloak.plugin.review.pictures import Pictures
from photocloak.plugin.review.publishing import Publisher
from photocloak.plugin.review.sparing import Sparing
from photocloak.plugin.review.staging import Staging, Wishes
from photocloak.plugin.settings import Settings
from photocloak.plugin.storage.database import Database
from photocloak.plugin.storage.inputs import Found
from photocloak.plugin.storage.results import Results


@dataclass(frozen=True)
class Means:
    """What photos are made with.

    Attributes:
        decisions: knows people and own outputs.
        coordinator: has photos made; closed with the desk.
        workers: how many at once.
        database: of the user.
        thresholds: at which a recogniser takes two faces for one person.
        neutral: whether outputs are called so that their names give nothing away.

    """

    decisions: Decisions
    coordinator: Coordinator
    workers: int
    database: Database
    thresholds: Mapping[str, float]
    neutral: bool = False


class Desk:
    """An album under review."""

    def __init__(
        self,
        found: Sequence[Found],
        wishes: Wishes,
        staging: Staging,
        settings: Settings,
        means: Means,
    ) -> None:
        """Put together what belongs to the album; see `start`."""
        self._staging = staging
        roster, results = Roster(means.database), Results(means.database)
        self.album = Album(found, wishes, settings, staging.photos, neutral=means.neutral)
        self.pictures = Pictures()
        self.publisher = Publisher(self.album, means.decisions, results)
        self.maker = Maker(means.coordinator, means.workers, self.album, self._made)
        self.sparing = Sparing(self.album, self.maker, staging)
        self.corrector = Corrector(self.album, self.maker, Corrections(means.database), roster)
        self.cards = Cards(self.album, roster, People(means.database, means.thresholds), results)
        self.roster = roster

    def start(self) -> None:
        """Begin to make the photos that are not made yet."""
        self._staging.save(self.album.wishes)
        self.maker.start()

    def tell_link(self, link: str) -> None:
        """Have whoever opens the album once more find its page."""
        self._staging.tell_link(link)

    @property
    def title(self) -> str:
        """What the album is called."""
        inputs = [Path(one) for one in self.album.wishes.inputs]
        return ", ".join(shown(Path(one.name)) for one in inputs[:3]) or "No album"

    @property
    def busy(self) -> bool:
        """Whether something is being written."""
        return self.publisher.progress.busy

    def accept(self, photo: Photo, what: str) -> None:
        """Have a photo published that would be held back, or hold it back after all.

        Args:
            photo: which.
            what: "as_it_is", where there is no face to cloak, or "hold"; "weak", where the cloak
                is, or "strict".

        """
        wishes, name = self.album.wishes, str(photo.source)
        photos = wishes.as_it_is if what in {"as_it_is", "hold"} else wishes.weak
        wanted = what in {"as_it_is", "weak"}
        if wanted and name not in photos:
            photos.append(name)
        elif not wanted and name in photos:
            photos.remove(name)
        self._staging.save(self.album.wishes)
        self.maker.again([photo])

    def forget(self, label: str) -> None:
        """Delete somebody's profile."""
        self.sparing.cloak(self.corrector.person(label))
        self.corrector.forget(label)

    def _made(self, photo: Photo) -> None:
        """Look whether a photo that was made is published already, and whom it shows by now."""
        self.publisher.look(photo)
        self.corrector.look(photo)
        self.sparing.look(photo, self.roster.everybody())

    def close(self) -> None:
        """End: what is not finished is given up, what is staged waits for the next time."""
        self.publisher.close()
        self.maker.close()
        self._staging.close()
