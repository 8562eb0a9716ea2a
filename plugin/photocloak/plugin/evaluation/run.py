"""One evaluation from end to end; everything that was computed before is taken from the cache."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from photocloak import exporters
from photocloak.core import ConfigError
from photocloak.engine.detection.faces import Face
from photocloak.engine.modes import load_mode
from photocloak.engine.recognition.ensemble import cosine
from photocloak.engine.recognition.identification import false_accept_threshold
from photocloak.plugin.evaluation.cache import Cache, fingerprint
from photocloak.plugin.evaluation.cloaks import CloakedPicture, Product, load_product
from photocloak.plugin.evaluation.observer import Observer, Shot
from photocloak.plugin.evaluation.protocol import (
    TEST,
    TRAIN,
    Identity,
    Subject,
    Third,
    divide,
    folders_of,
    pictures_of,
)
from photocloak.plugin.evaluation.scoring import Row, Scorer, shots_of
from photocloak.plugin.evaluation.trackers import (
    Tracker,
    TrackerSpec,
    read_trackers,
    shipped_tracker,
)
from photocloak.plugin.evaluation.version import code_version
from photocloak.plugin.evaluation.visibility import Change, change, flip_version
from photocloak.plugin.pipeline.process_photo import Engine
from photocloak.plugin.progress import make_progress, say
from photocloak.plugin.settings import Settings
from photocloak.plugin.storage.folders import Folders

CROWD_PHOTOS = 2
"""Photos of each person of the crowd: enough pairs of different people."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """What is to be measured.

    Attributes:
        data: a folder with a sub-folder a person.
        modes: whose cloaks.
        thirds: of the people.
        protected: how many of them; None: 10, or half of fewer than 20.
        leave_out: extractors that play strangers instead of serving the cloaks.
        trackers: folder with strangers' models; None: only the shipped extractors.
        descriptions: of those models; None: beside them.
        crowd: other people again, to set thresholds that a tracker does not state.
        train: photos of each person that a stranger trains on; test: that are to be named.

    """

    data: Path
    modes: tuple[str, ...] = ("balanced",)
    thirds: tuple[Third, ...] = ("development",)
    protected: int | None = None
    leave_out: tuple[str, ...] = ()
    trackers: Path | None = None
    descriptions: Path | None = None
    crowd: Path | None = None
    train: int = TRAIN
    test: int = TEST

    def strangers(self) -> list[TrackerSpec]:
        """Return the descriptions of the strangers' models."""
        if self.trackers is None:
            return []
        return read_trackers(self.trackers, self.descriptions or self.trackers)


@dataclass(frozen=True)
class ModeResult:
    """What one mode's cloaks came to.

    Attributes:
        name: of the mode.
        cloaks: photos by protected person.
        changes: of their faces.
        accepting: of each written photo the trackers that take its face for the clean one's.

    """

    name: str
    cloaks: Mapping[str, list[CloakedPicture]]
    changes: Sequence[tuple[CloakedPicture, Change]]
    accepting: Sequence[Sequence[str]] = ()

    @property
    def photos(self) -> list[CloakedPicture]:
        """All photos that were to be cloaked."""
        return [one for photos in self.cloaks.values() for one in photos]

    @property
    def held(self) -> list[CloakedPicture]:
        """The photos held back."""
        return [one for one in self.photos if one.written is None]

    @property
    def seconds_per_face(self) -> float:
        """Return the product's whole time, from reading to writing, by faces cloaked."""
        faces = sum(one.faces for one in self.photos)
        return sum(one.seconds for one in self.photos) / max(faces, 1)


@dataclass(frozen=True)
class Evaluation:
    """Everything that was measured."""

    plan: Experiment
    identities: Sequence[Identity]
    trackers: Sequence[Tracker]
    thresholds: Mapping[str, float]
    rows: Sequence[Row]
    modes: Sequence[ModeResult]
    observer: Observer


def evaluate(plan: Experiment, cache: Cache, folders: Folders, settings: Settings) -> Evaluation:
    """Measure what the plan says.

    Raises:
        ConfigError: no such mode, extractor or folder, too few people, a photo that cannot be read.
        ModelError: a model is missing or damaged.

    """
    for mode in plan.modes:
        load_mode(mode)
    strangers = plan.strangers()
    engine, product = load_product(cache, plan.leave_out, folders, settings)
    trackers = _trackers(engine, plan.leave_out, strangers)
    observer = Observer(cache, engine.detector, trackers)
    identities = _identities(plan, observer)
    thresholds = _thresholds(plan, trackers, observer)
    scorer = Scorer(identities, observer, thresholds)
    rows = [scorer.clean(tracker) for tracker in trackers]
    modes = []
    for mode in plan.modes:
        cloaks = _cloak(product, identities, mode)
        observer.observe(
            (shot for photos in cloaks.values() for shot in shots_of(photos)), what=f"{mode} photos"
        )
        changes = _changes(cache, observer, cloaks)
        accepting = _accepting(cloaks, trackers, thresholds, observer)
        modes.append(ModeResult(mode, cloaks, changes, accepting))
        for tracker in trackers:
            rows += scorer.rows(tracker, mode, cloaks)
    return Evaluation(plan, identities, trackers, thresholds, rows, modes, observer)


