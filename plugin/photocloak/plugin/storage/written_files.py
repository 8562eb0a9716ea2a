"""Files that were made: found by their hash, whatever number their name got."""

import hashlib
import os
import stat
from collections.abc import Collection
from pathlib import Path

from photocloak import exporters

PREFIX = 200
"""Bytes of a photo's name that its output's name has too, however long it is."""


def sha256_of(path: Path) -> str | None:
    """Return the SHA-256 of a photo's file; None: there is none, or none that would be read.

    A pipe that took the place of the file is not waited for.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size > exporters.MAX_BYTES:
                return None
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def signature_of(path: Path) -> str | None:
    """Return what tells one state of a file from another without reading it; None: no file.

    Times are only compared for being equal, so a clock that is set back does no harm.
    """
    try:
        status = path.stat()
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    times = f"{status.st_mtime_ns}:{status.st_ctime_ns}"
    return f"{status.st_dev}:{status.st_ino}:{status.st_size}:{times}"


def path_bytes(path: Path) -> bytes:
    """Return an absolute path as the file system knows it."""
    return os.fsencode(os.path.realpath(path))  # which takes a loop of links for a path


def why_not_read(path: Path) -> str | None:
    """Say why there is no `sha256_of` a file; None: it is gone, or can be read after all."""
    try:
        if path.stat().st_size > exporters.MAX_BYTES:
            return f"{path}: files above 1 GiB are not read; make a smaller copy first."
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY))
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"{path}: cannot be read ({error.strerror})."
    return None


def find_made(
    folder: Path, stem: str, hashes: Collection[str], suffix: str | None = None
) -> tuple[Path, str] | None:
    """Return the file, and its hash, that was made of a photo, if nobody has changed it since.

    Args:
        folder: to look in.
        stem: of the photo's name.
        hashes: of everything that was made of the photo.
        suffix: only a file of the format that has this suffix; None: of any.

    """
    if not hashes:
        return None
    try:
        paths = sorted(folder.iterdir())
    except OSError:
        return None
    endings = None if suffix is None else exporters.suffixes(suffix)
    begins = os.fsencode(stem)[:PREFIX]
    for path in paths:
        if not os.fsencode(path.name).startswith(begins):
            continue
        if endings is not None and path.suffix.lower() not in endings:
            continue
        if (sha256 := sha256_of(path)) in hashes:
            return path, str(sha256)
    return None
