"""What a daemon is to do, from command line and settings file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from photocloak import exporters
from photocloak.core import ConfigError, OutputError
from photocloak.engine.modes import load_mode
from photocloak.plugin.settings import Settings, load_settings
from photocloak.plugin.storage.folders import Folders
from photocloak.plugin.watch.journal import Journal
from photocloak.plugin.watch.lock import is_locked
from photocloak.plugin.watch.tree import Tree


@dataclass(frozen=True)
class WatchConfig:
    """Which folders are watched, where the results go, and how they are made.

    Attributes:
        folders: resolved; none lies in another.
        output: resolved; it is there.
        settings: of the jobs.

    """

    folders: tuple[Path, ...]
    output: Path
    settings: Settings


def read_config(
    folders: Folders,
    *,
    paths: Sequence[Path] = (),
    output: Path | None = None,
    **flags: Any,
) -> WatchConfig:
    """Read the settings file; what was said on the command line comes first.

    Args:
        folders: of the user.
        paths: to watch; none: those of the settings.
        output: where the results go; None: that of the settings.
        flags: settings; None of one: that of the file.

    Raises:
        ConfigError: nothing to watch, no such folder, mode or preset, a mistake in the file.
        OutputError: the output folder cannot be made.

    """
    settings = load_settings(folders.settings).with_flags(**flags)
    watched = [*paths] or [Path(one) for one in settings.watch]
    where = output or (Path(settings.watch_output) if settings.watch_output else None)
    if not watched or where is None:
        raise ConfigError(
            f"Which folders, and where to? Say `photocloak watch FOLDER... -o DIR`, or set watch "
            f"and watch_output in {folders.settings}."
        )
    load_mode(settings.mode)
    policy = exporters.load_policy(settings.preset, folders.config / "presets")
    if settings.names == "preset":
        settings = settings.with_flags(names=policy.names)
    roots = dict.fromkeys(map(_folder, watched))
    outermost = (one for one in roots if not any(above in roots for above in one.parents))
    return WatchConfig(tuple(outermost), _made(where), settings)


def tree_of(config: WatchConfig, folders: Folders) -> Tree:
    """Return what is to be scanned: without the output folders of the daemons that live.

    Raises:
        ConfigError: a watched folder lies in an output folder, so photos would go in circles.

    """
    others = (one.output for one in Journal.of_user(folders).daemons())
    away = [config.output, *(one for one in others if is_locked(one, folders))]
    for root in config.folders:
        for one in away:
            if root.is_relative_to(one):
                raise ConfigError(
                    f"{root}: lies in {one}, where photocloak puts cloaked photos; they would go "
                    "in circles. Watch another folder, or choose another output folder."
                )
    return Tree(config.folders, exporters.suffixes(), away=away)


def _folder(path: Path) -> Path:
    found = path.expanduser().resolve()
    if not found.is_dir():
        raise ConfigError(f"{path}: there is no such folder to watch.")
    return found


def _made(path: Path) -> Path:
    output = path.expanduser().resolve()
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = f"{path}: the output folder cannot be made ({error.strerror})."
        raise OutputError(reason) from error
    return output
