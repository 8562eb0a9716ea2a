"""The faces of a photo that are made unrecognisable instead of cloaked, by index.

The faces that can be aligned come first, in the order of the detections; those out of reach follow.
"""

from collections.abc import Iterable, Mapping

from photocloak.engine.detection.alignment import Image
from photocloak.engine.detection.faces import Face, filling
from photocloak.engine.detection.landmarks import FindLandmarks
from photocloak.engine.modes import Fallback
from photocloak.engine.obscure import obscure
from photocloak.engine.recognition.ensemble import Embeddings, Ensemble
from photocloak.plugin.pipeline.messages import CloakRequest, Detections


def ways(order: CloakRequest) -> dict[int, Fallback]:
    """Return how the faces are made unrecognisable for which no cloak is tried."""
    count = len(order.faces)
    hopeless = fallbacks(order).items()
    asked = {index: how for index, how in hopeless if _untried(order, index)}
    return asked | {count + number: how for number, how in enumerate(order.beyond)}


def fallbacks(order: CloakRequest) -> dict[int, Fallback]:
    """Return how the faces may be made unrecognisable that no cloak is strong enough for."""
    return {
        index: one.fallback
        for index, one in enumerate(order.faces)
        if one is not None and one.fallback is not None
    }


def cover(
    image: Image,
    detections: Detections,
    hidden: Mapping[int, Fallback],
    find: FindLandmarks,
    *,
    tried: int,
) -> Image:
    """Return the photo with the faces made unrecognisable; `tried`: how often before."""
    for index, how in hidden.items():
        image = obscure(image, _face(detections, index), find, how, tried=tried)
    return image


def standing(detections: Detections, index: int) -> Face:
    """Return a face as it is measured: one out of reach as if it stood upright in its box."""
    face = _face(detections, index)
    return face if index < len(detections.faces) else filling(face)


def clean_features(
    ensemble: Ensemble, image: Image, detections: Detections, hidden: Iterable[int]
) -> list[Embeddings]:
    """Return the features of the faces as they are in the photo; image is the clean one."""
    beyond = [index for index in hidden if index >= len(detections.faces)]
    looked = ensemble.embed(image, [standing(detections, index) for index in beyond])
    seen = dict(zip(beyond, looked, strict=True))
    return [
        seen[index] if index in seen else detections.observed[index].features for index in hidden
    ]


def _untried(order: CloakRequest, index: int) -> bool:
    one = order.faces[index]
    return one is not None and one.target is None


def _face(detections: Detections, index: int) -> Face:
    return (*detections.faces, *detections.out_of_reach)[index]
