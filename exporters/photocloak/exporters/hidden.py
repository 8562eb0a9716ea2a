"""The pictures that a file hides beside its main one, as they look to who finds them."""

import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from photocloak.core import InputError
from photocloak.exporters.model import Image
from photocloak.exporters.reading import read_bytes
from photocloak.exporters.scanning import format_of, pictures

_BARE = "picture"
"""Kind of what is no file of its own: coded pixels, that its container alone can decode."""


def hidden(data: bytes) -> Iterator[tuple[str, Image | None]]:
    """Yield what and where each one is, and its pixels, (H, W, 3) uint8 as stored, maybe turned.

    The pixels are None where nobody can look into it: a film, say, or a kind that is not read.
    """
    found = list(pictures(data))
    bare = [f"{one.kind} in {where}" for where, one in found if one.kind == _BARE]
    yield from _bare(data, bare)
    for where, one in found:
        if one.kind != _BARE:
            yield f"{one.kind} in {where}", _decoded(one.data)


def _decoded(picture: bytes) -> Image | None:
    try:
        return read_bytes(picture, "picture").pixels
    except InputError:
        return None


def _bare(data: bytes, names: list[str]) -> Iterator[tuple[str, Image | None]]:
    """Yield those that the container names; unless all of them decode, none is known."""
    form = format_of(data)
    found: list[Image] = []
    if names and form is not None and form.name == "HEIC":
        try:
            found = list(_of_heif(data))
        except Exception:  # a damaged file may make its decoder raise anything
            found = []
    if len(found) < len(names):
        yield from ((name, None) for name in dict.fromkeys(names))
    else:
        yield from ((", ".join(dict.fromkeys(names)), one) for one in found)


def _of_heif(data: bytes) -> Iterator[Image]:
    """Yield thumbnails, auxiliary pictures, depth maps and further pictures of a HEIF."""
    import pillow_heif

    whole = pillow_heif.open_heif(io.BytesIO(data))
    for number, one in enumerate(whole):
        if number != whole.primary_index:
            yield _rgb(one)
        for index in range(len(one.info.get("thumbnails", []))):
            yield _rgb(one.get_thumbnail(index))
        for depth in one.info.get("depth_images", []):
            yield _rgb(depth)
        for numbers in one.info.get("aux", {}).values():
            yield from (_rgb(one.get_aux_image(number)) for number in numbers)


def _rgb(picture: Any) -> Image:
    return np.asarray(picture.to_pillow().convert("RGB"))
