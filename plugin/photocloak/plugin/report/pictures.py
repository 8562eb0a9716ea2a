"""Thumbnails for the page, of files that are still those that the evidence is about."""

import base64
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from photocloak import exporters
from photocloak.core import InputError
from photocloak.engine.detection.alignment import Image
from photocloak.plugin.demo import difference
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

MARGIN = 0.35
"""Share of a face's box that is shown around it."""


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


class NotShownError(Exception):
    """The files are not those of the evidence."""


def _shown(row: PhotoRecord) -> Shown:
    before = unchanged(row.source, row.source_sha256, "photo")
    if row.uncloaked and row.output is not None:
        before = unchanged(row.output, row.output_sha256, "published photo")
    if row.output is None or row.uncloaked:
        thumb = _fitting(before)
        width, height = thumb.size
        return Shown((width, height), width / before.shape[1], Triple(_jpeg(thumb), None, None), ())
    after = unchanged(row.output, row.output_sha256, "cloaked photo")
    height, width = after.shape[:2]
    if before.shape != after.shape:  # the preset made it smaller, as `exporters.prepare` does
        same = Pillow.fromarray(before).resize((width, height), Pillow.Resampling.LANCZOS)
        before = np.asarray(same)
    small = _triple(before, after, EDGE)
    size = _fitting(after).size
    faces = tuple(_face(before, after, face) for face in row.faces[:FACES])
    return Shown(size, size[0] / width, small, faces)


def unchanged(path: Path, sha256: str | None, what: str) -> Image:
    """Read a photo if its bytes are still those of then."""
    try:
        data = path.read_bytes() if path.is_file() else None
    except OSError as error:
        raise NotShownError(
            f"No pictures: the {what} cannot be read ({error.strerror})."
        ) from error
    if data is None:
        raise NotShownError(f"No pictures: the {what} is no longer there.")
    if sha256 is None or hashlib.sha256(data).hexdigest() != sha256:
        raise NotShownError(f"No pictures: the {what} has been changed since.")
    return exporters.read_bytes(data, str(path)).pixels


def face_square(pixels: Image, box: tuple[int, int, int, int]) -> tuple[str, tuple[int, int]]:
    """Return a face with some of what is around it as an address, and its width and height."""
    thumb = _fitting(pixels[_around(pixels, box)], FACE)
    return _jpeg(thumb), thumb.size


def _face(before: Image, after: Image, face: FaceRecord) -> Triple:
    """Cut out a face with some of what is around it, in full resolution."""
    place = _around(after, face.box)
    return _triple(before[place], after[place], FACE)


def _around(pixels: Image, box: tuple[int, int, int, int]) -> tuple[slice, slice]:
    """Return the rows and columns of a face and its margin; of all, where the box is outside."""
    x, y, w, h = box
    edge = max(w, h, 1) * (1 + 2 * MARGIN)
    left, top = round(x + w / 2 - edge / 2), round(y + h / 2 - edge / 2)
    height, width = pixels.shape[:2]
    rows = slice(min(max(top, 0), height - 1), max(min(round(top + edge), height), 1))
    columns = slice(min(max(left, 0), width - 1), max(min(round(left + edge), width), 1))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return slice(0, height), slice(0, width)
    return rows, columns


def _triple(before: Image, after: Image, edge: int) -> Triple:
    first, second = _fitting(before, edge), _fitting(after, edge)
    change = difference(np.asarray(first), np.asarray(second))
    return Triple(_jpeg(first), _jpeg(second), _jpeg(Pillow.fromarray(change)))


def _fitting(pixels: Image, edge: int = EDGE) -> Pillow.Image:
    """Scale down, never up, to at most `edge` pixels."""
    height, width = pixels.shape[:2]
    scale = min(1.0, edge / max(height, width))
    image = Pillow.fromarray(np.ascontiguousarray(pixels))
    if scale == 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    # Whole pixels are averaged first: several times as fast, and not to be told apart.
    return image.resize(size, Pillow.Resampling.LANCZOS, reducing_gap=2.0)


def _jpeg(image: Pillow.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=88, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _addresses(shown: Shown) -> list[str | None]:
    return [
        address
        for triple in (shown.whole, *shown.faces)
        for address in (triple.before, triple.after, triple.change)
    ]
