"""What was seen in a photo, as the user corrected it: what is no face is none, before all else."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from photocloak.engine.detection.faces import Face
from photocloak.engine.seam import Box
from photocloak.plugin.people.assignment import ObservedFace, Sighted
from photocloak.plugin.people.corrections import Correction, of_faces
from photocloak.plugin.pipeline.job import Job
from photocloak.plugin.pipeline.messages import Detections


@dataclass(frozen=True)
class Corrected:
    """A photo's faces, and what the user said about each.

    Attributes:
        detections: without what is no face, and without faces out of reach that are left alone.
        said: of each of its faces.
        none: what is no face, as it was observed.
        left: the faces out of reach that are left alone.

    """

    detections: Detections
    said: tuple[Correction, ...]
    none: tuple[ObservedFace, ...]
    left: tuple[Face, ...]

    def sighted(self, job: Job) -> Sighted:
        """Return the photo as the people store sees it."""
        return Sighted(
            self.detections.content,
            self.detections.observed,
            job.hint,
            only_named=job.faces == "me",
            told={index: one.person for index, one in enumerate(self.said) if one.person},
            others={
                index: one.another_target
                for index, one in enumerate(self.said)
                if one.another_target
            },
            none=self.none,
        )


def corrected(detections: Detections, corrections: Mapping[Box, Correction]) -> Corrected:
    """Apply what the user said about the faces of a photo.

    Args:
        detections: all that may be a face.
        corrections: by box in the photo as it was decoded, see `Corrections.of`.

    """
    said = of_faces(map(detections.found, detections.faces), corrections)
    far = of_faces(map(detections.found, detections.out_of_reach), corrections)
    faces = list(zip(detections.faces, detections.observed, said, strict=True))
    kept = [one for one in faces if not one[2].not_a_face]
    beyond = [
        one for one in zip(detections.out_of_reach, far, strict=True) if not one[1].not_a_face
    ]
    return Corrected(
        replace(
            detections,
            faces=tuple(face for face, _, _ in kept),
            observed=tuple(observed for _, observed, _ in kept),
            out_of_reach=tuple(face for face, words in beyond if not words.leave),
        ),
        tuple(words for _, _, words in kept),
        tuple(observed for _, observed, words in faces if words.not_a_face),
        tuple(face for face, words in beyond if words.leave),
    )
