"""Who is who, with faces: cut from the photos that were cloaked, as far as they are what they were.

Nothing of this is stored: a picture is made when the page is, of the clean photo where it lies.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from photocloak.core import InputError
from photocloak.plugin.html import Html, document, tag
from photocloak.plugin.people.profiles import Person
from photocloak.plugin.pictures import NotShownError, read_unchanged
from photocloak.plugin.portraits import Seen, clearest, seen_in
from photocloak.plugin.progress import clean, shown
from photocloak.plugin.report.pictures import face_square
from photocloak.plugin.storage.results import Results

FACES = 6
"""Of each person, the largest ones."""

STYLE = """
.person ul{display:flex;flex-wrap:wrap;gap:.5rem;list-style:none;padding:0}
.person img{display:block;border-radius:.25rem}
"""


def page(people: Sequence[Person], results: Results, *, made: str) -> bytes:
    """Return the page; `made` is when that was, for people."""
    faces = seen_in(results.showing(one.id for one in people))
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
        *[_person(one, faces.get(one.id, ())) for one in people],
        *([] if people else [tag("p", "Nobody is known yet.")]),
        style=STYLE,
    )


def _person(person: Person, faces: Iterable[Seen]) -> Html:
    first, last = (
        datetime.fromtimestamp(one, UTC).date() for one in (person.created, person.last_seen)
    )
    count = f"{person.photos} photo{'s' * (person.photos != 1)}"
    heading = f"person-{person.id}"
    pictures = list(_pictures(person, faces))
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


def _pictures(person: Person, faces: Iterable[Seen]) -> Iterator[Html]:
    count = 0
    for face in clearest(faces):
        try:
            photo = read_unchanged(face.path, face.sha256, "photo")
        except (NotShownError, InputError, MemoryError):
            continue
        name = shown(face.path)
        address, (width, height) = face_square(photo, face.box)
        alt = f"{clean(person.label)} in {name}"
        yield tag("li", tag("img", src=address, alt=alt, title=name, width=width, height=height))
        count += 1
        if count == FACES:
            break
