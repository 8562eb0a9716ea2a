"""Why a photo is held back for its faces, in words, and what there is to do about it."""

from collections.abc import Sequence

from photocloak.engine.modes import load_mode
from photocloak.engine.verdict import Verdict
from photocloak.plugin.pipeline.job import FaceOutcome
from photocloak.plugin.pipeline.messages import Detections


def out_of_reach(detections: Detections) -> str:
    """Say which faces cannot be aligned, so not cloaked: a missed face is one published."""
    missed = detections.out_of_reach
    x, y, w, h = missed[0].box
    x, y, w, h = detections.published((round(x), round(y), round(w), round(h)))
    more = f" (and {len(missed) - 1} more)" if len(missed) > 1 else ""
    return (
        f"held back, since what may be a face at {x}, {y} ({w} × {h} pixels){more} "
        "cannot be cloaked; crop or cover it."
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
    if bare := [face for face in held if face.verdict is Verdict.NONE]:
        return f"held back, since nearly every recogniser still knows {_spots(bare)}; {_more(bare)}"
    return (
        f"held back, since the cloak is weak of {_spots(held)}; {_more(held)} --accept-weak "
        "publishes it all the same."
    )


def _spots(faces: Sequence[FaceOutcome]) -> str:
    """Name faces: whose they are, and where."""
    return " and ".join(
        f"{face.person or 'the face'} at {face.box[0]}, {face.box[1]}" for face in faces
    )


def _more(faces: Sequence[FaceOutcome]) -> str:
    """Say what else can be done; some mode has a larger budget unless all had the largest."""
    modes = [load_mode(face.mode) for face in faces if face.mode is not None]
    if all(mode.offered and not mode.then for mode in modes):
        return "crop or cover it, or leave the photo out."
    return "a stronger --mode has a larger budget."
