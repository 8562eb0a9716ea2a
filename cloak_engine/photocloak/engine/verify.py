"""What a cloak came to, measured on the pixels of the written file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from photocloak.engine.budget import Dssim
from photocloak.engine.detection.alignment import FaceSpace, Image
from photocloak.engine.detection.detector import Detector
from photocloak.engine.detection.faces import Face, same_face
from photocloak.engine.recognition.ensemble import Embeddings, Ensemble, cosine


@dataclass(frozen=True)
class FaceEvidence:
    """One face of a written photo.

    Attributes:
        box: x, y, w, h in pixels of the written photo.
        dssim: on the 224-px crop, against the clean photo of the same size.
        similarity: raw cosine to the clean face, by extractor.

    """

    box: tuple[int, int, int, int]
    dssim: float
    similarity: Mapping[str, float]

    def too_similar(self, ensemble: Ensemble) -> list[str]:
        """Return the extractors that would still accept the face at 1 % false accepts."""
        return [
            name
            for name, value in self.similarity.items()
            if value >= ensemble.extractors[name].spec.threshold
        ]


def measure(
    before: Image,
    after: Image,
    faces: Sequence[Face],
    clean: Sequence[Embeddings],
    *,
    ensemble: Ensemble,
    detector: Detector,
) -> list[FaceEvidence]:
    """Look at the written photo as a stranger would: detect, align and embed again.

    Args:
        before: (H, W, 3) uint8, the clean photo at the published size.
        after: (H, W, 3) uint8, the written file, decoded.
        faces: as found in `before`.
        clean: their raw features in `before`.
        ensemble: whose similarity to report.
        detector: to find the faces again.

    """
    again = detector(after, near=faces)
    embeddings = ensemble.embed(after, [same_face(face, again) or face for face in faces])
    result = []
    for face, was, now in zip(faces, clean, embeddings, strict=True):
        space = FaceSpace.of(face)
        result.append(
            FaceEvidence(
                box=whole_box(face, before.shape[:2]),
                dssim=Dssim(space.crop(before)).measure(space.crop(after)),
                similarity={name: cosine(was[name], now[name]) for name in now},
            )
        )
    return result


def whole_box(face: Face, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the box in whole pixels, cut at the picture's edges."""
    x, y, w, h = face.box
    left, top = max(int(np.floor(x)), 0), max(int(np.floor(y)), 0)
    right, bottom = min(int(np.ceil(x + w)), shape[1]), min(int(np.ceil(y + h)), shape[0])
    return left, top, right - left, bottom - top
