"""Publishing: what was seen on the page, and nothing else, comes into the output folder."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from photocloak.core import PhotocloakError
from photocloak.plugin.pipeline.decisions import Decisions
from photocloak.plugin.pipeline.job import Job
from photocloak.plugin.review.album import Album, Photo
from photocloak.plugin.storage.results import Results

NAMED = 5
"""Photos that could not be published that are told one by one."""


@dataclass(frozen=True)
class Progress:
    """How far publishing is."""

    done: int = 0
    total: int = 0
    problems: tuple[str, ...] = ()

    @property
    def busy(self) -> bool:
        """Whether there is more to publish."""
        return self.done < self.total

    @property
    def told(self) -> list[str]:
        """What went wrong, in no more lines than one reads."""
        more = len(self.problems) - NAMED
        return [*self.problems[:NAMED], *([f"{more} more were not published."] if more > 0 else [])]


class Publisher:
    """Publishes photos in the background, one after the other.

    Each is placed as a run would place it: `Decisions.place` knows names, earlier outputs and the
    register of what photocloak made. What is published already is not written again, so that after
    a kill at any moment the same button goes on.
    """

    def __init__(self, album: Album, decisions: Decisions, results: Results) -> None:
        self._album, self._decisions, self._results = album, decisions, results
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self.progress = Progress()

    def start(self, photos: Iterable[Photo]) -> None:
        """Begin to publish these, unless publishing is under way."""
        chosen = [one for one in photos if one.ready and one.published is None]
        with self._lock:
            if self.progress.busy or not chosen:
                return
            self.progress = Progress(0, len(chosen))
        threading.Thread(target=self._run, args=(chosen,), name="publisher").start()

    def look(self, photo: Photo) -> None:
        """Note whether what is staged of a photo lies in the output folder already."""
        self._album.change(photo.number, published=self._there(photo))

    def close(self) -> None:
        """End after the photo that is being published."""
        self._ended.set()

    def _run(self, photos: list[Photo]) -> None:
        for photo in photos:
            if self._ended.is_set():
                return
            problem = self._publish(photo)
            with self._lock:
                old = self.progress
                problems = (*old.problems, problem) if problem else old.problems
                self.progress = replace(old, done=old.done + 1, problems=problems)

    def _publish(self, photo: Photo) -> str:
        """Publish one, and say why not."""
        outcome = photo.outcome
        if outcome is None or outcome.output_sha256 is None:
            return f"{photo.source}: nothing was made of it."
        try:
            done = self._decisions.place(self._job(photo), outcome.output_sha256)
        except PhotocloakError as error:
            return str(error)
        if done is None:
            return f"{photo.source}: is no longer what was seen here; look at it once more."
        self._album.change(photo.number, published=done.output)
        return ""

    def _there(self, photo: Photo) -> Path | None:
        outcome = photo.outcome
        if outcome is None or outcome.output is None:
            return None
        result = self._results.of(photo.source, self._album.output / photo.below)
        same = result is not None and result.made_sha256 == outcome.output_sha256
        return result.made if result is not None and same and result.intact else None

    def _job(self, photo: Photo) -> Job:
        return replace(self._album.job(photo), folder=self._album.output / photo.below)
