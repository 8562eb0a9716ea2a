"""One photo on the page: its pictures, what was measured on each face, or why there is none."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from photocloak.engine.extractors import ExtractorSpec
from photocloak.engine.verdict import Verdict
from photocloak.plugin.html import Html, join, table, tag
from photocloak.plugin.pictures import AMPLIFIED
from photocloak.plugin.pipeline.job import HELD, Status, edits_in_words
from photocloak.plugin.pipeline.reasons import DONE
from photocloak.plugin.progress import clean, shown
from photocloak.plugin.report.pictures import Shown, Triple
from photocloak.plugin.report.records import FaceRecord, PhotoRecord

Specs = Mapping[str, ExtractorSpec]

LISTED = 50
"""Faces of one photo in its table."""

CLICK = "A click opens the file in full size."

LONGEST = 600
"""Characters of a reason."""

TITLES = {
    Status.CLOAKED: ("cloaked", "good"),
    Status.ALREADY_CLOAKED: ("cloaked before", "good"),
    Status.DONE_BEFORE: ("done before", "good"),
    **{status: (words, "warn") for status, words in HELD.items()},
    Status.LEFT_ALONE: ("left as it is", "warn"),
    Status.FAILED: ("failed", "bad"),
    Status.WOULD_CLOAK: ("would be cloaked", "warn"),
    Status.WOULD_COPY: ("would be copied", "warn"),
}
"""What a status is called, and its tone."""


def photo(number: int, row: PhotoRecord, pictures: Shown | str, specs: Specs) -> Html:
    """Return the photo's part of the page; `number` is its own on the page."""
    words, tone = TITLES[row.status]
    heading = f"photo-{number}"
    seen = isinstance(pictures, Shown)
    return tag(
        "article",
        tag("h3", shown(Path(row.source.name)), id=heading),
        tag("p", tag("strong", words, class_=tone), said(row)),
        tag("p", _where(row), class_="quiet"),
        _pictures(row, pictures, number) if isinstance(pictures, Shown) else None,
        None if isinstance(pictures, Shown) else tag("p", pictures, class_="quiet"),
        _faces(row, pictures.faces if isinstance(pictures, Shown) else (), specs),
        class_=None if seen else "plain",
        aria_labelledby=heading,
    )


def said(row: PhotoRecord) -> str | None:
    """Return what there is to say, without the path that it begins with."""
    if not row.reason:
        return None
    reason = clean(row.reason.removeprefix(f"{row.source}: "))
    return f": {reason if len(reason) <= LONGEST else reason[:LONGEST] + '…'}"


def recognised(name: str, value: float, specs: Specs) -> bool:
    """Tell whether a recogniser would still take the face for the person."""
    return name in specs and value >= specs[name].threshold


def _where(row: PhotoRecord) -> str:
    output = "nothing was written" if row.output is None else f"written to {shown(row.output)}"
    details = [
        f"mode {row.mode}" if row.mode else "",
        f"preset {row.preset}" if row.preset else "",
        f"{row.seconds:.1f} s" if row.seconds else "",
    ]
    return " · ".join([shown(row.source), output, *filter(None, details)])


def _pictures(row: PhotoRecord, pictures: Shown, number: int) -> Html:
    name, whole = shown(Path(row.source.name)), pictures.whole
    width, height = pictures.size
    size = {"width": width, "height": height}
    if whole.after is None:
        what, caption, file = "the original", "The original; nothing was written.", row.source
        if row.uncloaked and row.output is not None:
            what, caption = "not cloaked", "Written as it is, without a cloak."
            file = row.output
        alone = _full_size(file, tag("img", src=whole.before, alt=f"{name}, {what}", **size))
        marked = tag("div", alone, _marks(row, pictures), class_="marked")
        return tag("figure", marked, tag("figcaption", f"{caption} {CLICK}"))
    before = _full_size(
        row.source, tag("img", src=whole.before, alt=f"{name}, the original", **size)
    )
    after = _full_size(
        row.output, tag("img", src=whole.after, alt=f"{name}, cloaked", **size), class_="after"
    )
    slider = {"type": "range", "id": f"slider-{number}", "min": 0, "max": 100, "value": 50}
    label = f"Original on the left of the line, cloaked on its right: {name}"
    compared = tag(
        "figure",
        tag("div", before, after, class_="stage over"),
        tag("input", **slider),
        tag("label", label, for_=slider["id"]),
        tag("figcaption", "The original on the left, the cloaked photo on the right."),
        tag("p", CLICK, class_="quiet"),
        class_="compare",
    )
    alt = f"What changed in {name}, {AMPLIFIED} times as strong, on grey"
    change = tag("img", src=whole.change, alt=alt, **size)
    changed = tag(
        "figure",
        tag("div", change, _marks(row, pictures), class_="marked"),
        tag("figcaption", f"What changed, {AMPLIFIED} times as strong; grey is no change."),
    )
    return tag("div", compared, changed, class_="pair")


