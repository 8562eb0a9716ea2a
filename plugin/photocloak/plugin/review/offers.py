"""What can be done about a photo or a face: the buttons, by the word that each sends."""

from photocloak.engine.modes import offered_modes
from photocloak.engine.verdict import Verdict
from photocloak.plugin.people.corrections import Correction
from photocloak.plugin.pipeline.job import AS_IT_IS, FaceOutcome, Status
from photocloak.plugin.progress import clean
from photocloak.plugin.review.album import Photo
from photocloak.plugin.review.staging import Wishes

Offers = list[tuple[str, str]]
"""What a button sends, and what stands on it."""

ADVICE = {
    Status.TOO_WEAK: "A stronger mode, another target or a blur of the face may do; or leave the "
    "photo out.",
    Status.UNCERTAIN: "If that is no face, say so below. Else blur it, leave it as it is, or leave "
    "the photo out.",
    Status.NO_FACE: "If there is a face in it, leave the photo out: photocloak does not see it.",
    Status.NOBODY_NAMED: "Only people with a name are cloaked, as your settings say.",
}
"""What the user may do, by why a photo is held back."""

BLURS = {"blur": "blurred", "pixelate": "pixelated", "box": "covered"}
"""How a face can be made unrecognisable, and what it is called then."""


def of_photo(photo: Photo, wishes: Wishes) -> Offers:
    """Return what can be done about a photo as a whole."""
    found: Offers = []
    if photo.waits or photo.outcome is None:
        return found
    if photo.failed:
        found.append(("again", "Try again"))
    if str(photo.source) in wishes.weak:
        found.append(("strict", "Hold it back where it is weak"))
    elif photo.held and photo.outcome.verdict is Verdict.WEAK:
        found.append(("weak", "Publish it although it is weak"))
    if str(photo.source) in wishes.as_it_is:
        found.append(("hold", "Hold it back where it has no face"))
    elif photo.held and photo.outcome.status in AS_IT_IS:
        found.append(("as_it_is", "Publish it as it is"))
    return found


def advice(photo: Photo) -> str:
    """Say what may be done about a photo that is held back."""
    if not photo.held or photo.outcome is None:
        return ""
    return ADVICE.get(photo.outcome.status, "")


def of_face(face: FaceOutcome, said: Correction) -> Offers:
    """Return what can be said about a face."""
    found: Offers = []
    if said.leave or said.fallback or not face.cloaked:
        found.append(("cloak", "Cloak it"))
    if face.mode is not None and not said.fallback:
        found += [(what, what.capitalize()) for what in ("stronger", "weaker") if may(face, what)]
        found.append(("another_target", "Another target"))
    if not said.fallback:
        found.append(("blur", "Blur instead"))
    if not said.leave:
        found.append(("leave", "Leave as it is"))
    found.append(("not_a_face", "Not a face"))
    if said != Correction():
        found.append(("reset", "Undo all you said"))
    return found


def in_words(said: Correction) -> list[str]:
    """Say what the user said about a face."""
    found = []
    if said.person:
        found.append(f"this is {clean(said.person)}")
    if said.leave:
        found.append("left as it is")
    if said.fallback:
        found.append(BLURS[said.fallback])
    if said.mode:
        found.append(f"mode {said.mode}")
    if said.another_target:
        times = f" ({said.another_target} times)" if said.another_target > 1 else ""
        found.append(f"another target{times}")
    return found


def may(face: FaceOutcome, what: str) -> bool:
    """Tell whether there is a stronger, or a weaker, mode for a face."""
    there = offered_modes()  # the gentlest first
    return face.mode in there and face.mode != there[-1 if what == "stronger" else 0]


def mode_of(face: FaceOutcome, what: str) -> str:
    """Return the next stronger or weaker mode; see `may`."""
    there = offered_modes()
    return there[there.index(str(face.mode)) + (1 if what == "stronger" else -1)]
