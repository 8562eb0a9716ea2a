"""A plugin for sigal (https://sigal.readthedocs.io): its galleries show cloaked photos alone.

In sigal.conf.py:

    from photocloak.plugin.sigal import PLUGIN

    plugins = [PLUGIN]

sigal only logs what goes wrong with a plugin, and goes on with the photos as they are; that import
ends it where photocloak is missing, and here everything that goes wrong ends it too. The album is
cloaked into a folder of its own, and sigal is given that folder for its source: thumbnails, titles
and metadata can come from cloaked files only, and a file is published as it was verified, because
sigal copies it (`use_orig`) instead of making another one. What is held back is not there.
"""

import glob
import json
import logging
import os
import shutil
import subprocess
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from photocloak.core import ExitCode
from photocloak.plugin.bridges.base import program

PLUGIN = "photocloak.plugin.sigal"

HELD_BACK = {
    ExitCode.OK,
    ExitCode.INPUT,
    ExitCode.NO_FACE,
    ExitCode.OUTPUT,
    ExitCode.TOO_WEAK,
    ExitCode.SOME_FAILED,
}
"""Of a run that looked at all photos; those that are not done have no output."""

RECORD = ".photocloak-sigal.json"
"""In the folder of cloaked photos: which of them each gallery shows, by SHA-256."""

_LOG = logging.getLogger("sigal.photocloak")  # for which sigal has a handler

Shown = dict[str, str]
"""Photos by their path below the album: SHA-256 of the cloaked file."""


def register(settings: dict[str, Any]) -> None:
    """Cloak the album, and have sigal take the cloaked photos for its source.

    Args:
        settings: sigal's; `photocloak_preset` (web), `photocloak_mode` and `photocloak_folder`
            (beside the album) are ours.

    Raises:
        SystemExit: anything went wrong: nothing is published.

    """
    try:
        _register(settings)
    except Exception as error:  # sigal would go on with the clean photos
        raise SystemExit(f"photocloak: {error} Nothing was published.") from error


def command() -> list[str]:
    """Return what runs photocloak."""
    return [str(program())]


def _register(settings: dict[str, Any]) -> None:
    source, destination = (Path(settings[one]).resolve() for one in ("source", "destination"))
    beside = source.with_name(f"{source.name}-cloaked")
    folder = Path(settings.get("photocloak_folder") or beside).resolve()
    _require_own(folder)
    before = _before(folder, destination)
    shown = _cloaked(source, folder, settings)
    for path, made in before.items():
        if shown.get(path) != made:
            _take_out(destination, Path(path), settings)
    _write_record(folder, destination, shown)
    pictures = {*settings["img_extensions"], *settings["video_extensions"]}
    _bring_texts(source, folder)
    _bring_files(source, folder, settings, shown, pictures)
    stale = [
        one for one in _files(folder) if one.suffix.lower() in pictures and str(one) not in shown
    ]
    # As sigal joins them: what lies in the album itself has a dot for its folder.
    ignored = [glob.escape(os.path.join(str(one.parent), one.name)) for one in stale]  # noqa: PTH118
    settings["ignore_files"] = [*settings["ignore_files"], *ignored]
    settings["title"] = settings["title"] or source.name
    settings |= {"source": str(folder), "use_orig": True, "img_format": None}
    videos = {one.lower() for one in settings["video_extensions"]}
    if left := sum(one.suffix.lower() in videos for one in _files(source)):
        _LOG.warning("%d videos are left out: photocloak does not cloak videos", left)


def _cloaked(source: Path, folder: Path, settings: Mapping[str, Any]) -> Shown:
    """Cloak the album, and return what may be shown."""
    words = [*command(), "cloak", str(source), "-o", str(folder), "--json", "-q"]
    words += ["--preset", str(settings.get("photocloak_preset", "web"))]
    if mode := settings.get("photocloak_mode"):
        words += ["--mode", str(mode)]
    run = subprocess.run(words, check=False, stdout=subprocess.PIPE, text=True)
    told = run.stdout.splitlines()
    if run.returncode not in HELD_BACK or (run.returncode and not told):
        raise RuntimeError(f"the album could not be cloaked (exit code {run.returncode}).")
    shown: Shown = {}
    for outcome in map(json.loads, told):
        if outcome["output"] is None:
            _LOG.warning("not published: %s", outcome["reason"] or outcome["source"])
            continue
        made = Path(outcome["directory"], outcome["output"])
        shown[str(made.relative_to(folder))] = outcome["output_sha256"]
    return shown


def _require_own(folder: Path) -> None:
    """Make the folder of cloaked photos; RuntimeError: it holds what may be somebody's."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / RECORD).exists():
        return
    if any(folder.iterdir()):
        raise RuntimeError(
            f"{folder}: is not empty, and was not made by this plugin; choose another with "
            "photocloak_folder."
        )
    (folder / RECORD).write_text("{}", "utf-8")


def _before(folder: Path, destination: Path) -> Shown:
    """Return what a gallery shows; RuntimeError: it may show photos that are not cloaked."""
    found: Shown | None = _record(folder).get(str(destination))
    if found is None and destination.is_dir() and any(destination.iterdir()):
        raise RuntimeError(
            f"{destination}: may hold photos that are not cloaked, since it was not built with "
            "this plugin; delete it, and build again."
        )
    return found or {}


def _record(folder: Path) -> dict[str, Shown]:
    found: dict[str, Shown] = json.loads((folder / RECORD).read_text("utf-8"))
    return found


def _write_record(folder: Path, destination: Path, shown: Shown) -> None:
    """Write down what a gallery is about to show; it is there whole, or as it was."""
    record = _record(folder) | {str(destination): shown}
    new = folder / f"{RECORD}.new"
    new.write_text(json.dumps(record, indent=1), "utf-8")
    new.replace(folder / RECORD)


def _take_out(destination: Path, photo: Path, settings: Mapping[str, Any]) -> None:
    """Remove from a gallery what sigal made of a photo; it makes anew what is still shown."""
    thumb = f"{settings['thumb_prefix']}{photo.stem}{settings['thumb_suffix']}{photo.suffix}"
    for path in (
        photo,
        photo.parent / settings["thumb_dir"] / thumb,
        photo.parent / settings["orig_dir"] / photo.name,
    ):
        (destination / path).unlink(missing_ok=True)


def _bring_texts(source: Path, folder: Path) -> None:
    """Have titles and descriptions beside the cloaked photos as they are beside the photos."""
    texts = {one for one in _files(source) if one.suffix == ".md"}
    for text in (one for one in _files(folder) if one.suffix == ".md"):
        if text not in texts:
            (folder / text).unlink()
    for text in texts:
        _copy(source / text, folder / text)


def _bring_files(
    source: Path,
    folder: Path,
    settings: dict[str, Any],
    shown: Shown,
    pictures: Collection[str],
) -> None:
    """Bring what sigal shall copy besides; a picture only where it is cloaked."""
    kept = []
    for name, target in settings["files_to_copy"]:
        plain = Path(name).suffix.lower() not in pictures and (source / name).is_file()
        if plain:
            _copy(source / name, folder / name)
        if plain or os.path.normpath(name) in shown:
            kept.append((name, target))
        else:
            _LOG.warning("not published: %s", name)
    settings["files_to_copy"] = kept


def _copy(text: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(text, to)


def _files(folder: Path) -> Iterator[Path]:
    """Give the files below a folder, links to folders included, as sigal does."""
    for path, _, names in os.walk(folder, followlinks=True):
        for name in names:
            yield Path(path, name).relative_to(folder)
