"""The way to libexiv2: one caller at a time, since it is not thread-safe, and without a word."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

_LOCK = Lock()


@contextmanager
def opened(data: bytes) -> Iterator[Any]:
    """Yield the metadata of a file, or of a bare EXIF block, as a `pyexiv2.ImageData`.

    Raises:
        RuntimeError: it is of no kind that libexiv2 knows.

    """
    import pyexiv2

    with _LOCK:
        pyexiv2.set_log_level(4)  # it writes to stderr
        with pyexiv2.ImageData(data) as image:
            yield image
