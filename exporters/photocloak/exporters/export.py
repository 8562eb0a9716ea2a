"""From a photo and its cloak to the complete bytes of a file, searched before anybody sees them."""

from dataclasses import replace

import numpy as np
from PIL import Image as Pillow

from photocloak.core import InputError, OutputError, PhotocloakError
from photocloak.core.stages import stage
from photocloak.exporters.colour.conversion import to_eight
from photocloak.exporters.colour.icc import srgb_profile
from photocloak.exporters.formats import FORMATS, suffix_like, usual_suffix
from photocloak.exporters.formats.base import Draft, Format, RenderedImage
from photocloak.exporters.metadata.credits import Credits, gather
from photocloak.exporters.metadata.credits_writing import exif_block, readable, xmp_packet
from photocloak.exporters.metadata.orientation import upright
from photocloak.exporters.model import Encoded, Image, Photo
from photocloak.exporters.policies import Policy
from photocloak.exporters.reading import read_bytes
from photocloak.exporters.scanning import disclosures, kinds_of, parts_of, strangers, unknown


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
    """Return the file to publish: the source with the cloak in it, or a new one.

    Args:
        photo: the source.
        base: what `prepare` returned.
        cloaked: the same with the cloak, same shape.
        policy: what may be written.

    Raises:
        OutputError: the file cannot be made, or holds a picture or a name that it must not hold.

    """
    if base.shape != cloaked.shape:
        raise ValueError(f"base {base.shape} and cloaked {cloaked.shape} differ in shape")
    form = FORMATS[policy.format or photo.format]
    if policy.metadata == "all" and photo.raster.refusal:
        raise InputError(
            f"{photo.name}: cannot be written as it is, since {photo.raster.refusal}; export it as "
            "JPEG, PNG or TIFF, or use a publishing preset such as web."
        )
    try:
        draft = _draft(photo, base, cloaked, policy, form)
        disclosed = _check(photo, policy, draft, form)
    except PhotocloakError:
        raise
    except Exception as error:  # a damaged file may make its decoder raise anything
        what = " ".join(str(error).split()) or type(error).__name__
        raise OutputError(
            f"{photo.name}: the cloak cannot be written into this file ({what}); export it again "
            "from your photo manager."
        ) from error
    suffix = suffix_like(photo.name, usual_suffix(form.name))
    notes = tuple(dict.fromkeys(draft.notes))
    return Encoded(draft.data, form.name, suffix, notes, disclosed)


def _draft(photo: Photo, base: Image, cloaked: Image, policy: Policy, form: Format) -> Draft:
    if policy.metadata == "all":
        return form.keep(photo, base, cloaked)
    return _anew(photo, cloaked, policy, form)


def _anew(photo: Photo, cloaked: Image, policy: Policy, form: Format) -> Draft:
    """Make a new file out of the pixels and the few fields that the policy keeps."""
    kept = Credits()
    if policy.metadata == "some":
        kept = readable(gather(parts_of(photo.data)).only(policy.fields))
    pixels, notes = _flat(photo, cloaked)
    if photo.raster.samples.dtype != np.uint8:
        notes = (*notes, "16 bits a channel became 8")
    rendered = RenderedImage(
        pixels,
        srgb_profile(),
        exif_block(kept),
        xmp_packet(kept),
        policy.quality,
        policy.subsampling,
    )
    data = form.new(rendered)
    while policy.bytes is not None and len(data) > policy.bytes and rendered.quality > 50:
        rendered = replace(rendered, quality=rendered.quality - 5)
        data = form.new(rendered)
    if policy.bytes is not None and len(data) > policy.bytes:
        raise OutputError(
            f"{photo.name}: cannot be made smaller than {policy.bytes} bytes at this size; "
            f"give the preset {policy.name} a smaller edge."
        )
    return Draft(data, (*photo.raster.notes, *notes, *kept.notes))


def _flat(photo: Photo, cloaked: Image) -> tuple[Image, tuple[str, ...]]:
    """Lay a transparent picture on white."""
    if not photo.raster.mode.endswith("A"):
        return cloaked, ()
    alpha = upright(to_eight(photo.raster.samples[..., -1:]), photo.raster.orientation)[..., 0]
    if alpha.min() == 255:
        return cloaked, ()
    size = cloaked.shape[1], cloaked.shape[0]
    cover = np.asarray(Pillow.fromarray(np.ascontiguousarray(alpha)).resize(size))[..., None]
    share = cover.astype(np.float32) / 255
    flat = np.rint(cloaked * share + 255 * (1 - share)).astype(np.uint8)
    return flat, ("transparency was laid on white",)


def written_pixels(encoded: Encoded, shape: tuple[int, ...], name: str) -> Image:
    """Decode a file that `encode` made, and return what it shows, (H, W, 3) upright sRGB.

    It is the caller's to do before the file is published, and to look at.

    Args:
        encoded: the file.
        shape: (H, W, 3) of what should be in it.
        name: of the source, for messages.

    Raises:
        OutputError: it does not decode, or is of another format or size.

    """
    try:
        written = read_bytes(encoded.data, name)
    except InputError as error:
        raise OutputError(f"{name}: what was encoded does not decode again: {error}") from error
    if written.format != encoded.format or written.pixels.shape != shape:
        raise OutputError(
            f"{name}: the encoded photo came out as {written.format} of {written.pixels.shape[1]} "
            f"× {written.pixels.shape[0]} pixels instead of {encoded.format} of "
            f"{shape[1]} × {shape[0]}; nothing was written."
        )
    return written.pixels


@stage("scan")
def _check(photo: Photo, policy: Policy, draft: Draft, form: Format) -> tuple[str, ...]:
    """Judge the written bytes once more: nothing may be in them that the tables do not know.

    The search for pictures and names is the second line.

    Returns:
        Of what kinds that is which the metadata tell, and the policy lets stay.

    """
    found = unknown(draft.data, draft.written, form) + strangers(draft.data, draft.written)
    told = disclosures(draft.data)
    if policy.metadata != "all":
        found += told
    if found:
        what = "; ".join(f"{one.kind} in {one.where} ({one.detail})" for one in found[:3])
        raise OutputError(
            f"{photo.name}: held back, since the file would still show {what}. Export it from your "
            "photo manager without previews, or use the preset anonymous."
        )
    return kinds_of(told)
