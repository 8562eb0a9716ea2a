"""What was seen in a photo, as the user corrected it: what is no face is none, before all else."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from photocloak.engine.detection.faces import Face
from photocloak.engine.seam import Box
from photocloak.plugin.people.assignment import Assignment, ObservedFace, Sighted
from photocloak.plugin.people.corrections import NOTHING, Correction, of_faces
from photocloak.plugin.pipeline.job import Job
from photocloak.plugin.pipeline.messages import Detections, FaceOrder


@dataclass(frozen=True)
class Corrected:
    """A photo's faces, and what the user said about each.

    Attributes:
        detections: without what is no face, and without faces out of reach that are left alone.
        said: of each of its faces.
        none: what is no face, as it was observed.
        dismissed: all that is no face, out of reach as well.
        left: the faces out of reach that are left alone.
        beyond: what the user said about each face out of reach.

    """

    detections: Detections
    said: tuple[Correction, ...]
    none: tuple[ObservedFace, ...]
    dismissed: tuple[Face, ...]
    left: tuple[Face, ...]
    beyond: tuple[Correction, ...]

    def sighted(self, job: Job, only: frozenset[int] | None) -> Sighted:
        """Return the photo as the people store sees it; see `Sighted.only`."""
        return Sighted(
            self.detections.content,
            self.detections.observed,
            job.hint,
            only_named=job.faces == "me",
            only=only,
            told={index: one.person for index, one in enumerate(self.said) if one.person},
            others={
                index: one.another_target
                for index, one in enumerate(self.said)
                if one.another_target
            },
            none=self.none,
        )


def corrected(
    detections: Detections, corrections: Mapping[Box, Correction], *, no_faces: bool = False
) -> Corrected:
    """Apply what the user said about the faces of a photo.

    Args:
        detections: all that may be a face.
        corrections: by box in the photo as it was decoded, see `Corrections.of`.
        no_faces: what is uncertain, or cannot be cloaked, is no face; but for what the user spoke
            of.

    """
    said = of_faces(map(detections.found, detections.faces), corrections)
    far = of_faces(map(detections.found, detections.out_of_reach), corrections)
    if no_faces:
        certain = [one.certain for one in detections.observed]
        said = tuple(
            words if sure or words != NOTHING else Correction(not_a_face=True)
            for words, sure in zip(said, certain, strict=True)
        )
        far = tuple(Correction(not_a_face=True) if one == NOTHING else one for one in far)
    faces = list(zip(detections.faces, detections.observed, said, strict=True))
    kept = [one for one in faces if not one[2].not_a_face]
    out_of_reach = list(zip(detections.out_of_reach, far, strict=True))
    beyond = [one for one in out_of_reach if not one[1].not_a_face]
    return Corrected(
        replace(
            detections,
            faces=tuple(face for face, _, _ in kept),
            observed=tuple(observed for _, observed, _ in kept),
            out_of_reach=tuple(face for face, words in beyond if not words.leave),
        ),
        tuple(words for _, _, words in kept),
        tuple(observed for _, observed, words in faces if words.not_a_face),
        (
            *(face for face, _, words in faces if words.not_a_face),
            *(face for face, words in out_of_reach if words.not_a_face),
        ),
        tuple(face for face, words in beyond if words.leave),
        tuple(words for _, words in beyond if not words.leave),
    )


def also(spared: Collection[int], who: Assignment, words: Correction) -> Correction:
    """Add to what the user said about a face what is said about all of the run."""
    spare = who.person is not None and who.person.id in spared
    return replace(words, leave=words.leave or (spare and words.fallback is None))


def order_of(job: Job, who: Assignment, words: Correction) -> FaceOrder | None:
    """Say what is to be done with a face; None: it is left alone."""
    if words.leave:
        return None
    if words.fallback is not None:
        return FaceOrder(None, {}, job.mode, words.fallback)
    target = who.target if who.instead is None else who.instead
    if target is None:
        return None
    return FaceOrder(target, who.reference, words.mode or job.mode, job.fallback)
