"""Why a photo is held back for its faces, in words, and what there is to do about it."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from photocloak.engine.modes import Fallback, load_mode
from photocloak.engine.verdict import Verdict
from photocloak.plugin.pipeline.job import FaceOutcome, Job
from photocloak.plugin.pipeline.messages import Detections

DONE: dict[Fallback, str] = {"blur": "blurred", "pixelate": "pixelated", "box": "covered by a box"}
"""What was done with a face, in words."""


LEFT_NAMED = 5
"""How many people are named of those who are left as they are."""


def left(faces: Iterable[FaceOutcome]) -> str:
    """Say who is left as they are because that was asked; empty: nobody."""
    alone = [face for face in faces if face.left]
    known = sorted({face.person for face in alone if face.person})
    words, more = known[:LEFT_NAMED], len(known[LEFT_NAMED:])
    more += sum(not face.person for face in alone)
    if more:
        words.append(f"{more} more" if words else f"{more} face{'s' * (more != 1)}")
    return f"left as they are: {', '.join(words)}" if words else ""


def known_by(face: FaceOutcome) -> str:
    """Say how many recognisers still know a face in the file that was measured."""
    asked, still = len(face.similarity), len(face.accepting or ())
    if not still:
        return f"none of {asked} recognisers knows it"
    return f"{still} of {asked} recognisers still know{'s' * (still == 1)} it"


def nobody(job: Job) -> str:
    """Say that nobody is in a photo whose face is to be cloaked."""
    if job.only:
        return f"{' or '.join(job.only)} was not found in it"
    return "nobody with a name was found in it"


def known(faces: Sequence[FaceOutcome]) -> str | None:
    """Say which recognisers know a face that was made unrecognisable; None: none does."""
    names = {name for face in faces if face.fallback for name in face.accepting or ()}
    if not names:
        return None
    return (
        f"held back, since {', '.join(sorted(names))} would still recognise a face in it that was "
        "made unrecognisable; crop it, or leave the photo out."
    )


def obscured(hows: Iterable[Fallback]) -> str:
    """Say how many faces were made unrecognisable, and how."""
    counts = Counter(DONE[how] for how in hows)
    done = " and ".join(f"{count} {how}" for how, count in sorted(counts.items()))
    one = counts.total() == 1
    return f"{'a face was' if one else 'of the faces'} {done.removeprefix('1 ') if one else done}"


def out_of_reach(detections: Detections) -> str:
    """Say which faces cannot be aligned, so not cloaked: a missed face is one published."""
    missed = detections.out_of_reach
    x, y, w, h = detections.published(missed[0])
    more = f" (and {len(missed) - 1} more)" if len(missed) > 1 else ""
    return (
        f"held back, since what may be a face at {x}, {y} ({w} × {h} pixels){more} "
        "cannot be cloaked; crop or cover it, have it made unrecognisable (--fallback), or say "
        "that it is none (--not-a-face)."
    )


def too_weak(faces: Sequence[FaceOutcome], *, accept_weak: bool) -> str | None:
    """Say which faces are not cloaked well enough; None: all are, and the photo may go out."""
    held = [
        face
        for face in faces
        if face.verdict is not None and face.verdict.holds_back(accept_weak=accept_weak)
    ]
    if not held:
        return None
    none = " If that is no face, say --not-a-face." if any(not one.person for one in held) else ""
    if bare := [face for face in held if face.verdict is Verdict.NONE]:
        known = f"nearly every recogniser still knows {_spots(bare)}"
        return f"held back, since {known}; {_more(bare)}{none}"
    return (
        f"held back, since the cloak is weak of {_spots(held)}; {_more(held)} --accept-weak "
        f"publishes it all the same.{none}"
    )


def without_options(reason: str) -> str:
    """Return a reason without what a command line can do about it, for whoever has none."""
    return re.sub(r"[;.] [^;.]*--[a-z].*$", ".", reason)


def _spots(faces: Sequence[FaceOutcome]) -> str:
    """Name faces: whose they are, and where."""
    return " and ".join(
        f"{face.person or 'the face'} at {face.box[0]}, {face.box[1]}" for face in faces
    )


def _more(faces: Sequence[FaceOutcome]) -> str:
    """Say what else can be done; some mode has a larger budget unless all had the largest."""
    modes = [load_mode(face.mode) for face in faces if face.mode is not None]
    if all(mode.offered and not mode.then for mode in modes):
        return "crop or cover it, leave the photo out, or have it made unrecognisable (--fallback)."
    return "a stronger --mode has a larger budget."
