"""What keeps all photos from being done, so that none is to blame."""

import os
import tempfile
from pathlib import Path

from photocloak.core import ExitCode, OutputError, PhotocloakError
from photocloak.plugin.database import Database
from photocloak.plugin.folders import Folders

SPARE = 1 << 20
"""Bytes that must be free beside twice the photo's size, for a failure to be the photo's fault."""

EVERYBODYS_FAULT = {ExitCode.OUTPUT, ExitCode.MODEL, ExitCode.CONFIG}
"""Of a failure whose cause may be something else than the photo."""


class HinderedError(PhotocloakError):
    """Something keeps all photos from being done: they wait until it has gone."""


def why_no_room(source: Path, output: Path, folders: Folders) -> str | None:
    """Say why what is made of a photo could not be written or recorded; None: it could."""
    size = 2 * source.stat().st_size + SPARE
    for folder in (output, folders.data):
        try:
            with tempfile.TemporaryFile(dir=folder) as file:
                os.posix_fallocate(file.fileno(), 0, size)
        except OSError as error:
            return f"{folder}: cannot be written ({error.strerror})."
    try:
        with Database(folders.database).transaction():
            return None
    except OutputError as error:
        return str(error)
