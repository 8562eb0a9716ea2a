"""Files that were made: found by their hash, whatever number their name got."""

import hashlib
import os
import stat
from collections.abc import Collection
from io import BufferedReader
from pathlib import Path

from photocloak import exporters
from photocloak.core import InputError, UnreadError

_PIECE = 1 << 20
PREFIX = 200
"""Bytes of a photo's name that its output's name has too, however long it is."""


def sha256_of(path: Path) -> str | None:
    """Return the SHA-256 of a photo's file; None: there is none, or none that would be read.

    A pipe that took the place of the file is not waited for.
    """
    try:
        with _opened(path) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size > exporters.MAX_BYTES:
                return None
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def signature_of(path: Path) -> str | None:
    """Return what tells one state of a file from another without reading it; None: no file.

    Times are only compared for being equal, so a clock that is set back does no harm. Device and
    inode count where there is a device: those of a server's files are made up anew with each mount,
    and all would be fetched again.
    """
    try:
        status = path.stat()
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    times = f"{status.st_mtime_ns}:{status.st_ctime_ns}"
    place = f"{status.st_dev}:{status.st_ino}" if os.major(status.st_dev) else ""
    return f"{place}:{status.st_size}:{times}"


def path_bytes(path: Path) -> bytes:
    """Return an absolute path as the file system knows it."""
    return os.fsencode(os.path.realpath(path))  # which takes a loop of links for a path


def require_readable(path: Path) -> None:
    """Say why there is no `sha256_of` a file; all is well where it is gone, or can be read now.

    Raises:
        InputError: it is too large, or not for this user: its owner can change that.
        UnreadError: the file system does not give it; another time it may.

    """
    try:
        if path.stat().st_size > exporters.MAX_BYTES:
            raise InputError(f"{path}: files above 1 GiB are not read; make a smaller copy first.")
        with _opened(path) as file:
            while stat.S_ISREG(os.fstat(file.fileno()).st_mode) and file.read(_PIECE):
                pass
    except FileNotFoundError:
        return
    except OSError as error:
        kind = InputError if isinstance(error, PermissionError) else UnreadError
        raise kind(f"{path}: cannot be read ({error.strerror}).") from error


def _opened(path: Path) -> BufferedReader:
    """Open for reading, without waiting where a pipe has no writer."""
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
    return os.fdopen(os.open(path, flags), "rb")


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
