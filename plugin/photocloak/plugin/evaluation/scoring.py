"""The rows of the result: what each tracker makes of each variant of what was published."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from photocloak.engine.geometry import Array
from photocloak.engine.recognition.identification import Accuracy, Shares, lower_bound, recognise
from photocloak.plugin.evaluation.cloaks import CloakedPicture
from photocloak.plugin.evaluation.observer import Observer, Shot
from photocloak.plugin.evaluation.protocol import Identity, Picture
from photocloak.plugin.evaluation.trackers import Tracker
from photocloak.plugin.evaluation.treatments import TREATMENTS
from photocloak.plugin.pipeline.process_photo import seed_of

LEAKS = (1, 3, 5, 9)
"""Of the training photos, how many are out uncloaked as well; 0 is the variant `cloaked`."""

JUDGES = ("linear", "nearest", "verified")


@dataclass(frozen=True)
class Score:
    """One recogniser's failure to know the protected, and its success with everybody else.

    Attributes:
        protection: 1 − accuracy on the protected people's clean test photos, mean over people.
        low: lower bound of that, 95 % one-sided, by bootstrap over people.
        failed: photos (for `verified`: photos' worth) not recognised, of `tested`.
        others: accuracy on the people who were not protected.
        by_identity: protection of each protected person; None: nothing of theirs is published.

    """

    protection: float
    low: float
    failed: float
    tested: int
    others: float
    by_identity: tuple[float | None, ...]


@dataclass(frozen=True)
class Row:
    """A tracker against a variant.

    Attributes:
        mode: of the cloaks; `none`: everybody's photos are clean.
        tracker: its name.
        seen: the cloaks were computed against this very extractor.
        variant: what was published, or what happened to it.
        held: what became of photos held back: `left out`, or published `clean`.
        photos: photos of the protected that the tracker has.
        undetected: those among them, cloaked, in which its detector found no face.
        linear, nearest, verified: see `recognition`.

    """

    mode: str
    tracker: str
    seen: bool
    variant: str
    held: str
    photos: int
    undetected: int
    linear: Score
    nearest: Score
    verified: Score

    def as_json(self) -> dict[str, Any]:
        """Return the row as JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Scorer:
    """Scores one set of identities.

    Attributes:
        identities: the protected and the others.
        observer: has looked at all shots (`shots`, `clean_shots`).
        thresholds: cosine at 1 % false accepts, by tracker.

    """

    identities: Sequence[Identity]
    observer: Observer
    thresholds: Mapping[str, float]

    def clean(self, tracker: Tracker) -> Row:
        """Score a tracker that has everybody's clean photos: how good is it at all?"""
        gallery = [(i, Shot(one)) for i, who in enumerate(self.identities) for one in who.train]
        return self._row(
            tracker, gallery, self._tests(), mode="none", variant="clean", held="left out"
        )

    def rows(
        self, tracker: Tracker, mode: str, cloaks: Mapping[str, list[CloakedPicture]]
    ) -> list[Row]:
        """Score all variants of a mode's cloaks, {name of the protected: their photos}."""
        held = any(one.written is None for photos in cloaks.values() for one in photos)
        count = len(next(iter(cloaks.values())))
        rows = []
        for published in (False, True) if held else (False,):
            cloaked = partial(self._gallery, cloaks, published=published)
            row = partial(self._row, tracker, mode=mode, held="clean" if published else "left out")
            for treatment in TREATMENTS:
                rows.append(row(list(cloaked(treatment)), self._tests(), variant=treatment))
            for leaks in (leaks for leaks in LEAKS if leaks < count):
                gallery = list(cloaked("cloaked", leaks=leaks))
                name = f"{leaks} of {count} clean"
                rows.append(row(gallery, self._tests(), variant=name))
            rows.append(row(self._tests(), list(cloaked("cloaked")), variant="sides swapped"))
        return rows

    def _tests(self) -> list[tuple[int, Shot]]:
        return [(i, Shot(one)) for i, who in enumerate(self.identities) for one in who.test]

    def _gallery(
        self,
        cloaks: Mapping[str, list[CloakedPicture]],
        treatment: str,
        *,
        published: bool,
        leaks: int = 0,
    ) -> Iterator[tuple[int, Shot]]:
        """Yield what a stranger finds: cloaked photos of the protected, clean ones of the rest."""
        for number, who in enumerate(self.identities):
            if not who.protected:
                yield from ((number, Shot(one)) for one in who.train)
                continue
            clean = leaked(who, leaks)
            for one in cloaks[who.name]:
                if one.clean in clean:
                    yield number, Shot(one.clean)
                elif (shot := shot_of(one, treatment, published=published)) is not None:
                    yield number, shot

    def _row(
        self,
        tracker: Tracker,
        gallery: Sequence[tuple[int, Shot]],
        probes: Sequence[tuple[int, Shot]],
        *,
        mode: str,
        variant: str,
        held: str,
    ) -> Row:
        accuracy = recognise(
            *self._features(gallery, tracker),
            *self._features(probes, tracker),
            threshold=self.thresholds[tracker.name],
            identities=len(self.identities),
        )
        protected = [number for number, who in enumerate(self.identities) if who.protected]
        mine = [shot for number, shot in {*gallery, *probes} if number in protected]
        unseen = [one for one in mine if (seen := self.observer.seen(one)) and not seen.detected]
        return Row(
            mode=mode,
            tracker=tracker.name,
            seen=tracker.seen,
            variant=variant,
            held=held,
            photos=sum(number in protected for number, _ in gallery),
            undetected=len(unseen),
            **{judge: self._score(accuracy, judge) for judge in JUDGES},
        )

    def _features(self, shots: Sequence[tuple[int, Shot]], tracker: Tracker) -> tuple[Array, Any]:
        rows = [self.observer.features(shot, tracker) for _, shot in shots]
        return np.stack(rows), np.array([number for number, _ in shots], np.int64)

    def _score(self, accuracy: Accuracy, judge: str) -> Score:
        shares: Shares = getattr(accuracy, judge)
        mine = np.array([who.protected for who in self.identities])
        protection, known = 1 - shares[mine], ~np.isnan(shares[mine])
        tested = accuracy.tested[mine][known]
        return Score(
            protection=float(protection[known].mean()) if known.any() else float("nan"),
            low=lower_bound(protection),
            failed=round(float((protection[known] * tested).sum()), 3),
            tested=int(tested.sum()),
            others=float(np.nanmean(shares[~mine])),
            by_identity=tuple(
                None if np.isnan(one) else round(float(one), 4) for one in protection
            ),
        )


def shot_of(one: CloakedPicture, treatment: str, *, published: bool) -> Shot | None:
    """Return a training photo as it is published; None: it was held back, and is left out."""
    if one.written is not None:
        return Shot(one.written, treatment, one.clean)
    if not published:
        return None
    return Shot(one.clean) if treatment == "cloaked" else Shot(one.clean, treatment, one.clean)


def leaked(who: Identity, count: int) -> set[Picture]:
    """Return the photos that are out uncloaked: always the same ones, and more of them for more."""
    order = np.random.default_rng(seed_of("leaks", who.name)).permutation(len(who.train))
    return {who.train[i] for i in order[:count]}


def shots_of(photos: Sequence[CloakedPicture]) -> Iterator[Shot]:
    """Yield everything of these that a row needs."""
    for one in photos:
        for treatment in TREATMENTS:
            shot = shot_of(one, treatment, published=True)
            if shot is not None:
                yield shot
