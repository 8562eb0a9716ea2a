"""Who is who, with faces: cut from the photos that were cloaked, as far as they are what they were.

Nothing of this is stored: a picture is made when the page is, of the clean photo where it lies.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from photocloak import exporters
from photocloak.core import InputError
from photocloak.plugin.html import Html, document, tag
from photocloak.plugin.people.profiles import Person
from photocloak.plugin.pictures import NotShownError, read_unchanged
from photocloak.plugin.pipeline.job import FaceOutcome
from photocloak.plugin.progress import clean, shown
from photocloak.plugin.report.pictures import face_square
from photocloak.plugin.storage.results import Result, Results

FACES = 6
"""Of each person, the largest ones."""

STYLE = """
.person ul{display:flex;flex-wrap:wrap;gap:.5rem;list-style:none;padding:0}
.person img{display:block;border-radius:.25rem}
"""


def page(people: Sequence[Person], results: Results, *, made: str) -> bytes:
    """Return the page; `made` is when that was, for people."""
    return document(
        "People that photocloak knows",
        tag("h1", "People that photocloak knows"),
        tag(
            "p",
            f"Made {made}. It holds clean faces, and only you can read it. If two of these are one "
            "person: ",
            tag("code", "photocloak people merge WHO OTHER"),
            "; to give one a name: ",
            tag("code", "photocloak people name WHO NAME"),
            ".",
        ),
        *[_person(one, results.showing([one.id])) for one in people],
        *([] if people else [tag("p", "Nobody is known yet.")]),
        style=STYLE,
    )


def _person(person: Person, results: Sequence[Result]) -> Html:
    first, last = (
        datetime.fromtimestamp(one, UTC).date() for one in (person.created, person.last_seen)
    )
    count = f"{person.photos} photo{'s' * (person.photos != 1)}"
    heading = f"person-{person.id}"
    pictures = list(_pictures(person, results))
    return tag(
        "article",
        tag("h2", clean(person.label), id=heading),
        tag(
            "p", f"Number {person.id}, in {count}, first seen {first}, last {last}.", class_="quiet"
        ),
        tag("ul", *pictures) if pictures else tag("p", "No photo of theirs lies where it was."),
        class_="person",
        aria_labelledby=heading,
    )


def _pictures(person: Person, results: Sequence[Result]) -> Iterator[Html]:
    found = [(face, one) for one in results if (face := _face(person, one)) is not None]
    found.sort(key=lambda pair: -pair[0].box[2] * pair[0].box[3])
    count, seen = 0, set()
    for face, result in found:
        if count == FACES:
            break
        if result.sha256 in seen:  # a copy, or in another folder
            continue
        seen.add(result.sha256)
        try:
            before = read_unchanged(result.source, result.sha256, "photo")
            edge = max(exporters.read(result.made).pixels.shape[:2])
        except (NotShownError, InputError, MemoryError):
            continue
        count += 1
        scale = max(before.shape[:2]) / edge  # the preset may have made it smaller
        x, y, w, h = (round(value * scale) for value in face.box)
        name = shown(result.source)
        address, size = face_square(before, (x, y, w, h))
        alt = f"{clean(person.label)} in {name}"
        width, height = size
        yield tag("li", tag("img", src=address, alt=alt, title=name, width=width, height=height))


def _face(person: Person, result: Result) -> FaceOutcome | None:
    """Return the person's face in a photo: those who were cloaked stand in the faces' order."""
    faces = [
        face
        for face in map(FaceOutcome.from_json, result.outcome["faces"])
        if face.cloaked and face.person is not None
    ]
    pairs = zip(faces, result.people, strict=False)
    return next((face for face, (number, _) in pairs if number == person.id), None)
