"""From a photo and its cloak to the complete bytes of a file, checked before anybody sees them."""

import numpy as np
from PIL import Image as Pillow

from photocloak.core import InputError, OutputError
from photocloak.exporters.formats import FORMATS
from photocloak.exporters.formats.base import Draft, Format
from photocloak.exporters.model import Encoded, Image, Photo
from photocloak.exporters.policies import Policy
from photocloak.exporters.reading import read_bytes
from photocloak.exporters.scanning import scan, strangers


def prepare(photo: Photo, policy: Policy) -> Image:
    """Return the pixels to cloak: at the size that is published, upright sRGB (H, W, 3)."""
    height, width = photo.pixels.shape[:2]
    scale = min(
        1.0,
        (policy.width or width) / width,
        (policy.height or height) / height,
        (policy.edge or max(width, height)) / max(width, height),
    )
    if scale == 1:
        return photo.pixels
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Pillow.fromarray(photo.pixels).resize(size, Pillow.Resampling.LANCZOS))


def encode(photo: Photo, base: Image, cloaked: Image, policy: Policy) -> Encoded:
    """Return the file to publish: the source with the cloak in it, or a new one, as the policy says.

    Args:
        photo: the source.
        base: what `prepare` returned.
        cloaked: the same with the cloak, same shape.
        policy: what may be written.

    Raises:
        OutputError: the file cannot be made, or failed its checks: it does not decode, has another
            size, or holds a picture or a name that it must not hold.

    """
    if base.shape != cloaked.shape:
        raise ValueError(f"base {base.shape} and cloaked {cloaked.shape} differ in shape")
    form = FORMATS[policy.format or photo.format]
    draft = form.keep(photo, base, cloaked)
    encoded = Encoded(draft.data, form.name, form.suffixes[0], tuple(dict.fromkeys(draft.notes)))
    _check(photo, cloaked, policy, form, draft)
    return encoded


def _check(photo: Photo, cloaked: Image, policy: Policy, form: Format, draft: Draft) -> None:
    try:
        written = read_bytes(draft.data, photo.name)
    except InputError as error:
        raise OutputError(
            f"{photo.name}: what was encoded does not decode again: {error}"
        ) from error
    if written.format != form.name or written.pixels.shape != cloaked.shape:
        raise OutputError(
            f"{photo.name}: the file came out as {written.format} of {written.pixels.shape[1]} × "
            f"{written.pixels.shape[0]} pixels; nothing is written."
        )
    leaks = strangers(draft.data, draft.written)
    if policy.metadata != "all":
        leaks += [one for one in scan(draft.data) if one.kind != "picture"]
    if leaks:
        what = "; ".join(f"{one.kind} in {one.where} ({one.detail})" for one in leaks[:3])
        raise OutputError(
            f"{photo.name}: held back, since the file would still show {what}. Export it from your "
            "photo manager without previews, or use the preset anonymous."
        )
