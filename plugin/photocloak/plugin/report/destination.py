"""Where a report may lie: it holds clean faces, so nowhere that is published or synced."""

import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from photocloak.core import ConfigError, OutputError
from photocloak.plugin.report.page import TITLE
from photocloak.plugin.report.records import PhotoRecord
from photocloak.plugin.settings import Settings
from photocloak.plugin.storage.folders import Folders, make_private
from photocloak.plugin.watch.journal import Journal


def default_file(folders: Folders) -> Path:
    """Return where the report goes: one file, so that no old ones with faces lie around."""
    return folders.data / "reports" / "report.html"


def forbidden(rows: Sequence[PhotoRecord], settings: Settings, journal: Journal) -> set[Path]:
    """Return the folders that are watched or that photos are written to."""
    named = [*settings.watch, *filter(None, [settings.watch_output])]
    folders = {Path(one).expanduser() for one in named} | output_folders(rows)
    for daemon in journal.daemons() if journal.exists() else ():
        folders |= {daemon.output, *map(Path, daemon.folders)}
    return folders


def output_folders(rows: Iterable[PhotoRecord]) -> set[Path]:
    """Return the folders that the photos were written to.

    An input folder's sub-folders are mirrored in the output folder; the names at the end that
    both paths have in common are taken for such.
    """
    places = {
        (row.source.resolve().parent, row.output.resolve().parent) for row in rows if row.output
    }
    roots = set()
    for source, output in places:
        inside, root = source, output
        while root.name and root.name == inside.name and root != inside:
            inside, root = inside.parent, root.parent
        roots.add(root)
    return roots


def check_place(path: Path, folders: Iterable[Path]) -> None:
    """Refuse a report inside of a folder whose files are published or cloaked.

    Raises:
        ConfigError: it would lie in one, or over a file that is no report.

    """
    real = path.parent.resolve() / path.name
    for folder in folders:
        if real.is_relative_to(folder.resolve()):
            raise ConfigError(
                f"{path}: a report holds clean faces and may not lie in {folder}, a watched or "
                "output folder; write it elsewhere (-o FILE)."
            )
    if path.is_dir():
        raise ConfigError(f"{path}: is a folder; name a file for the report.")
    if os.path.lexists(path) and not _is_report(path):
        raise ConfigError(f"{path}: is another file already; choose another name (-o FILE).")


def write_private(path: Path, data: bytes, folders: Folders) -> None:
    """Write a file that you alone can read, whole or not at all; it takes an earlier one's place.

    Raises:
        OutputError: it cannot be written.

    """
    if path.is_relative_to(folders.data):
        make_private(folders.data)
        make_private(path.parent)
    try:
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=".photocloak-report-", delete=False
        ) as file:
            try:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise OutputError(
            f"{path}: the report cannot be written ({error.strerror}); nothing was left there."
        ) from error


def _is_report(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return f"<title>{TITLE}".encode() in file.read(4096)
    except OSError:
        return False
