"""One daemon an output folder: a lock that the kernel gives back when its holder dies."""

import errno
import fcntl
import hashlib
import os
import time
from pathlib import Path

from photocloak.core import ConfigError, OutputError
from photocloak.plugin.storage.folders import Folders, make_private
from photocloak.plugin.watch.mounts import mount_of, place_of

_NO_FOLDER_LOCKS = {errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS}
LOCK_TIMEOUT = 1.0
"""Seconds to try: `is_locked` of a `status` may hold the lock for an instant."""


class OutputLock:
    """The lock on an output folder.

    It lies on the folder itself, whatever path leads there and whoever runs the daemon; where a
    file system cannot lock folders, on a file in the data folder.
    """

    def __init__(self, output: Path, folders: Folders) -> None:
        """Take the lock.

        Raises:
            ConfigError: another daemon has it.
            OutputError: the folder is not there.

        """
        self._output, self._folders = output, folders
        deadline = time.monotonic() + LOCK_TIMEOUT
        while (handle := _try(output, folders)) is None:
            if time.monotonic() > deadline:
                raise ConfigError(
                    f"{output}: another photocloak watches for this output folder already; see "
                    "`photocloak status`, and stop it or choose another folder."
                )
            time.sleep(0.05)
        self._handle = handle
        self._place = place_of(output)
        self._mount = mount_of(output).point

    def why_lost(self) -> str | None:
        """Say why the path does not lead to what was locked; None: it does, or does again.

        When a file system is unmounted, the path leads to the empty folder below. One that is
        mounted again at the same point is locked again.
        """
        place = place_of(self._output)
        if place == self._place:
            return None
        if place is None or mount_of(self._output).point != self._mount:
            return "the output folder has gone or was unmounted"
        handle = _try(self._output, self._folders)
        if handle is None:
            return "another photocloak watches for this output folder now"
        os.close(self._handle)
        self._handle, self._place = handle, place
        return None

    def release(self) -> None:
        """Give the lock back."""
        os.close(self._handle)


def is_locked(output: Path, folders: Folders) -> bool:
    """Tell whether a daemon for this output folder is alive."""
    try:
        handle = _try(output, folders)
    except OutputError:
        return False
    if handle is None:
        return True
    os.close(handle)
    return False


def _try(output: Path, folders: Folders) -> int | None:
    """Return a handle that holds the lock; None: somebody else does."""
    try:
        handle = os.open(output, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise OutputError(f"{output}: cannot be opened ({error.strerror}).") from error
    try:
        return _flock(handle)
    except OSError as error:
        os.close(handle)
        if error.errno not in _NO_FOLDER_LOCKS:
            raise OutputError(f"{output}: cannot be locked ({error.strerror}).") from error
    name = hashlib.sha256(os.fsencode(output)).hexdigest()[:16]
    file = make_private(folders.data) / f"watch-{name}.lock"
    return _flock(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _flock(handle: int) -> int | None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle
