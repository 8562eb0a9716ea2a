"""What became of each face of a photo, for its outcome."""

from collections.abc import Iterable
from itertools import zip_longest

from photocloak.engine.detection.faces import Face
from photocloak.plugin.pipeline.job import FaceOutcome
from photocloak.plugin.pipeline.messages import CloakedFile, CloakPlan, Detections


def faces_done(plan: CloakPlan, cloaked: CloakedFile) -> tuple[FaceOutcome, ...]:
    """Return what became of each face; the evidence is of the touched ones alone."""
    detections = plan.order.detections
    measured = zip(cloaked.evidence, cloaked.worn, cloaked.accepting, strict=True)
    done = dict(zip(cloaked.cloaked, measured, strict=True))
    result = []
    labels = [None if one.person is None else one.person.label for one in plan.assigned]
    faces = [*detections.faces, *detections.out_of_reach]
    for index, (face, label) in enumerate(zip_longest(faces, labels)):
        if index in done:
            evidence, worn, accepting = done[index]
            one = FaceOutcome(
                evidence.box,
                label,
                evidence.dssim,
                evidence.similarity,
                worn.mode.name,
                worn.amounts,
                accepting=accepting,
                found=detections.found(face),
            )
        elif index in cloaked.obscured:
            hidden = cloaked.obscured[index]
            one = FaceOutcome(
                hidden.evidence.box,
                label,
                hidden.evidence.dssim,
                hidden.evidence.similarity,
                None,
                cloaked=False,
                accepting=hidden.accepting,
                fallback=hidden.how,
                found=detections.found(face),
            )
        else:
            one = face_left(detections, face)
        result.append(one)
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
