"""What keeps photos from being done although they are not to blame: all of them, or one."""

import os
from pathlib import Path

from photocloak import exporters
from photocloak.core import ExitCode, PhotocloakError, why
from photocloak.plugin.storage.database import Database
from photocloak.plugin.storage.folders import Folders, why_not_writable

SPARE = 1 << 20
"""Bytes that must be free for any photo to be done, and beside twice its size for a single one."""

EVERYBODYS_FAULT = {ExitCode.OUTPUT, ExitCode.MODEL, ExitCode.CONFIG}
"""Of a failure whose cause may be something else than the photo."""


class BlockedError(PhotocloakError):
    """Something keeps all photos from being done: they wait until it has gone."""


def why_all_wait(output: Path, folders: Folders) -> str | None:
    """Say why no photo at all could be written or recorded; None: some could."""
    for folder in (output, folders.data):
        if reason := _why_no_room(folder, SPARE):
            return reason
    try:
        with Database(folders.database).transaction():
            return None
    except PhotocloakError as error:
        return str(error)


def why_one_waits(source: Path, folder: Path) -> str | None:
    """Say why one photo cannot be placed where it belongs, others may; None: it can."""
    reason = why_not_writable(folder)
    if reason is None:
        there = next(place for place in (folder, *folder.parents) if os.path.lexists(place))
        reason = _why_no_room(there, 2 * source.stat().st_size + SPARE)
    if reason is None:
        return None
    return f"{source}: cannot be put into {folder} for now: {reason.rstrip('.')}."


def _why_no_room(folder: Path, size: int) -> str | None:
    try:
        exporters.require_room(folder, size)
    except OSError as error:
        return f"{folder}: cannot be written ({why(error)})."
    return None
