"""Thumbnails for the page, of files that are still those that the evidence is about."""

import base64
from dataclasses import dataclass

import numpy as np
from PIL import Image as Pillow

from photocloak.core import InputError
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
from photocloak.plugin.pipeline.job import Status
from photocloak.plugin.report.records import FaceRecord, PhotoRecord

EDGE = 720
"""Pixels of a thumbnail's longer edge."""

FACE = 128
"""Pixels of a face's square."""

FACES = 12
"""Faces of one photo that get pictures."""

BYTES = 24 << 20
"""Of pictures in one page, before base64: some hundred photos. Browsers stay quick with that."""


@dataclass(frozen=True)
class Triple:
    """Before, after, what changed, amplified: `data:` addresses; one alone where no cloak is."""

    before: str
    after: str | None
    change: str | None


@dataclass(frozen=True)
class Shown:
    """The pictures of a photo.

    Attributes:
        size: width and height of the thumbnails, in pixels.
        scale: thumbnail pixels in one of the published photo.
        whole: of the photo.
        faces: of its first faces; empty where nothing was published.

    """

    size: tuple[int, int]
    scale: float
    whole: Triple
    faces: tuple[Triple, ...]


class Album:
    """Makes pictures until the page is full."""

    def __init__(self, room: int = BYTES) -> None:
        self._room = room
        self.full = False

    def __call__(self, row: PhotoRecord) -> Shown | str:
        """Return a photo's pictures, or why it has none, a sentence."""
        if row.status is Status.FAILED:
            return "No pictures of a photo that failed."
        if row.status is Status.ALREADY_CLOAKED:
            return "No pictures: it was cloaked before, and there is no original to compare with."
        if self.full:
            return "No pictures: the page is full."
        try:
            shown = _shown(row)
        except NotShownError as error:
            return str(error)
        except (InputError, MemoryError) as error:
            return f"No pictures: {error or 'there is not enough memory for them'}"
        self._room -= sum(len(one or "") * 3 // 4 for one in _addresses(shown))
        self.full = self._room <= 0
        return shown


def _shown(row: PhotoRecord) -> Shown:
    before = read_unchanged(row.source, row.source_sha256, "photo")
    if row.uncloaked and row.output is not None:
        before = read_unchanged(row.output, row.output_sha256, "published photo")
    if row.output is None or row.uncloaked:
        thumb = fitting(before, EDGE)
        alone = Triple(_address(thumb), None, None)
        return Shown(thumb.size, thumb.size[0] / before.shape[1], alone, ())
    after = read_unchanged(row.output, row.output_sha256, "cloaked photo")
    before = like(before, after)
    small = _triple(before, after, EDGE)
    size = fitting(after, EDGE).size
    faces = tuple(_face(before, after, face) for face in row.faces[:FACES])
    return Shown(size, size[0] / after.shape[1], small, faces)


def face_square(pixels: Image, box: Box) -> tuple[str, tuple[int, int]]:
    """Return a face with some of what is around it as an address, and its width and height."""
    thumb = fitting(pixels[around(box, pixels.shape)], FACE)
    return _address(thumb), thumb.size


def _face(before: Image, after: Image, face: FaceRecord) -> Triple:
    """Cut out a face with some of what is around it, in full resolution."""
    rows, columns = around(face.box, after.shape)
    return _triple(before[rows, columns], after[rows, columns], FACE)


def _triple(before: Image, after: Image, edge: int) -> Triple:
    first, second = fitting(before, edge), fitting(after, edge)
    change = difference(np.asarray(first), np.asarray(second))
    return Triple(_address(first), _address(second), _address(Pillow.fromarray(change)))


def _address(image: Pillow.Image) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg(image)).decode("ascii")


def _addresses(shown: Shown) -> list[str | None]:
    return [
        address
        for triple in (shown.whole, *shown.faces)
        for address in (triple.before, triple.after, triple.change)
    ]
