"""Whether one file would give a face away; the audit that step 3 of the method asks for."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from photocloak import exporters
from photocloak.core import PhotocloakError
from photocloak.engine.detection.alignment import Image
from photocloak.engine.seam import Box, box_as_published
from photocloak.engine.verify import whole_box
from photocloak.plugin.audit import Audit, FoundFace
from photocloak.plugin.people.corrections import Corrections, of_faces, overlap
from photocloak.plugin.people.registry import People
from photocloak.plugin.pipeline.job import FaceOutcome, box_from
from photocloak.plugin.pipeline.looking import cut_open, faces_in
from photocloak.plugin.pipeline.process_photo import Engine, sha256
from photocloak.plugin.storage.file_kinds import Kind, kind_of_file
from photocloak.plugin.storage.inputs import search
from photocloak.plugin.storage.outputs import Outputs
from photocloak.plugin.storage.results import Result, Results
from photocloak.plugin.storage.walk import Seen

SAME = 0.3
"""Overlap of two boxes of one face, before and after it was cloaked (intersection over union)."""

_NO_PICTURE = {Kind.TEXT, Kind.AUDIO, Kind.SIDECAR}
_TRIED = {Kind.OTHER, Kind.PICTURE, Kind.CONFLICT}
_BOOKS = {".ds_store", ".directory", ".hidden", ".nomedia", "desktop.ini"}
"""Names, in lower case, under which file managers keep their settings."""


@dataclass
class Content:
    """What lies where files are to be checked.

    Attributes:
        files: to look at: also hidden ones, and those whose name does not say what they are.
        blind: what nobody can look into, though there may be a face in it.
        passed: what has no picture.

    """

    files: list[Path] = field(default_factory=list)
    blind: list[Audit] = field(default_factory=list)
    passed: list[Seen] = field(default_factory=list)


def content_of(paths: Iterable[Path]) -> Content:
    """Return all that lies there; nothing that may show a face is passed over silently."""
    found = search(list(paths), exporters.suffixes())
    content = Content([one.source for one in found.photos])
    for seen in found.passed:
        kind = _what(seen)
        if kind in _NO_PICTURE:
            content.passed.append(seen)
        elif kind is None or kind in _TRIED:
            content.files.append(seen.path)
        else:
            what = f"not a photo that photocloak reads ({kind})"
            content.blind.append(Audit(seen.path, reason=f"{seen.path}: {what}."))
    return content


def _what(seen: Seen) -> Kind | None:
    """Say what a file is, hidden or not; None: a photo by its name."""
    low = seen.name.lower()
    if low in _BOOKS:
        return Kind.TEXT
    if seen.kind is not Kind.HIDDEN or not seen.path.is_file():
        return seen.kind
    return kind_of_file(low.lstrip("."), exporters.suffixes())


class Auditor:
    """Looks at files; learns nothing about people.

    That a file is cloaked is known of the very bytes that photocloak wrote on this computer. One
    that was written elsewhere, or saved again since, cannot be told from an original.
    """

    def __init__(
        self,
        engine: Engine,
        people: People,
        outputs: Outputs,
        results: Results,
        corrections: Corrections,
    ) -> None:
        self._engine, self._people = engine, people
        self._outputs, self._results, self._corrections = outputs, results, corrections

    def __call__(self, path: Path) -> Audit:
        """Look at one file; what hinders that is part of the answer."""
        try:
            photo = exporters.read(path)
            file = sha256(photo.data)
            found = self._found(photo)
            written = next(iter(self._results.made(file)), None)
            if written is not None:
                found = _as_written(found, written)
            if self._outputs.knows(file):
                if written is None:  # its faces were not kept; as a whole it was cloaked
                    found = tuple(replace(face, cloaked=True) for face in found)
                # The pictures in a file of ours are of the cloaked photo, made by us.
                leaks = tuple(exporters.disclosures(photo.data))
                return Audit(path, leaks, found, cloaked=True)
            leaks = tuple(exporters.scan(photo.data))
            return Audit(path, leaks, self._corrected(photo, found), self._hidden(photo))
        except (PhotocloakError, MemoryError) as error:
            return Audit(path, reason=str(error) or f"{path}: there is not enough memory for it.")

    def _found(self, photo: exporters.Photo) -> tuple[FoundFace, ...]:
        """Find the faces, and whom they look like."""
        pixels, column = cut_open(self._engine.detector, photo, photo.pixels)
        found = faces_in(self._engine, pixels)
        people = self._people.recognise(self._engine.ensemble.embed(pixels, found))
        return tuple(
            FoundFace(
                box_as_published(whole_box(face, pixels.shape), column, pixels.shape[1]),
                None if person is None else person.label,
            )
            for face, person in zip(found, people, strict=True)
        )

    def _corrected(
        self, photo: exporters.Photo, found: tuple[FoundFace, ...]
    ) -> tuple[FoundFace, ...]:
        """Apply what the user said about the faces of an original, by its pixels."""
        corrections = self._corrections.of(sha256(photo.pixels.data))
        said = of_faces((face.box for face in found), corrections)
        return tuple(
            replace(face, left=face.left or words.leave)
            for face, words in zip(found, said, strict=True)
            if not words.not_a_face
        )

    def _hidden(self, photo: exporters.Photo) -> tuple[str, ...]:
        """Return the embedded pictures that show a face, or into which nobody can look."""
        found = (name for name, pixels in exporters.hidden(photo.data) if self._may_show(pixels))
        return tuple(dict.fromkeys(found))

    def _may_show(self, pixels: Image | None) -> bool:
        """Tell whether there may be a face in a picture, whichever way up it was stored."""
        if pixels is None:
            return True
        ways = (np.ascontiguousarray(np.rot90(pixels, turns)) for turns in range(4))
        return any(self._engine.detector(one) for one in ways)


def _as_written(found: tuple[FoundFace, ...], result: Result) -> tuple[FoundFace, ...]:
    """Say of the faces in a file that we wrote what was done with them."""
    then = tuple(map(FaceOutcome.from_json, result.outcome["faces"]))
    none = [box_from(row) for row in result.outcome.get("not_faces", ())]
    faces = ((face, _of(face.box, then)) for face in found)
    return tuple(
        _told(face, before)
        for face, before in faces
        if before is not None or not any(overlap(face.box, box) >= SAME for box in none)
    )


def _of(box: Box, faces: Collection[FaceOutcome]) -> FaceOutcome | None:
    """Return the face that was there when the file was written."""
    best = max(faces, key=lambda face: overlap(face.box, box), default=None)
    return best if best is not None and overlap(best.box, box) >= SAME else None


def _told(face: FoundFace, then: FaceOutcome | None) -> FoundFace:
    if then is None:
        return face
    if not (then.cloaked or then.fallback):
        return replace(face, person=then.person or face.person, left=then.left)
    return FoundFace(face.box, face.person, cloaked=True, verdict=then.verdict)
