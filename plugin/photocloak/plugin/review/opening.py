"""From what the command was given to an album under review."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from photocloak import exporters
from photocloak.core import ConfigError
from photocloak.plugin.assembly import Recipe, calls_neutrally, open_decisions, specs
from photocloak.plugin.executors.threads import WorkerThreads, at_once
from photocloak.plugin.pipeline.coordinator import Coordinator
from photocloak.plugin.review import staging
from photocloak.plugin.review.desk import Desk, Means
from photocloak.plugin.review.staging import Staging, Wishes
from photocloak.plugin.settings import Settings, load_settings
from photocloak.plugin.storage.database import Database
from photocloak.plugin.storage.folders import Folders
from photocloak.plugin.storage.inputs import require_photos


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
        output: the folder to publish to, where there are inputs.
        folders: of the user.
        mode: instead of that of the settings, or of the last time.
        preset: likewise; without either, what is meant for publishing.

    Raises:
        ConfigError: there was no last time, another process has the album, or it cannot be done
            like this.
        InputError: there are no photos.

    """
    staging.sweep(folders)
    settings = load_settings(folders.settings)
    settings = settings.with_flags(mode=mode, preset=preset or settings.preset_to_publish)
    if inputs and output is not None:
        place = Staging.of(folders, inputs, output)
        wishes = staging.wishes_of(inputs, output, settings, place.load())
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
            "No album was opened before; name one, and where it is to be published: "
            "`photocloak review FOLDER -o FOLDER`."
        )
    return place, wishes


def _desk(place: Staging, wishes: Wishes, settings: Settings, folders: Folders) -> Desk:
    inputs = [Path(one) for one in wishes.inputs]
    found = require_photos(inputs, exporters.suffixes(), output=Path(wishes.output)).photos
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
