"""From what the command was given to an album under review."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from photocloak import exporters
from photocloak.core import ConfigError
from photocloak.plugin.assembly import Recipe, calls_neutrally, open_decisions, specs
from photocloak.plugin.beside import groups
from photocloak.plugin.executors.threads import WorkerThreads, at_once
from photocloak.plugin.pipeline.coordinator import Coordinator
from photocloak.plugin.review import staging
from photocloak.plugin.review.desk import Desk, Means
from photocloak.plugin.review.staging import Staging, Wishes
from photocloak.plugin.settings import Settings, load_settings
from photocloak.plugin.storage.database import Database
from photocloak.plugin.storage.folders import Folders
from photocloak.plugin.storage.inputs import Found, find_photos, require_photos


def open_album(
    inputs: Sequence[Path],
    output: Path | None,
    folders: Folders,
    *,
    mode: str | None = None,
    preset: str | None = None,
) -> Desk:
    """Open an album, and begin to make what is not made yet.

    Args:
        inputs: photos and folders; none means the album that was opened last.
        output: the folder to publish to, where there are inputs; None: beside the photos, where the
            setting `beside` says.
        folders: of the user.
        mode: instead of that of the settings, or of the last time.
        preset: likewise; without either, what is meant for publishing.

    Raises:
        OpenElsewhereError: another process has the album.
        ConfigError: there was no last time, or it cannot be done like this.
        InputError: there are no photos.

    """
    staging.sweep(folders)
    settings = load_settings(folders.settings)
    settings = settings.with_flags(mode=mode, preset=preset or settings.preset_to_publish)
    if inputs:
        beside = settings.beside if output is None else ""
        top = _above(groups(inputs, beside)) if output is None else output
        place = Staging.of(folders, inputs, top)
        wishes = staging.wishes_of(inputs, top, settings, place.load(), beside=beside)
    else:
        place, wishes = _last(folders)
        wishes.mode, wishes.preset = mode or wishes.mode, preset or wishes.preset
    try:
        return _desk(place, wishes, settings, folders)
    except BaseException:
        place.close()
        raise


def _last(folders: Folders) -> tuple[Staging, Wishes]:
    place = Staging.latest(folders)
    wishes = None if place is None else place.load()
    if place is None or wishes is None:
        raise ConfigError(
            "No album was opened before; name one: `photocloak review FOLDER`, with `-o FOLDER` if "
            "it is to be published elsewhere than beside the photos."
        )
    return place, wishes


def _above(places: Iterable[Path]) -> Path:
    """Return the folder that all of these are, or are below."""
    return Path(os.path.commonpath(list(places)))


def _photos(wishes: Wishes) -> list[Found]:
    """Return the photos, and where below the output folder each is published."""
    inputs, output = [Path(one) for one in wishes.inputs], Path(wishes.output)
    if not wishes.beside:
        return require_photos(inputs, exporters.suffixes(), output=output).photos
    found: dict[str, Found] = {}
    for place, some in groups(inputs, wishes.beside).items():
        for one in find_photos(some, exporters.suffixes(), output=place):
            below = place.relative_to(output) / one.below
            found.setdefault(os.path.realpath(one.source), Found(one.source, below))
    return list(found.values()) or require_photos(inputs, exporters.suffixes()).photos


def _desk(place: Staging, wishes: Wishes, settings: Settings, folders: Folders) -> Desk:
    found = _photos(wishes)
    decisions, workers = open_decisions(folders), at_once()
    make = cache(Recipe(settings, folders))
    coordinator = Coordinator(decisions, WorkerThreads(make, workers))
    thresholds = {name: one.threshold for name, one in specs(folders).items()}
    neutral = calls_neutrally(replace(settings, preset=wishes.preset), folders)
    database = Database(folders.database)
    means = Means(decisions, coordinator, workers, database, thresholds, neutral)
    desk = Desk(found, wishes, place, settings, means)
    decisions.check(desk.album.job(desk.album.photos[0]))
    desk.start()
    return desk
