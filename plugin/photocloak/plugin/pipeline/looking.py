"""What is seen in a photo, with the models: its faces, and their features."""

import time

from photocloak import exporters
from photocloak.core import InputError
from photocloak.core.stages import stage
from photocloak.engine import seam
from photocloak.engine.detection.alignment import Image
from photocloak.engine.detection.detector import Detector
from photocloak.engine.detection.faces import Face, alignable
from photocloak.engine.detection.second_look import confirmed
from photocloak.engine.optimisation.surrogates import by_turns
from photocloak.plugin.people.assignment import ObservedFace
from photocloak.plugin.pipeline.messages import Detections
from photocloak.plugin.pipeline.process_photo import Engine, Opened, sha256


def detect(engine: Engine, opened: Opened) -> Detections:
    """Find the faces of a photo and embed them."""
    started = time.monotonic()
    base, column = cut_open(engine.detector, opened.photo, opened.base)
    faces = faces_in(engine, base)
    within = [face for face in faces if alignable(face, base.shape)]
    if within:
        # They are most likely cloaked next.
        engine.ensemble.open_ahead("step", by_turns(engine.ensemble.extractors))
    return Detections(
        sha256(opened.photo.pixels.data),
        (base.shape[0], base.shape[1]),
        tuple(within),
        _sightings(engine, base, within),
        tuple(face for face in faces if face not in within),
        opened.seconds + time.monotonic() - started,
        column,
        opened.photo.pixels.shape[1] / base.shape[1],
    )


@stage("detect")
def faces_in(engine: Engine, base: Image) -> list[Face]:
    """Return what may be a face in a picture, also after a second look, largest first."""
    found = engine.detector(base)
    return confirmed(base, found, engine.landmarks, high=engine.detector.high)


def cut_open(detector: Detector, photo: exporters.Photo, base: Image) -> tuple[Image, int]:
    """Return a picture with no face on its edges, and its column that is the first then.

    Raises:
        InputError: faces may be cut in this 360° photo, or it has them in every column.

    """
    column = seam.cut(base, detector) if exporters.wraps(photo) else 0
    if column is None:
        raise InputError(
            f"{photo.name}: this 360° photo has faces all around, so that it cannot be cut open "
            "between them; export the view that you want as an ordinary photo."
        )
    return seam.turned(base, column), column


@stage("embed")
def _sightings(engine: Engine, base: Image, faces: list[Face]) -> tuple[ObservedFace, ...]:
    features = engine.ensemble.embed(base, faces)
    return tuple(
        ObservedFace(
            own,
            certain=face.score >= engine.detector.high,
            attributes=engine.find_attributes(base, face, own),
        )
        for face, own in zip(faces, features, strict=True)
    )
