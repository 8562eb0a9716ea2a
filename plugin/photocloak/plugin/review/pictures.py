"""The pictures of the page: made when they are asked for, kept in memory alone."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Literal

from photocloak.engine.detection.alignment import Image
from photocloak.engine.seam import Box
from photocloak.plugin.pictures import (
    NotShownError,
    around,
    difference,
    fitting,
    jpeg,
    like,
    read_unchanged,
)
from photocloak.plugin.review.album import Photo
from photocloak.plugin.storage.written_files import sha256_of

Which = Literal["before", "after", "change"]

TILE, FACE, SCREEN = 480, 200, 1800
"""Pixels of the longer edge: in the grid, of a face, and as large as a screen shows a photo."""

WHOLE = 1 << 30
"""For `edge`: as large as the photo is."""

ROOM = 96 << 20
"""Bytes of pictures that are kept."""

DECODED = 3
"""Photos that are kept as pixels: a page asks for several pictures of one."""

FINE = 95
"""JPEG quality of a picture that is looked at closely."""


class Pictures:
    """Makes pictures; one photo is decoded at a time, since a large one takes much memory."""

    def __init__(self) -> None:
        self._decoded = lru_cache(DECODED)(read_unchanged)
        self._made: OrderedDict[object, bytes] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def photo(self, photo: Photo, which: Which, edge: int) -> bytes:
        """Return a photo as a JPEG file of at most `edge` pixels.

        Raises:
            NotShownError: it has changed since, or there is no such picture.
            InputError: it cannot be decoded.

        """

        def make() -> bytes:
            image = fitting(self._pixels(photo, which), edge)
            return jpeg(image, FINE if edge > TILE else 85)

        return self._keep((_key(photo, which), edge), make)

    def face(self, photo: Photo, box: Box, which: Which) -> bytes:
        """Return a face, at a box in the original, with some of what is around it."""

        def make() -> bytes:
            pixels = self._pixels(photo, which)
            height, width = self._before(photo).shape[:2]
            rows, columns = pixels.shape[0] / height, pixels.shape[1] / width
            x, y, w, h = box
            placed = round(x * columns), round(y * rows), round(w * columns), round(h * rows)
            return jpeg(fitting(pixels[around(placed, pixels.shape)], FACE), FINE)

        return self._keep((_key(photo, which), box), make)

    def crop(self, path: Path, sha256: str, box: Box) -> bytes:
        """Return a face of any photo that is still what it was; see `photo`."""

        def make() -> bytes:
            pixels = self._decoded(path, sha256, "photo")
            return jpeg(fitting(pixels[around(box, pixels.shape)], FACE))

        return self._keep((path, sha256, box), make)

    def size(self, photo: Photo) -> tuple[int, int]:
        """Return width and height of the original, in pixels; see `photo`."""
        with self._lock:
            height, width = self._before(photo).shape[:2]
        return width, height

    def _pixels(self, photo: Photo, which: Which) -> Image:
        before = self._before(photo)
        outcome = photo.outcome
        if outcome is None or outcome.output is None:
            if which == "before":
                return before
            raise NotShownError("Nothing was made of it.")
        after = self._decoded(outcome.output, outcome.output_sha256, "cloaked photo")
        if which == "after":
            return after
        before = like(before, after)
        return before if which == "before" else difference(before, after)

    def _before(self, photo: Photo) -> Image:
        known = None if photo.outcome is None else photo.outcome.source_sha256
        # One of which nothing came yet is shown as it is now.
        return self._decoded(photo.source, known or sha256_of(photo.source), "photo")

    def _keep(self, key: object, make: Callable[[], bytes]) -> bytes:
        with self._lock:
            if key in self._made:
                self._made.move_to_end(key)
                return self._made[key]
            data = self._made[key] = make()
            self._size += len(data)
            while self._size > ROOM and len(self._made) > 1:
                _, gone = self._made.popitem(last=False)
                self._size -= len(gone)
            return data


def _key(photo: Photo, which: Which) -> object:
    """Return what a picture depends on."""
    outcome = photo.outcome
    hashes = () if outcome is None else (outcome.source_sha256, outcome.output_sha256)
    return photo.source, hashes, which
