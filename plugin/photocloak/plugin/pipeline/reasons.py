"""Why a photo is held back, and what there is to know about one that is not, in words."""

from collections import Counter
from collections.abc import Iterable

from photocloak.engine.modes import Fallback, load_modes
from photocloak.plugin.pipeline.job import Job
from photocloak.plugin.pipeline.messages import CloakedFile, Detections

DONE: dict[Fallback, str] = {"blur": "blurred", "pixelate": "pixelated", "box": "covered by a box"}
"""What was done with a face, in words."""


def nobody(job: Job) -> str:
    """Say that nobody is in a photo whose face is to be cloaked."""
    if job.only:
        return f"{' or '.join(job.only)} was not found in it"
    return "nobody with a name was found in it"


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


def obscured(hows: Iterable[Fallback]) -> str:
    """Say how many faces were made unrecognisable, and how."""
    counts = Counter(DONE[how] for how in hows)
    done = " and ".join(f"{count} {how}" for how, count in sorted(counts.items()))
    one = counts.total() == 1
    return f"{'a face was' if one else 'of the faces'} {done.removeprefix('1 ') if one else done}"


def remedy(cloaked: CloakedFile) -> str:
    """Say what else there is to do about a face that is too weak."""
    strongest = {one.then for one in load_modes().values() if one.then} - {
        name for name, one in load_modes().items() if one.then
    }
    if strongest.intersection(cloaked.modes):
        return "crop or cover it, leave the photo out, or have it made unrecognisable (--fallback)."
    return "a stronger --mode has a larger budget."


def names_of(accepting: Iterable[Iterable[str]]) -> str:
    """Return the extractors that still accept a face, joined; empty: none does."""
    return ", ".join(sorted({name for names in accepting for name in names}))
