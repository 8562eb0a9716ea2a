"""Enroll a named person from photos: find the face that is meant in each, and learn from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from photocloak import exporters
from photocloak.core import ExitCode, InputError
from photocloak.engine.detection.faces import Face, alignable
from photocloak.plugin.people.assignment import ObservedFace
from photocloak.plugin.people.enrolment import RefusedError
from photocloak.plugin.people.profiles import Person
from photocloak.plugin.people.registry import People
from photocloak.plugin.pipeline.decisions import chooser
from photocloak.plugin.pipeline.process_photo import Engine, sha256
from photocloak.plugin.storage.outputs import Outputs

CLEARLY = 2.0
"""How many times as large as every other a face must be to be the one that is meant."""


@dataclass(frozen=True)
class Learned:
    """What came of one photo: `reason` says why nothing was learned from it; None: it was."""

    source: Path
    reason: str | None = None
    code: ExitCode = ExitCode.OK

    def as_json(self) -> dict[str, object]:
        """Return what stands in `--json`."""
        learned = self.reason is None
        return {"source": str(self.source), "learned": learned, "reason": self.reason}


@dataclass(frozen=True)
class EnrolmentPhoto:
    """A photo that shows one person: hash of its pixels, and the face."""

    source: Path
    content: str
    face: ObservedFace


@dataclass(frozen=True)
class Enrolled:
    """What came of an enrolment.

    Attributes:
        person: who was learned; None: nobody.
        photos: what came of each, in their order.
        refused: the photos show no one person, or somebody else; None: that was not the matter.

    """

    person: Person | None
    photos: list[Learned]
    refused: RefusedError | None = None


def enroll(
    engine: Engine, people: People, outputs: Outputs, name: str, photos: Sequence[Path]
) -> Enrolled:
    """Learn a person, and say what came of each photo."""
    seen = [_portrait(engine, outputs, photo) for photo in photos]
    portraits = {one.content: one for one in seen if isinstance(one, EnrolmentPhoto)}
    if not portraits:
        return Enrolled(None, [one for one in seen if isinstance(one, Learned)])

    faces = {content: one.face for content, one in portraits.items()}
    try:
        person, kept = people.enroll(name, faces, choose=chooser(engine.library))
    except RefusedError as refused:
        return Enrolled(None, _results(seen, refused.why), refused)
    other = f"left out, since its face does not look like {name}'s others"
    return Enrolled(person, _results(seen, dict.fromkeys(faces.keys() - kept, other)))


def _results(seen: Sequence[EnrolmentPhoto | Learned], why: Mapping[str, str]) -> list[Learned]:
    """Turn portraits into what came of them; `why` says it of those that taught nothing."""
    return [
        one
        if isinstance(one, Learned)
        else Learned(one.source, f"{one.source}: {why[one.content]}.", ExitCode.CONFIG)
        if one.content in why
        else Learned(one.source)
        for one in seen
    ]


def _portrait(engine: Engine, outputs: Outputs, source: Path) -> EnrolmentPhoto | Learned:
    """Find the face that is meant, or say why there is none."""
    try:
        photo = exporters.read(source)
    except InputError as error:
        return Learned(source, str(error), error.exit_code)
    if outputs.knows(sha256(photo.data)):
        reason = f"{source}: photocloak has cloaked this photo; name the original."
        return Learned(source, reason, ExitCode.CONFIG)
    found = engine.detector(photo.pixels)
    faces = [one for one in found if one.score >= engine.detector.high]
    faces = [one for one in faces if alignable(one, photo.pixels.shape)]
    faces.sort(key=_size, reverse=True)
    if not faces:
        reason = (
            f"{source}: shows no face clearly enough; name a photo with a larger or sharper one."
        )
        return Learned(source, reason, ExitCode.NO_FACE)
    if len(faces) > 1 and _size(faces[0]) < CLEARLY * _size(faces[1]):
        reason = (
            f"{source}: shows {len(faces)} faces and does not tell which is meant; crop it to one "
            f"(or to one at least {CLEARLY:g} times as large as the others)."
        )
        return Learned(source, reason, ExitCode.NO_FACE)
    (features,) = engine.ensemble.embed(photo.pixels, faces[:1])
    attributes = engine.find_attributes(photo.pixels, faces[0], features)
    content = sha256(photo.pixels.tobytes())
    return EnrolmentPhoto(
        source, content, ObservedFace(features, certain=True, attributes=attributes)
    )


def _size(face: Face) -> float:
    return max(face.box[2], face.box[3])
