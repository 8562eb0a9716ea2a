"""What became of each face of a photo, for its outcome."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import zip_longest

from photocloak.engine.detection.faces import Face
from photocloak.plugin.people.profiles import Person
from photocloak.plugin.pipeline.job import FaceOutcome
from photocloak.plugin.pipeline.messages import CloakedFile, CloakPlan, Detections


def faces_done(plan: CloakPlan, cloaked: CloakedFile) -> tuple[FaceOutcome, ...]:
    """Return what became of each face; the evidence is of the touched ones alone."""
    detections = plan.order.detections
    measured = zip(cloaked.evidence, cloaked.worn, cloaked.accepting, strict=True)
    done = dict(zip(cloaked.cloaked, measured, strict=True))
    result = []
    faces = [*detections.faces, *detections.out_of_reach]
    for index, (face, person) in enumerate(zip_longest(faces, _people(plan))):
        if index in done:
            evidence, worn, accepting = done[index]
            one = FaceOutcome(
                evidence.box,
                None if person is None else person.label,
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
                None if person is None else person.label,
                hidden.evidence.dssim,
                hidden.evidence.similarity,
                None,
                cloaked=False,
                accepting=hidden.accepting,
                fallback=hidden.how,
                found=detections.found(face),
            )
        else:
            one = replace(_bare(detections, face, person), left=True)
        result.append(replace(one, person_id=None if person is None else person.id))
    return (*result, *_left_beyond(plan))


def faces_left(plan: CloakPlan) -> tuple[FaceOutcome, ...]:
    """Return the faces of a photo in which all are left alone."""
    detections = plan.order.detections
    faces = zip(detections.faces, _people(plan), strict=True)
    left = tuple(replace(_bare(detections, *one), left=True) for one in faces)
    return (*left, *_left_beyond(plan))


def faces_held(detections: Detections, faces: Iterable[Face]) -> tuple[FaceOutcome, ...]:
    """Return faces of a photo that is held back before anything is done to them."""
    return tuple(_bare(detections, face) for face in faces)


def _left_beyond(plan: CloakPlan) -> tuple[FaceOutcome, ...]:
    return tuple(replace(_bare(plan.order.detections, face), left=True) for face in plan.left)


def _people(plan: CloakPlan) -> list[Person | None]:
    return [one.person for one in plan.assigned]


def _bare(detections: Detections, face: Face, person: Person | None = None) -> FaceOutcome:
    return FaceOutcome(
        detections.published(face),
        None if person is None else person.label,
        None,
        {},
        None,
        cloaked=False,
        found=detections.found(face),
        person_id=None if person is None else person.id,
    )
