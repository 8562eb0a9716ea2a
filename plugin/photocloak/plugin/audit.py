"""What was found in a file that somebody may publish, and how that is told."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from photocloak.core import ExitCode
from photocloak.engine.seam import Box
from photocloak.engine.verdict import Verdict
from photocloak.exporters import Finding
from photocloak.plugin.progress import clean, shown


class State(StrEnum):
    """The answer to "Would this file give a face away?", the worst first."""

    NOT_CLOAKED = "not_cloaked"
    HIDES_PICTURE = "hides_picture"
    COULD_NOT_LOOK = "could_not_look"
    WEAK = "weak"
    CLOAKED = "cloaked"
    NO_FACE = "no_face"


_CODES = {
    State.NOT_CLOAKED: ExitCode.OUTPUT,
    State.HIDES_PICTURE: ExitCode.OUTPUT,
    State.COULD_NOT_LOOK: ExitCode.INPUT,
    State.WEAK: ExitCode.TOO_WEAK,
}

_COUNTED = {
    State.NOT_CLOAKED: "not cloaked",
    State.HIDES_PICTURE: "hiding a clean picture",
    State.COULD_NOT_LOOK: "not looked at",
    State.WEAK: "cloaked, but weak",
    State.CLOAKED: "cloaked",
    State.NO_FACE: "without a face",
}


@dataclass(frozen=True)
class FoundFace:
    """A face in the file.

    Attributes:
        box: x, y, w, h in pixels, seen upright.
        person: name or label of whom it looks like; None: nobody who is known.
        cloaked: whether photocloak is known to have cloaked it.
        verdict: how well; None: it is not cloaked, or that is not known any more.
        left: the user asked for it to be left as it is.

    """

    box: Box
    person: str | None = None
    cloaked: bool = False
    verdict: Verdict | None = None
    left: bool = False

    @property
    def weak(self) -> bool:
        """Whether it is cloaked, but too little.

        By the verdict; where that is not known any more, if photocloak still tells who it is.
        """
        if self.verdict is None:
            return self.cloaked and self.person is not None
        return self.verdict.holds_back()

    def as_json(self) -> dict[str, Any]:
        """Return the face as it stands in `found` of `--json`."""
        return {
            "box": list(self.box),
            "person": self.person,
            "cloaked": self.cloaked,
            "verdict": self.verdict,
            "left": self.left,
        }

    @property
    def spot(self) -> str:
        """Whose it is and where, for people."""
        x, y, w, h = self.box
        return f"{self.person or 'a face'} at {x}, {y} ({w} × {h})"


@dataclass(frozen=True)
class Audit:
    """What was found in a file.

    Attributes:
        source: the file.
        leaks: embedded pictures, names, places, serials, histories.
        faces: all that were found, largest first.
        hidden: the embedded pictures that show a face, or that nobody can look into.
        reason: why the file could not be looked at.
        cloaked: whether it is a photo that photocloak cloaked, as it was written.

    """

    source: Path
    leaks: tuple[Finding, ...] = ()
    faces: tuple[FoundFace, ...] = ()
    hidden: tuple[str, ...] = ()
    reason: str | None = None
    cloaked: bool = False

    @property
    def state(self) -> State:
        """The one answer; of several, what is worst."""
        if self.reason is not None:
            return State.COULD_NOT_LOOK
        if not all(face.cloaked for face in self.faces):
            return State.NOT_CLOAKED
        if self.hidden:
            return State.HIDES_PICTURE
        if any(face.weak for face in self.faces):
            return State.WEAK
        return State.CLOAKED if self.faces or self.cloaked else State.NO_FACE

    @property
    def code(self) -> ExitCode:
        """Exit status if this were the only file."""
        return _CODES.get(self.state, ExitCode.OK)

    def as_json(self) -> dict[str, Any]:
        """Return the audit as it stands in `--json`."""
        known = [face for face in self.faces if face.person is not None]
        return {
            "source": str(self.source),
            "status": self.state,
            "cloaked": self.cloaked,
            "reason": self.reason,
            "leaks": [
                {"kind": one.kind, "where": one.where, "detail": one.detail} for one in self.leaks
            ],
            "faces": [{"box": list(face.box), "person": face.person} for face in known],
            "found": [face.as_json() for face in self.faces],
            "hidden": list(self.hidden),
        }

    def lines(self) -> list[str]:
        """Return the audit for people: the answer, then what else the file tells."""
        told = [face.spot for face in self.faces if face.cloaked and face.person and not face.weak]
        more = [f"still known to photocloak in spite of the cloak: {', '.join(told)}"] * bool(told)
        more += [f"also tells {one.kind} in {one.where}: {one.detail}" for one in self.leaks]
        # Silence could as well mean that nobody looked.
        nothing = "" if self.leaks or self.reason is not None else "; tells nothing else"
        name = shown(self.source)
        return [f"{name}: {clean(one)}" for one in [self._answer() + nothing, *more]]

    def _answer(self) -> str:
        match self.state:
            case State.COULD_NOT_LOOK:
                return f"could not look: {str(self.reason).removeprefix(f'{self.source}: ')}"
            case State.NOT_CLOAKED:
                return self._bare()
            case State.HIDES_PICTURE:
                return f"hides what may be a clean picture: {', '.join(self.hidden)}"
            case State.WEAK:
                weak = ", ".join(face.spot for face in self.faces if face.weak)
                return f"cloaked, but weak: {weak}; a stronger --mode changes more"
            case State.CLOAKED:
                return f"cloaked{_how_well(self.faces)}"
            case State.NO_FACE:
                return "no face"

    def _bare(self) -> str:
        """Say which faces are not cloaked; of nobody known, only that it is not known of them."""
        bare = [face for face in self.faces if not face.cloaked]
        if all(face.left for face in bare):
            return f"not cloaked, as you asked: {', '.join(face.spot for face in bare)}"
        spots = ", ".join(f"{face.spot}{' (as you asked)' * face.left}" for face in bare)
        if self.cloaked or any(face.person for face in bare):
            return f"not cloaked: {spots}"
        return f"not known to be cloaked: {spots}"


def _how_well(faces: Iterable[FoundFace]) -> str:
    known = Counter(face.verdict for face in faces if face.verdict is not None)
    words = [f"{known[verdict]} {verdict}" for verdict in Verdict if known[verdict]]
    return f" ({', '.join(words)})" if words else ""


@dataclass
class Sum:
    """The answer for all files: "Would give a face away: 3 of 6 (2 not cloaked · …)"."""

    states: "Counter[State]" = field(default_factory=Counter)

    def line(self) -> str:
        """Say how many files would give a face away, and how many there are of each kind."""
        counts = " · ".join(
            f"{self.states[one]} {_COUNTED[one]}" for one in State if self.states[one]
        )
        bad = self.states[State.NOT_CLOAKED] + self.states[State.HIDES_PICTURE]
        open_ = self.states[State.COULD_NOT_LOOK] + self.states[State.WEAK]
        unsure = "perhaps" if open_ else "no"
        answer = f"yes, {bad} of {self.states.total()}" if bad else unsure
        return f"Would these files give a face away? {answer}: {counts}"
