"""What one file gives away; the audit that step 3 of the method asks for (limiting content)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from photocloak import exporters
from photocloak.core import ExitCode, PhotocloakError
from photocloak.engine.seam import box_as_published
from photocloak.engine.verify import whole_box
from photocloak.plugin.people.registry import People
from photocloak.plugin.pipeline.process_photo import Engine, cut_open, sha256
from photocloak.plugin.progress import clean, shown
from photocloak.plugin.storage.outputs import Outputs


@dataclass(frozen=True)
class KnownFace:
    """A face that looks like a known person: it is not cloaked, or too little.

    Attributes:
        box: x, y, w, h in pixels, seen upright.
        person: name or label.

    """

    box: tuple[int, int, int, int]
    person: str


@dataclass(frozen=True)
class Audit:
    """What was found in a file.

    Attributes:
        source: the file.
        leaks: embedded pictures, names, places, serials.
        faces: of known people.
        reason: why the file could not be looked at.
        code: exit status if this were the only file.
        cloaked: whether it is a photo that photocloak cloaked, as it was written.

    """

    source: Path
    leaks: tuple[exporters.Finding, ...] = ()
    faces: tuple[KnownFace, ...] = ()
    reason: str | None = None
    code: ExitCode = ExitCode.OK
    cloaked: bool = False

    @property
    def status(self) -> str:
        """`clean`, `leaks` or `failed`."""
        if self.reason is not None:
            return "failed"
        return "leaks" if self.leaks or self.faces else "clean"

    def as_json(self) -> dict[str, Any]:
        """Return the audit as it stands in `--json`."""
        return {
            "source": str(self.source),
            "status": self.status,
            "cloaked": self.cloaked,
            "reason": self.reason,
            "leaks": [
                {"kind": one.kind, "where": one.where, "detail": one.detail} for one in self.leaks
            ],
            "faces": [{"box": list(face.box), "person": face.person} for face in self.faces],
        }

    def lines(self) -> list[str]:
        """Return the audit for people."""
        name = shown(self.source)
        if self.reason is not None:
            return [f"failed: {clean(self.reason)}"]
        found = [f"{one.kind} in {one.where}: {one.detail}" for one in self.leaks]
        for face in self.faces:
            x, y, w, h = face.box
            found.append(f"face of {face.person} at {x}, {y} ({w} × {h}), {self._how}")
        return [f"{name}: {clean(one)}" for one in found] or [f"{name}: clean"]

    @property
    def _how(self) -> str:
        if not self.cloaked:
            return "not cloaked"
        return "who can still be told in spite of the cloak; a stronger --mode changes more"


class Auditor:
    """Looks at files; learns nothing about people."""

    def __init__(self, engine: Engine, people: People, outputs: Outputs) -> None:
        self._engine, self._people, self._outputs = engine, people, outputs

    def __call__(self, path: Path) -> Audit:
        """Look at one file."""
        try:
            photo = exporters.read(path)
            leaks = tuple(exporters.scan(photo.data))
            cloaked = self._outputs.knows(sha256(photo.data))
            if cloaked:
                # The pictures in a file of ours are of the cloaked photo, made by us.
                leaks = tuple(one for one in leaks if one.kind != "picture")
            faces = self._known(photo)
        except PhotocloakError as error:
            return Audit(path, reason=str(error), code=error.exit_code)
        code = ExitCode.OUTPUT if leaks or faces else ExitCode.OK
        return Audit(path, leaks, faces, code=code, cloaked=cloaked)

    def _known(self, photo: exporters.Photo) -> tuple[KnownFace, ...]:
        pixels, column = cut_open(self._engine.detector, photo, photo.pixels)
        found = self._engine.detector(pixels)
        people = self._people.recognise(self._engine.ensemble.embed(pixels, found))
        result = []
        for face, person in zip(found, people, strict=True):
            if person is not None:
                box = box_as_published(whole_box(face, pixels.shape), column, pixels.shape[1])
                result.append(KnownFace(box, person.label))
        return tuple(result)