def _trackers(
    engine: Engine, leave_out: Sequence[str], strangers: Sequence[TrackerSpec]
) -> list[Tracker]:
    own = [
        shipped_tracker(one, seen=name not in leave_out)
        for name, one in engine.ensemble.extractors.items()
    ]
    trackers = own + [one.tracker() for one in strangers]
    if len({one.name for one in trackers}) < len(trackers):
        raise ConfigError("Two trackers have one name; give one of them another `name`.")
    return trackers


def _identities(plan: Experiment, observer: Observer) -> list[Identity]:
    """Look at every photo of the thirds, and divide those that show a face."""
    folders = {folder.name: pictures_of(folder) for folder in folders_of(plan.data, plan.thirds)}
    observer.observe(
        (Shot(one) for photos in folders.values() for one in photos), what="clean photos"
    )
    people = [
        Subject(name, tuple(one for one in photos if observer.seen(Shot(one)) is not None))
        for name, photos in folders.items()
    ]
    return divide(people, protected=plan.protected, train=plan.train, test=plan.test)


def _thresholds(
    plan: Experiment, trackers: Sequence[Tracker], observer: Observer
) -> dict[str, float]:
    """Return the trackers' thresholds; those that state none are set on the crowd."""
    unknown = [one for one in trackers if one.threshold is None]
    known = {one.name: one.threshold for one in trackers if one.threshold is not None}
    if not unknown:
        return known
    if plan.crowd is None:
        raise ConfigError(
            f"The trackers {', '.join(one.name for one in unknown)} state no `threshold`; name a "
            "folder of other people's photos with --crowd to measure it on."
        )
    people = [pictures_of(path)[:CROWD_PHOTOS] for path in sorted(plan.crowd.iterdir())]
    shots = [(number, Shot(one)) for number, photos in enumerate(people) for one in photos]
    observer.observe((shot for _, shot in shots), what="the crowd's photos")
    shots = [(number, shot) for number, shot in shots if observer.seen(shot) is not None]
    names = np.array([number for number, _ in shots])
    for tracker in unknown:
        features = np.stack([observer.features(shot, tracker) for _, shot in shots])
        known[tracker.name] = false_accept_threshold(features, names)
    return known


def _cloak(
    product: Product, identities: Sequence[Identity], mode: str
) -> dict[str, list[CloakedPicture]]:
    protected = [who for who in identities if who.protected]
    pending = [one.path for who in protected for one in product.pending(who, mode)]
    total = sum(len(who.train) for who in protected)
    say(f"{mode}: {total} photos to cloak, {total - len(pending)} of them done before")
    show = make_progress("auto", pending)
    try:
        return {who.name: product.cloak(who, mode, show) for who in protected}
    finally:
        show.close()


def _accepting(
    cloaks: Mapping[str, list[CloakedPicture]],
    trackers: Sequence[Tracker],
    thresholds: Mapping[str, float],
    observer: Observer,
) -> list[list[str]]:
    """Tell of each written photo which trackers still find its clean face in it."""
    found = []
    for one in (one for photos in cloaks.values() for one in photos):
        if one.written is None:
            continue
        clean, written = Shot(one.clean), Shot(one.written, clean=one.clean)
        found.append(
            [
                tracker.name
                for tracker in trackers
                if cosine(observer.features(clean, tracker), observer.features(written, tracker))
                >= thresholds[tracker.name]
            ]
        )
    return found


def _changes(
    cache: Cache, observer: Observer, cloaks: Mapping[str, list[CloakedPicture]]
) -> list[tuple[CloakedPicture, Change]]:
    changes = []
    for one in (one for photos in cloaks.values() for one in photos):
        seen = observer.seen(Shot(one.clean))
        found = None if seen is None else _measured(cache, one, seen.face)
        if found is not None:
            changes.append((one, found))
    return changes


def _measured(cache: Cache, cloaked: CloakedPicture, face: Face) -> Change | None:
    """Return what the cloak did to the identity's face in a written photo; None: held back."""
    if cloaked.written is None:
        return None
    code = code_version(change.__module__)
    key = (
        f"change/{fingerprint(code, cloaked.clean.sha256, cloaked.written.sha256, flip_version())}"
    )
    values = cache.get(key)
    if values is None:
        before = exporters.read(cloaked.clean.path).pixels
        after = exporters.read(cloaked.written.path).pixels
        values = np.array(list(asdict(change(before, after, face)).values()), np.float32)
        cache.put(key, values)
        cache.commit()
    return Change(*map(float, values))
