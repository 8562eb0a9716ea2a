"""How the C library hands out memory for arrays."""

import ctypes
from collections.abc import Callable
from functools import cache

# From glibc's malloc.h.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3

_LARGE = 4 << 20
_KEPT = 64 << 20


@cache
def reuse_memory() -> None:
    """Let this process keep what arrays of a face have freed, to use it for the next ones.

    By default glibc gives blocks of over 128 kB back to the system at once and asks for them anew,
    page by page: for the edits of a face that took nine tenths of their time. Where the C library
    is another one, nothing changes.
    """
    mallopt = _of_libc("mallopt")
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE)
        mallopt(_M_TRIM_THRESHOLD, _KEPT)


def give_back_memory() -> None:
    """Give back to the system what has been freed in this process and lies between what is in use.

    Faces of many sizes leave ever more of that. It takes 2 ms; another C library keeps it.
    """
    trim = _of_libc("malloc_trim")
    if trim is not None:
        trim(0)


def _of_libc(name: str) -> Callable[..., int] | None:
    try:
        return getattr(ctypes.CDLL(None), name, None)
    except OSError:
        return None