def _full_size(file: Path | None, picture: Html, class_: str | None = None) -> Html:
    """Lead from a picture to its file, wherever the page is opened from."""
    if file is None:
        return picture
    address = file.absolute().as_uri()
    return tag("a", picture, href=address, target="_blank", rel="noreferrer", class_=class_)


def _marks(row: PhotoRecord, pictures: Shown) -> Html:
    """Draw the faces' boxes with their numbers, uncertain ones as well."""
    marks = []
    for number, face in enumerate(row.faces[:LISTED], 1):
        # Where nothing was written, the picture is of the original.
        box = face.found if row.output is None and face.found else face.box
        x, y, w, h = (round(value * pictures.scale, 1) for value in box)
        place = {"x": x, "y": y, "width": max(w, 0), "height": max(h, 0)}
        marks += [tag("rect", class_="shade", **place), tag("rect", **place)]
        marks.append(tag("text", number, x=x + 4, y=y + 17, font_size=15))
    view = "0 0 {} {}".format(*pictures.size)
    return tag("svg", *marks, viewBox=view, aria_hidden="true", class_="boxes")


def _faces(row: PhotoRecord, pictures: Sequence[Triple], specs: Specs) -> Html | None:
    if not row.faces:
        return None
    known = [name for name in specs if any(name in face.similarity for face in row.faces)]
    strange = {name for face in row.faces for name in face.similarity} - specs.keys()
    names = [*known, *sorted(strange)]
    recognisers = [_recogniser(name, specs) for name in names]
    head = ["Face", "Person", "Cloak", "Changed by up to", *recognisers]
    rows = []
    for number, face in enumerate(row.faces[:LISTED], 1):
        triple = pictures[number - 1] if number <= len(pictures) else None
        cells = [_measured(face, name, specs) for name in names]
        person = "–" if face.person is None else clean(face.person)
        changed = _changed(face, written=row.output is not None)
        rows.append([_face(number, triple), person, _verdict(face), changed, *cells])
    more = len(row.faces) - LISTED
    verb = "is" if row.output else "would have been"
    caption = (
        f"How alike each face {verb} to the original (cosine); from its limit on, a recogniser "
        "still knows it"
    )
    if more > 0:
        caption += f"; {more} more faces are left out"
    return table(caption, head, rows, class_="faces")


def _verdict(face: FaceRecord) -> Html | str:
    """Say in a word how well a face is cloaked."""
    if face.verdict is None:
        return "–"
    tone = {Verdict.GOOD: "good", Verdict.FAIR: "warn"}.get(face.verdict, "bad")
    return tag("strong", face.verdict, class_=tone)


def _changed(face: FaceRecord, *, written: bool) -> str:
    """Say what was done to a face: the edits at most, and the DSSIM of them all."""
    if face.dssim is None and not written:
        return "nothing was done to it"
    if face.dssim is None:
        return "left as it is, as you asked" if face.left else "left as it is"
    done = DONE[face.fallback] if face.fallback else edits_in_words(face.edits)
    return "; ".join(filter(None, (done, f"DSSIM {face.dssim:.4f}")))


def _recogniser(name: str, specs: Specs) -> Html:
    if name not in specs:
        return join([name])
    return join([name, tag("small", f"limit {specs[name].threshold:.3f}")])


def _measured(face: FaceRecord, name: str, specs: Specs) -> Html | str:
    if name not in face.similarity:
        return "–"
    value = face.similarity[name]
    if name not in specs:
        return f"{value:.3f}"
    if recognised(name, value, specs):
        return tag("span", f"{value:.3f}", tag("small", "still recognised"), class_="bad")
    return tag("span", f"{value:.3f}", tag("small", "not recognised"), class_="good")


def _face(number: int, triple: Triple | None) -> Html | str:
    if triple is None:
        return str(number)
    words = ("original", "cloaked", "what changed")
    pairs = zip((triple.before, triple.after, triple.change), words, strict=True)
    pictures = [
        tag("img", src=address, alt=f"face {number}, {what}", width=60, height=60)
        for address, what in pairs
        if address is not None
    ]
    return join([f"{number} ", tag("span", *pictures, class_="looks")])
