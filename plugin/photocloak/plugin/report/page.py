"""The page as a whole: totals, plots, then the photos, those with a problem first."""

from collections import Counter
from collections.abc import Sequence
from importlib.resources import files
from statistics import fmean, median

from photocloak.plugin.html import (
    Bar,
    Html,
    Strip,
    bars,
    document,
    histogram,
    slider_script,
    strips,
    table,
    tag,
)
from photocloak.plugin.pipeline.job import Status
from photocloak.plugin.report.photo import TITLES, Specs, photo, recognised
from photocloak.plugin.report.pictures import Album, Shown
from photocloak.plugin.report.records import FaceRecord, PhotoRecord

MOST = 2000
"""Photos listed on one page."""

DOTS = 1500
"""Dots in one row of a plot."""

TITLE = "photocloak report"


def report(
    rows: Sequence[PhotoRecord],
    specs: Specs,
    album: Album,
    *,
    what: str,
    made: str,
    waiting: int = 0,
) -> bytes:
    """Return the page, UTF-8.

    Args:
        rows: the photos that are done.
        specs: the recognisers, with their thresholds.
        album: makes the pictures.
        what: is reported, such as the name of the run's file.
        made: date and time of the report.
        waiting: photos that are not done yet.

    """
    failed = [row for row in rows if row.status is Status.FAILED]
    held = [row for row in rows if row.held_back]
    written = [row for row in rows if row.output is not None]
    passed = [row for row in rows if row.passed_over]
    listed = {id(row) for row in [*failed, *held, *written, *passed][:MOST]}
    # What was written comes first where the room for pictures is not enough for all.
    order = [row for row in [*written, *held, *failed, *passed] if id(row) in listed]
    pictures = {id(row): album(row) for row in order}
    numbers = {id(row): number for number, row in enumerate([*failed, *held, *written, *passed], 1)}

    def section(name: str, heading: str, photos: Sequence[PhotoRecord]) -> Html | None:
        entries = [
            photo(numbers[id(row)], row, pictures[id(row)], specs)
            for row in photos
            if id(row) in listed
        ]
        title = tag("h2", f"{heading} ({len(photos)})", id=name)
        return tag("section", title, *entries, aria_labelledby=name) if photos else None

    sections = [
        ("failed", "Failed", failed),
        ("held-back", "Held back", held),
        ("written", "Written", written),
        ("passed-over", "Passed over, since photocloak had made them", passed),
    ]
    links = [(name, heading) for name, heading, photos in sections if photos]
    pictured = sum(isinstance(one, Shown) for one in pictures.values())
    return document(
        f"{TITLE}: {what}",
        tag("h1", "What became of the photos"),
        tag("p", f"{what}, as of {made}.", class_="quiet"),
        _notice(len(rows), len(listed), pictured, album),
        _contents([("numbers", "In numbers"), *links]),
        _numbers(rows, specs, waiting),
        *(section(*one) for one in sections),
        style=_asset("report.css"),
        script=slider_script() + _asset("report.js"),
    )


def _notice(count: int, listed: int, pictured: int, album: Album) -> Html:
    """Say what this page is, and what it leaves out."""
    words = [
        "This page holds faces that are not cloaked. Keep it to yourself and delete it when you "
        "have seen it. It is readable by you alone, and nothing in it is fetched from anywhere."
    ]
    if album.full:
        words.append(
            f"Pictures of {pictured} photos are in it, more would make it too large to open; the "
            "other photos are listed without. Report on fewer photos to see them."
        )
    if listed < count:
        words.append(
            f"{listed} of {count} photos are listed, those with a problem first; all are in the "
            "numbers."
        )
    return tag("div", *(tag("p", one) for one in words), class_="notice", role="note")


def _contents(links: Sequence[tuple[str, str]]) -> Html:
    entries = (tag("li", tag("a", heading, href=f"#{name}")) for name, heading in links)
    return tag("nav", tag("ul", *entries), aria_label="On this page")


def _numbers(rows: Sequence[PhotoRecord], specs: Specs, waiting: int) -> Html:
    faces = [face for row in rows for face in row.faces if face.dssim is not None]
    alone = sum(face.dssim is None for row in rows for face in row.faces)
    held = sum(row.held_back for row in rows)
    failed = sum(row.status is Status.FAILED for row in rows)
    seconds = [row.seconds for row in rows if row.seconds]
    tiles: dict[str, float] = {
        "photos done": len(rows),
        "written": sum(row.output is not None for row in rows),
        "held back": held,
        "failed": failed,
        "faces measured": len(faces),
    }
    if alone:
        tiles["faces left as they are"] = alone
    if waiting:
        tiles["not done yet"] = waiting
    if seconds:
        tiles["seconds a photo, half take less"] = round(median(seconds), 1)
    return tag(
        "section",
        tag("h2", "In numbers", id="numbers"),
        tag(
            "dl",
            *(tag("div", tag("dt", k), tag("dd", v)) for k, v in tiles.items()),
            class_="tiles",
        ),
        tag("div", _outcomes(rows), *(_measures(faces, specs) if faces else ()), class_="plots"),
        _recognisers(faces, specs) if faces else None,
        aria_labelledby="numbers",
    )


def _outcomes(rows: Sequence[PhotoRecord]) -> Html:
    counts = Counter(row.status for row in rows)
    there = [
        Bar(TITLES[status][0], counts[status], tone=TITLES[status][1])
        for status in Status
        if counts[status]
    ]
    summary = ", ".join(f"{bar.value:g} {bar.label}" for bar in there)
    return bars("How it ended", there, summary=summary)


def _measures(faces: Sequence[FaceRecord], specs: Specs) -> tuple[Html, Html]:
    rows = [
        Strip(
            name,
            [face.similarity[name] for face in faces if name in face.similarity][:DOTS],
            spec.threshold,
        )
        for name, spec in specs.items()
    ]
    likeness = strips(
        "Likeness to the original face",
        [row for row in rows if row.values],
        summary="A dot a face in a row a recogniser; at or right of its line, the recogniser still "
        "knows the face. The table below has the counts.",
    )
    changes = [face.dssim for face in faces if face.dssim is not None]
    changed = histogram(
        "How much the faces changed (DSSIM)",
        changes,
        summary=f"Of {len(changes)} faces, the mean is {fmean(changes):.4f} and the largest "
        f"{max(changes):.4f}.",
        high=max([*changes, 0.02]),
    )
    return likeness, changed


def _recognisers(faces: Sequence[FaceRecord], specs: Specs) -> Html:
    rows = []
    for name, spec in specs.items():
        values = [face.similarity[name] for face in faces if name in face.similarity]
        if not values:
            continue
        known = sum(recognised(name, value, specs) for value in values)
        share = f"{1 - known / len(values):.0%}"
        rows.append(
            [spec.title, len(values), f"{spec.threshold:.3f}", f"{fmean(values):.3f}", known, share]
        )
    head = ["Recogniser", "Faces", "Limit", "Mean likeness", "Still recognised", "Not recognised"]
    caption = (
        "What the recognisers that photocloak works against make of the faces. A stranger's "
        "recogniser may see more."
    )
    return table(caption, head, rows)


def _asset(name: str) -> str:
    return (files(__package__) / name).read_text("utf-8")
