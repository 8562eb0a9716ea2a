"""The files that are shown: cloaked by the product, made elsewhere, or only saved again."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from benchmarks.visibility.sources import Source
from photocloak import exporters
from photocloak.engine.detection.alignment import Image
from photocloak.plugin.evaluation.cache import file_hash
from photocloak.plugin.evaluation.cloaks import PRESET, Product
from photocloak.plugin.evaluation.protocol import Identity, Picture
from photocloak.plugin.progress import make_progress


def cloak(sources: Sequence[Source], mode: str, product: Product) -> dict[Path, Path]:
    """Return what `Pipeline.run` wrote of each source; photos held back are missing.

    Each person has people and outputs of their own, and what is done stays done, as in
    `photocloak evaluate`.
    """
    photos: dict[str, list[Picture]] = defaultdict(list)
    for one in sources:
        photos[one.person].append(Picture(one.path, file_hash(one.path)))
    identities = [Identity(name, True, tuple(taken), ()) for name, taken in photos.items()]
    pending = [one.path for who in identities for one in product.pending(who, mode)]
    show = make_progress("auto", pending)
    try:
        cloaked = [one for who in identities for one in product.cloak(who, mode, show)]
    finally:
        show.close()
    return {one.clean.path: one.written.path for one in cloaked if one.written is not None}


def save_again(photo: exporters.Photo) -> Image:
    """Return the (H, W, 3) uint8 pixels of a photo that went the way of a cloaked one, uncloaked.

    Raises:
        InputError: the photo cannot be written as it is.

    """
    policy = exporters.load_policy(PRESET)
    base = exporters.prepare(photo, policy)
    encoded = exporters.encode(photo, base, base, policy)
    return exporters.written_pixels(encoded, base.shape, photo.name)
