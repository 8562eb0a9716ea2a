"""How far a run is, and how long the rest will take, from measured seconds a face."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from photocloak.plugin.pipeline.job import Outcome
from photocloak.plugin.pipeline.messages import Event

LOOKING = 0.1
"""Share of a photo's part of the bar that belongs to looking at it."""

BELIEVED = 0.5
"""Faces done from which a time is told."""


@dataclass
class _Photo:
    """How far a photo is: `share` of its cloak, `faces` once it was looked at."""

    faces: int | None = None
    share: float = 0.0
    over: bool = False

    @property
    def position(self) -> float:
        seen = LOOKING if self.faces is not None else 0.0
        return 1.0 if self.over else seen + (1 - LOOKING) * self.share


class Pace:
    """Hears what a run hears, and reckons."""

    def __init__(
        self, sources: Sequence[Path], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`sources` are the photos of the run."""
        self._photos = {source: _Photo() for source in sources}
        self._clock = clock
        self._since: float | None = None
        self._cloaking: set[Path] = set()

    def event(self, event: Event) -> None:
        """Take note of what happened; a photo that others do not know of counts as well."""
        if event.job is None:
            return
        photo = self._photos.setdefault(event.job.source, _Photo())
        if event.what == "looked":
            photo.faces = event.done
        elif event.what == "begun":
            photo.faces = event.done
            self._cloaking.add(event.job.source)
            self._since = self._clock() if self._since is None else self._since
        elif event.what == "step" and event.total:
            photo.share = max(photo.share, event.done / event.total)

    def again(self, source: Path) -> None:
        """Take note of a photo that is to be made once more; after a rest time counts anew."""
        if all(one.over for one in self._photos.values()):
            self._since = None
            self._cloaking.clear()
        photo = self._photos.setdefault(source, _Photo())
        photo.over, photo.share = False, 0.0
        self._cloaking.discard(source)

    def end(self, outcome: Outcome) -> None:
        """Take note of a photo that is done."""
        self._photos.setdefault(outcome.source, _Photo()).over = True

    @property
    def detections(self) -> int:
        """How many photos were looked at, or are over."""
        return sum(one.over or one.faces is not None for one in self._photos.values())

    @property
    def over(self) -> int:
        """How many photos are over."""
        return sum(one.over for one in self._photos.values())

    @property
    def looking(self) -> bool:
        """Whether the photos in hand are looked at, not cloaked."""
        return not any(not self._photos[one].over for one in self._cloaking)

    @property
    def position(self) -> float:
        """How far the run is, 0 to 1; never less than before."""
        photos = self._photos.values()
        return sum(one.position for one in photos) / max(len(photos), 1)

    def left(self) -> float | None:
        """Return the seconds to go; None: too little was measured."""
        cloaked = [self._photos[source] for source in self._cloaking]
        done = sum((one.faces or 0) * (1.0 if one.over else one.share) for one in cloaked)
        if self._since is None or done < BELIEVED:
            return None
        known = [one.faces for one in self._photos.values() if one.faces is not None]
        mean = sum(known) / len(known)
        to_do = sum(
            (mean if one.faces is None else one.faces) * (1 - one.share)
            for one in self._photos.values()
            if not one.over
        )
        return to_do * (self._clock() - self._since) / done
