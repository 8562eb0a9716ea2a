"""Pictures to show of photos: of files that are still those that something was said about.

For the report, which keeps them in its page, and for the page of `photocloak review`.
"""

import hashlib
import io
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from photocloak import exporters
from photocloak.engine.detection.alignment import Image
from photocloak.engine.seam import Box

MARGIN = 0.35
"""Share of a face's box that is shown around it."""

AMPLIFIED = 10
"""How much stronger than it is the difference is shown."""


class NotShownError(Exception):
    """There is no such picture any more; the message says why, in a sentence."""


def read_unchanged(path: Path, sha256: str | None, what: str) -> Image:
    """Read a photo, (H, W, 3) uint8, upright sRGB, if its bytes are still those of then.

    Args:
        path: of the photo.
        sha256: of its bytes then.
        what: it is, for the message.

    Raises:
        NotShownError: they are not, or it cannot be read.
        InputError: it is no photo that can be decoded.

    """
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


def like(before: Image, after: Image) -> Image:
    """Return the original as large as what was made of it: a preset may have made it smaller."""
    if before.shape == after.shape:
        return before
    height, width = after.shape[:2]
    same = Pillow.fromarray(before).resize((width, height), Pillow.Resampling.LANCZOS)
    return np.asarray(same)


def around(box: Box, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return the rows and columns of a face with some of what is around it."""
    x, y, w, h = box
    edge = max(w, h, 1) * (1 + 2 * MARGIN)
    left, top = round(x + w / 2 - edge / 2), round(y + h / 2 - edge / 2)
    height, width = shape[:2]
    rows = slice(min(max(top, 0), height - 1), max(min(round(top + edge), height), 1))
    columns = slice(min(max(left, 0), width - 1), max(min(round(left + edge), width), 1))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return slice(0, height), slice(0, width)
    return rows, columns


def fitting(pixels: Image, edge: int) -> Pillow.Image:
    """Scale down, never up, to at most `edge` pixels."""
    height, width = pixels.shape[:2]
    scale = min(1.0, edge / max(height, width))
    image = Pillow.fromarray(np.ascontiguousarray(pixels))
    if scale == 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    # Whole pixels are averaged first: several times as fast, and not to be told apart.
    return image.resize(size, Pillow.Resampling.LANCZOS, reducing_gap=2.0)


def difference(before: Image, after: Image) -> Image:
    """Return what changed, (H, W, 3) uint8: amplified, around middle grey."""
    change = after.astype(np.int16) - before.astype(np.int16)
    return np.clip(128 + AMPLIFIED * change, 0, 255).astype(np.uint8)


def jpeg(image: Pillow.Image, quality: int = 88) -> bytes:
    """Return a picture as a file, in full colour resolution."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, subsampling=0)
    return buffer.getvalue()
