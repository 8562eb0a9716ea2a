"""Whom a photo shows that is labelled with one name."""

from collections.abc import Sequence

import numpy as np

from photocloak.engine.detection.faces import Face, alignable


def main_face(faces: Sequence[Face], shape: tuple[int, int]) -> Face | None:
    """Return whom a photo labelled with one name shows: large, certain and near the middle."""

    def weight(face: Face) -> float:
        x, y, w, h = face.box
        away = np.hypot(x + w / 2 - shape[1] / 2, y + h / 2 - shape[0] / 2)
        return float(w * h / (1 + (away / (0.25 * min(shape))) ** 2))

    return max((face for face in faces if alignable(face, shape)), key=weight, default=None)
