"""What the page says of photos and faces, in words for people."""

from dataclasses import dataclass
from pathlib import Path

from photocloak.engine.verdict import Verdict
from photocloak.plugin.beside import groups
from photocloak.plugin.people.profiles import Person
from photocloak.plugin.pipeline.job import HELD, FaceOutcome, Status, edits_in_words
from photocloak.plugin.pipeline.reasons import known_by
from photocloak.plugin.progress import clean, duration, shown
from photocloak.plugin.review.album import Photo
from photocloak.plugin.review.offers import BLURS
from photocloak.plugin.review.staging import Wishes
from photocloak.plugin.tally import told_in_words

LONGEST = 600
"""Characters of a reason."""

PLAIN = frozenset({Status.NO_FACE, Status.NOBODY_NAMED})
"""Of what is in `HELD`, that says it all."""


TONES = {Verdict.GOOD: "good", Verdict.FAIR: "warn", Verdict.WEAK: "bad", Verdict.NONE: "bad"}

VERDICTS = {**{one: one.value for one in Verdict}, Verdict.NONE: "not cloaked"}
"""What is said of a face for a verdict."""


@dataclass(frozen=True)
class Word:
    """A word and its tone: "good", "warn", "bad", or "" for none."""

    text: str
    tone: str = ""


def kind(photo: Photo) -> str:
    """Return how far a photo is, for what the grid is to show: "waits", "held", "ready", …"""
    if photo.waits:
        return "waits"
    if photo.failed:
        return "failed"
    if photo.held:
        return "held"
    return "ready" if photo.published is None else "published"


def state(photo: Photo) -> Word:
    """Say in a word or two how far a photo is."""
    if photo.waits:
        return Word(photo.step or "waiting")
    if photo.failed:
        return Word("failed", "bad")
    if photo.published is not None:
        return Word("published", "good")
    if photo.outcome is not None and photo.held:
        return Word(HELD.get(photo.outcome.status, "held back"), "warn")
    if not any(face.cloaked or face.fallback for face in photo.faces):
        return Word("ready, not cloaked", "warn")
    worst = None if photo.outcome is None else photo.outcome.verdict
    return Word("ready", "good") if worst is None else Word(f"ready, {worst}", TONES[worst])


def reason(photo: Photo) -> str:
    """Say why a photo is held back, or what there is to know, without the path before it.

    What can be done is said by buttons (`offers`), not by options of the command line.
    """
    outcome = photo.outcome
    if outcome is None or not outcome.reason or outcome.status in PLAIN:
        return ""
    text = clean(outcome.reason.removeprefix(f"{photo.source}: "))
    if photo.held:
        text = text.removeprefix("held back, since ").partition(";")[0]
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def verdict(face: FaceOutcome) -> Word:
    """Say what a face's cloak is worth, in a word and by how many recognisers still know it."""
    if face.fallback is not None:
        return Word(BLURS[face.fallback], "good")
    if not face.cloaked:
        return Word("left as it is", "warn")
    if face.verdict is None:
        return Word("not measured", "warn")
    return Word(f"{VERDICTS[face.verdict]}: {known_by(face)}", TONES[face.verdict])


def tells(photo: Photo) -> str:
    """Say what a file that is ready tells besides its picture; empty: nothing."""
    return "" if photo.outcome is None else told_in_words(photo.outcome.discloses)


def budget(face: FaceOutcome) -> str:
    """Say how much a face was changed: the edits at most, and the DSSIM of them all."""
    if face.dssim is None:
        return ""
    return "; ".join(filter(None, (edits_in_words(face.edits), f"DSSIM {face.dssim:.4f}")))


def name_of(path: Path) -> str:
    """Return the name of a file, fit to be shown."""
    return shown(Path(path.name))


def place(path: Path) -> str:
    """Return a path fit to be shown, the user's home as ~."""
    home = Path.home()
    return shown(Path("~", path.relative_to(home)) if path.is_relative_to(home) else path)


def destination(wishes: Wishes) -> str:
    """Say where photos are published."""
    inputs = [Path(one) for one in wishes.inputs]
    if wishes.beside and len(groups(inputs, wishes.beside)) > 1:
        return f"a folder {clean(wishes.beside)} beside each photo"
    return place(Path(wishes.output))


def whose(face: FaceOutcome) -> str:
    """Say whose face it is."""
    if face.person is None:
        return "nobody in particular" if face.cloaked else "whose it is plays no part"
    number = face.person.removeprefix("person-")
    return f"Person {number}" if number.isdigit() else clean(face.person)


def named(person: Person) -> str:
    """Return what somebody is called on the page."""
    return clean(person.name) if person.name else f"Person {person.id}"


def left(seconds: float | None) -> str:
    """Say how long the rest will take; empty: that is not known yet."""
    return "" if seconds is None else f"about {duration(seconds)} left"


def count(number: int, noun: str) -> str:
    """Say how many: "1 photo", "2 photos"."""
    return f"{number} {noun}{'s' * (number != 1)}"
