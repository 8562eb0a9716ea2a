"""Has the photos of an album made in the background: corrected ones first, the others in order."""

import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import replace

from photocloak.core import PhotocloakError
from photocloak.plugin.pace import Pace
from photocloak.plugin.pipeline.coordinator import Coordinator
from photocloak.plugin.pipeline.job import Outcome
from photocloak.plugin.pipeline.messages import Event
from photocloak.plugin.pipeline.pipeline import PIECE
from photocloak.plugin.review.album import Album, Photo

Done = Callable[[Photo], None]
"""Hears of a photo of which something came."""


class Maker:
    """A thread that submits photos, no more at once than there are workers.

    So a correction does not wait for the rest of a long album.
    """

    def __init__(self, coordinator: Coordinator, workers: int, album: Album, done: Done) -> None:
        self._coordinator, self._workers = coordinator, workers
        self._album, self._done = album, done
        self._queue = deque(one.number for one in album.photos)
        self._in_hand: set[int] = set()
        self._stale: set[int] = set()
        self._looked: tuple[int, int] | None = None
        self._pace = Pace([one.source for one in album.photos])
        self._news = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._work, name="maker", daemon=True)

    def start(self) -> None:
        """Begin with all photos of the album."""
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Whether there is anything left to make."""
        with self._news:
            return bool(self._queue or self._in_hand)

    @property
    def looked(self) -> tuple[int, int] | None:
        """How many photos were looked at, of how many; None: it is known who is who."""
        return self._looked

    @property
    def left(self) -> float | None:
        """Seconds until all is made; None: too little was measured, or nothing is to be made."""
        with self._news:
            return self._pace.left() if self._queue or self._in_hand else None

    def again(self, photos: Iterable[Photo]) -> None:
        """Make photos once more, before all others."""
        with self._news:
            for one in photos:
                self._album.change(one.number, waits=True, step="", share=0.0)
                self._pace.again(one.source)
                if one.number in self._queue:
                    self._queue.remove(one.number)
                if one.number in self._in_hand:
                    self._stale.add(one.number)
                self._queue.appendleft(one.number)
            self._news.notify_all()

    def close(self) -> None:
        """End; what is not finished is given up."""
        with self._news:
            self._ended = True
            self._news.notify_all()
        self._coordinator.close(wait=False)

    def _work(self) -> None:
        numbers = list(self._queue)
        for first in range(0, len(numbers), PIECE):
            self._meet(numbers[first : first + PIECE])
        while (number := self._next()) is not None:
            self._begin(number)

    def _meet(self, numbers: list[int]) -> None:
        """Have all looked at before the first is cloaked, so that it is known who is who."""
        photos = [self._album.photo(number) for number in numbers]
        jobs = [self._album.job(one) for one in photos if one is not None]
        self._looked = 0, len(jobs)
        with suppress(CancelledError, RuntimeError):  # it was closed
            self._coordinator.meet(jobs, self._tell).result()
        self._looked = None

    def _next(self) -> int | None:
        """Return the next photo as soon as there is one and room for it; None: it is the end."""
        with self._news:
            while not self._ended:
                if len(self._in_hand) < self._workers:
                    for number in self._queue:
                        if number not in self._in_hand:
                            self._queue.remove(number)
                            self._in_hand.add(number)
                            return number
                self._news.wait()
        return None

    def _begin(self, number: int) -> None:
        photo = self._album.change(number, step="looking", share=0.0)
        with self._news:
            # Begun before it was corrected last, it would be taken for what it was to be.
            redo = number in self._stale
            self._stale.discard(number)
        job = replace(self._album.job(photo), redo=redo)
        try:
            future = self._coordinator.submit(job, self._tell)
        except RuntimeError:  # it was closed
            return
        future.add_done_callback(lambda one: self._end(number, one))

    def _tell(self, event: Event) -> None:
        """Show how far a photo is."""
        with self._news:
            self._pace.event(event)
        if event.job is None:
            return
        photo = self._album.of(event.job.source)
        if event.what == "begun":
            self._album.change(photo.number, step="cloaking")
        elif event.what == "step" and event.total:
            share = event.done / event.total
            if share - photo.share >= 0.04 or share < photo.share:  # a page asks once a second
                self._album.change(photo.number, share=share)
        elif event.what == "looked" and self._looked is not None:
            done, total = self._looked
            self._looked = done + 1, total

    def _end(self, number: int, future: "Future[Outcome]") -> None:
        """Note what came of a photo, unless it is to be made once more already."""
        try:
            outcome = future.result()
        except (CancelledError, PhotocloakError) as error:
            if isinstance(error, PhotocloakError):
                self._album.fail(str(error))
            outcome = None
        with self._news:
            if outcome is not None and number not in self._queue:
                self._pace.end(outcome)
            self._in_hand.discard(number)
            waits = number in self._queue
            photo = self._album.change(
                number, outcome=outcome, waits=waits or outcome is None, step="", share=0.0
            )
            self._news.notify_all()
        if outcome is not None:
            self._done(photo)
