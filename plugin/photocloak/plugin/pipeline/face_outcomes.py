"""What became of each face of a photo, for its outcome."""

from collections.abc import Iterable

from photocloak.engine.detection.faces import Face
from photocloak.plugin.pipeline.job import FaceOutcome
from photocloak.plugin.pipeline.messages import CloakedFile, CloakPlan, Detections


def faces_done(plan: CloakPlan, cloaked: CloakedFile) -> tuple[FaceOutcome, ...]:
    """Return what became of each face; the evidence is of the touched ones alone."""
    detections, done = plan.order.detections, zip(cloaked.evidence, cloaked.worn, strict=True)
    result = []
    for face, order, who in zip(detections.faces, plan.order.faces, plan.assigned, strict=True):
        if order is None:
            result.append(face_left(detections, face))
            continue
        evidence, worn = next(done)
        result.append(
            FaceOutcome(
                evidence.box,
                None if who.person is None else who.person.label,
                evidence.dssim,
                evidence.similarity,
                worn.mode.name,
                worn.amounts,
                found=detections.found(face),
            )
        )
    return (*result, *faces_left(detections, plan.left))


def faces_left(detections: Detections, faces: Iterable[Face]) -> tuple[FaceOutcome, ...]:
    """Return faces as they are when nothing is done to them."""
    return tuple(face_left(detections, face) for face in faces)


def face_left(detections: Detections, face: Face) -> FaceOutcome:
    """Return a face as it is when nothing is done to it."""
    return FaceOutcome(
        detections.published(face),
        None,
        None,
        {},
        None,
        cloaked=False,
        found=detections.found(face),
    )
