"""Some faces before, after, and what changed, for the local page only."""

import base64
import io
from collections.abc import Iterator

import numpy as np
from PIL import Image as Pillow

from photocloak import exporters
from photocloak.engine.detection.alignment import Image
from photocloak.engine.detection.faces import Face
from photocloak.plugin.evaluation.observer import Observer, Shot
from photocloak.plugin.evaluation.run import ModeResult
from photocloak.plugin.html import Html, join, tag
from photocloak.plugin.pictures import AMPLIFIED, difference

SHOWN = 8
LARGEST = 400
"""Edge in pixels to which larger crops are reduced."""


def samples(mode: ModeResult, observer: Observer) -> Html:
    """Return the faces whose change is spread evenly from the least to the most visible."""
    ranked = sorted(mode.changes, key=lambda one: one[1].low_luma)
    chosen = np.unique(np.linspace(0, len(ranked) - 1, SHOWN).round().astype(int))
    figures = []
    for index in chosen if ranked else ():
        photo, change = ranked[index]
        seen = observer.seen(Shot(photo.clean))
        if seen is None or photo.written is None:
            continue
        pictures = [exporters.read(one.path).pixels for one in (photo.clean, photo.written)]
        caption = (
            f"{photo.clean.path.name}: face of {change.size:.0f} px, DSSIM {change.dssim:.4f}, "
            f"low-passed luma {change.low_luma:.2f}; before, after, {AMPLIFIED} times the change"
        )
        images = list(_images(seen.face, *pictures))
        figures.append(
            tag("figure", tag("div", *images, class_="faces"), tag("figcaption", caption))
        )
    return join(figures)


def _images(face: Face, before: Image, after: Image) -> Iterator[Html]:
    x, y, w, h = face.box
    left, top = max(int(x - w / 4), 0), max(int(y - h / 4), 0)
    part = np.s_[top : int(y + 1.25 * h), left : int(x + 1.25 * w)]
    for alt, pixels in (
        ("before", before[part]),
        ("after", after[part]),
        ("difference", difference(before[part], after[part])),
    ):
        picture = Pillow.fromarray(pixels)
        picture.thumbnail((LARGEST, LARGEST))
        buffer = io.BytesIO()
        picture.save(buffer, "PNG")
        source = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
        yield tag("img", src=source, alt=alt, width=picture.width, height=picture.height)
