"""Making a finished file visible: whole or not at all, over nobody's file.

On Linux's own file systems the bytes go to a file that has no name yet (O_TMPFILE); it gets its
name when it is complete and on the disk. A process that is killed leaves nothing. Where a file
system cannot do that, a hidden temporary name stands in, and `sweep` clears what a kill left.
"""

import ctypes
import errno
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from photocloak.core import OutputError, why

TEMPORARY = ".photocloak-"
_NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
_RENAME_NOREPLACE, _AT_FDCWD = 1, -100
_PIECE = 1 << 20
_LOST = "the file system did not keep it; is there room on the server?"
_UNSUPPORTED = {
    errno.EPERM,
    errno.EINVAL,
    errno.EISDIR,
    errno.ENOENT,
    errno.ENOSYS,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
    errno.EXDEV,
}


def publish(
    data: bytes,
    directory: Path,
    stem: str,
    suffix: str,
    *,
    like: Path | None,
    dated: bool = True,
    replace: Path | None = None,
    numbered: bool = True,
) -> Path:
    """Write a file that appears at once and complete, under a name that was free.

    Args:
        data: the whole file, checked.
        directory: where it goes; it is there already.
        stem: the name without its suffix; a counter follows where the name is taken.
        suffix: with its dot.
        like: the photo that the file is made of: whoever may not read that may not read this,
            which else has the permissions of any new file, so that a write-protected photo has no
            write-protected output; None: as any new file.
        dated: whether the file also gets the times of `like`.
        replace: an earlier output of ours, in the same folder, whose place this one takes.
        numbered: False: no other name will do.

    Returns:
        The path it got.

    Raises:
        OutputError: it could not be written; nothing is left behind.

    """
    written = False
    try:
        with _unnamed(directory, data, _Standing.of(like, dated=dated)) as (give_name, surely):
            written = True
            if replace is not None and replace.parent == directory:
                path = _over(replace, give_name)
            elif not numbered:
                path = _exactly(directory / (stem + suffix), give_name)
            else:
                path = _beside(directory, stem, suffix, give_name)
        _sync_folder(directory)
        if not surely:
            _require_kept(path, data)
    except OSError as error:
        raise OutputError(
            f"{directory / (stem + suffix)}: cannot be written ({why(error, naming=written)}); "
            "nothing was left there."
        ) from error
    return path


def sweep(directory: Path) -> int:
    """Remove temporary files of processes that are no more; return how many there were."""
    gone = 0
    with suppress(OSError):  # what cannot be removed, or not even be seen, stays
        for path in directory.glob(f"{TEMPORARY}*.part"):
            owner = path.name.removeprefix(TEMPORARY).split("-")[0]
            if owner.isdigit() and not Path("/proc", owner).exists():
                path.unlink(missing_ok=True)
                gone += 1
    return gone


def require_room(directory: Path, size: int) -> None:
    """Make sure that a file of so many bytes can be written in a folder; nothing of it stays.

    File systems of servers tell nothing of quotas, take no file that has no name, and some only
    what is written from beginning to end: there such a file is written, closed and removed.

    Raises:
        OSError: why it cannot.

    """
    handle = _open_nameless(directory)
    if handle is not None:
        try:
            os.posix_fallocate(handle, 0, size)
        finally:
            os.close(handle)
        return
    temporary = _temporary(directory)
    handle = os.open(temporary, _NEW, 0o600)
    try:
        try:
            for start in range(0, size, _PIECE):
                _write(handle, bytes(min(_PIECE, size - start)))
        finally:
            os.close(handle)
        if not temporary.exists() or temporary.stat().st_size != size:
            raise OSError(errno.EIO, _LOST)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _unnamed(
    directory: Path, data: bytes, standing: "_Standing"
) -> Iterator[tuple[Callable[[Path], None], bool]]:
    """Write the bytes to the disk; yield what gives them a name that must be free.

    And whether what was written is there for sure.
    """
    handle = _open_nameless(directory)
    if handle is not None:
        try:
            _fill(handle, data, standing)
            # Only with a descriptor does Python call linkat, which can follow the link in /proc.
            own = f"/proc/self/fd/{handle}"
            yield partial(os.link, own, src_dir_fd=handle, follow_symlinks=True), True
        finally:
            os.close(handle)
        return
    temporary = _temporary(directory)
    handle = os.open(temporary, _NEW, 0o600)
    try:
        try:
            _fill(handle, data, standing)
        finally:
            os.close(handle)
        yield partial(_rename, temporary), False
    finally:
        temporary.unlink(missing_ok=True)


