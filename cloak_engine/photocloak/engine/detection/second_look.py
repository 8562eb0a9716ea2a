"""A second, independent look at what may be a face: does the landmark network see one there?

The detector is built for recall; of what it is not sure of, much is pots, blossoms and animals.
FaceMesh was trained apart from it and says how sure it is that it sees a face. Of small faces it
cannot tell: half of the real ones of 20 to 50 pixels that the detector is not sure of it does not
see at all (docs/lab/detection.md), nor faces that the photo's edge cuts off. So only large and
whole findings are looked at, of which an uncertain one would be a face that is seen clearly.
"""

from collections.abc import Sequence
from typing import Final

from photocloak.engine.detection.alignment import Image
from photocloak.engine.detection.faces import Face, alignable, filling
from photocloak.engine.detection.landmarks import FindLandmarks

LARGE: Final = 60.0
"""Pixels across a face from which the second look counts."""

NOTHING: Final = 0.02
"""Presence below which the network sees nothing; of 26 real faces that large the least had .028."""

_TURNS: Final = 4


def confirmed(
    image: Image, faces: Sequence[Face], find: FindLandmarks, *, high: float
) -> list[Face]:
    """Return the faces without those that are uncertain, large, and seen by the detector alone.

    Args:
        image: (H, W, 3) uint8 sRGB.
        faces: as detected in it.
        find: the landmark network.
        high: score from which a face is certain; such a one is not looked at again.

    """
    return [
        face
        for face in faces
        if face.score >= high
        or face.size < LARGE
        or _cut_off(face, image.shape)
        or _seen(image, face, find)
    ]


def _cut_off(face: Face, shape: tuple[int, ...]) -> bool:
    """Tell whether a face reaches beyond the photo: of half a face the network sees nothing."""
    x, y, w, h = face.box
    return x < 0 or y < 0 or x + w > shape[1] or y + h > shape[0]


def _seen(image: Image, face: Face, find: FindLandmarks) -> bool:
    """Tell whether the network sees anything like a face; any way up, if that is not known."""
    ways = [filling(face, turns) for turns in range(_TURNS)]
    looks = [face] if alignable(face, image.shape) else ways
    return any(find(image, one).presence >= NOTHING for one in looks)
