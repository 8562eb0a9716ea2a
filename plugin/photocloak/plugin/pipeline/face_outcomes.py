"""What became of each face of a photo, for its outcome."""

from collections.abc import Iterable
from dataclasses import replace
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
    faces = [*detections.faces, *detections.out_of_reach]
    for index, (face, label) in enumerate(zip_longest(faces, _labels(plan))):
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
            one = replace(_bare(detections, face, label), left=True)
        result.append(one)
    return (*result, *_left_beyond(plan))


def faces_left(plan: CloakPlan) -> tuple[FaceOutcome, ...]:
    """Return the faces of a photo in which all are left alone."""
    detections = plan.order.detections
    faces = zip(detections.faces, _labels(plan), strict=True)
    left = tuple(replace(_bare(detections, *one), left=True) for one in faces)
    return (*left, *_left_beyond(plan))


def faces_held(detections: Detections, faces: Iterable[Face]) -> tuple[FaceOutcome, ...]:
    """Return faces of a photo that is held back before anything is done to them."""
    return tuple(_bare(detections, face) for face in faces)


def _left_beyond(plan: CloakPlan) -> tuple[FaceOutcome, ...]:
    return tuple(replace(_bare(plan.order.detections, face), left=True) for face in plan.left)


def _labels(plan: CloakPlan) -> list[str | None]:
    return [None if one.person is None else one.person.label for one in plan.assigned]


def _bare(detections: Detections, face: Face, label: str | None = None) -> FaceOutcome:
    return FaceOutcome(
        detections.published(face),
        label,
        None,
        {},
        None,
        cloaked=False,
        found=detections.found(face),
    )