def _open_nameless(directory: Path) -> int | None:
    """Open a new file that has no name yet; None: the file system has no such files."""
    try:
        return os.open(directory, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno not in _UNSUPPORTED or not directory.is_dir():
            raise
    return None


def _temporary(directory: Path) -> Path:
    return directory / f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(8)}.part"


@dataclass(frozen=True)
class _Standing:
    """Permissions of a file, and its times in nanoseconds (access, change); None: now."""

    mode: int
    times: tuple[int, int] | None

    @classmethod
    def of(cls, like: Path | None, *, dated: bool) -> "_Standing":
        mask = os.umask(0o077)
        os.umask(mask)
        mode = 0o666 & ~mask
        if like is None:
            return cls(mode, None)
        status = like.stat()
        for may_read, all_of in ((0o040, 0o070), (0o004, 0o007)):
            mode &= ~0 if status.st_mode & may_read else ~all_of
        return cls(mode, (status.st_atime_ns, status.st_mtime_ns) if dated else None)


def _fill(handle: int, data: bytes, standing: _Standing) -> None:
    """Write everything, set permissions and times, and wait for the disk."""
    _write(handle, data)
    # FAT and some network file systems keep neither; the file is private until it is allowed more.
    with _if_supported():
        os.fchmod(handle, standing.mode)
    if standing.times is not None:
        with _if_supported():
            os.utime(handle, ns=standing.times)
    os.fsync(handle)


def _write(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _beside(directory: Path, stem: str, suffix: str, give_name: Callable[[Path], None]) -> Path:
    """Give the first free name out of stem, stem-2, stem-3, …"""
    number = 1
    while True:
        path = directory / f"{_fitting(stem, suffix, number)}{suffix}"
        try:
            give_name(path)
        except FileExistsError:
            number += 1
            continue
        return path


def _exactly(path: Path, give_name: Callable[[Path], None]) -> Path:
    """Give this name; OutputError: somebody has taken it meanwhile."""
    try:
        give_name(path)
    except FileExistsError as error:
        raise OutputError(f"{path}: there is a file of this name already; it stays.") from error
    return path


def _fitting(stem: str, suffix: str, number: int) -> str:
    """Return the stem with its counter, cut to the 255 bytes a file name may have."""
    counter = f"-{number}" if number > 1 else ""
    room = 255 - len(os.fsencode(counter + suffix))
    while len(os.fsencode(stem)) > room:
        stem = stem[:-1]
    return stem + counter


def _over(earlier: Path, give_name: Callable[[Path], None]) -> Path:
    """Take the place of an earlier output, in one step."""
    temporary = _temporary(earlier.parent)
    try:
        give_name(temporary)
        temporary.replace(earlier)
    finally:
        temporary.unlink(missing_ok=True)
    return earlier


def _rename(temporary: Path, path: Path) -> None:
    """Give a named temporary its final name without clobbering.

    FAT has no links to do it with, many file systems by FUSE no way at all, and what they say then
    differs (rclone: EIO). So whatever goes wrong but a taken name, the next way is tried, and the
    last one has the say.
    """
    for way in os.link, _rename_noreplace:
        try:
            way(temporary, path)
        except FileExistsError:
            raise
        except OSError:
            continue
        return
    os.close(os.open(path, _NEW, 0o600))
    try:
        temporary.replace(path)  # over the empty file that has just reserved the name
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _rename_noreplace(source: Path, target: Path) -> None:
    """Call renameat2, which not every kernel and file system knows."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    names = os.fsencode(source), os.fsencode(target)
    if libc.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_NOREPLACE) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(target))


def _sync_folder(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with _if_supported():  # some network file systems cannot sync folders
            os.fsync(handle)
    finally:
        os.close(handle)


def _require_kept(path: Path, data: bytes) -> None:
    """Make sure that the bytes are there: davfs2 tells nobody that the server did not take them."""
    try:
        kept = path.read_bytes() == data
    except OSError:
        kept = False
    if not kept:
        path.unlink(missing_ok=True)
        raise OSError(errno.EIO, _LOST)


@contextmanager
def _if_supported() -> Iterator[None]:
    """Pass over that a file system does not know what is asked of it."""
    try:
        yield
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
