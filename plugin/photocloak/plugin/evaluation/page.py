"""The page for people: figures, plots, and some faces before and after. It holds lab photos."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from photocloak.plugin.evaluation.run import Evaluation, ModeResult
from photocloak.plugin.evaluation.samples import samples
from photocloak.plugin.evaluation.scoring import JUDGES, LEAKS, Row, Score
from photocloak.plugin.evaluation.visibility import by_class
from photocloak.plugin.html import Bar, Html, Series, bars, curves, document, table, tag

TITLE = "How well cloaks protect"
STYLE = ".faces { display: flex; flex-wrap: wrap; gap: .6rem; } .faces img { max-width: 32%; }"

LIMITS = (
    "No cloak can promise anything against a recogniser that is trained later, or trained on "
    "cloaks (Radiya-Dixit et al., ICLR 2022), and one clean photo that leaks can undo much. The "
    "bound beside a figure is what its mean over people exceeds with 95 % confidence, by bootstrap "
    "over people; where all photos of all people end alike it says nothing more than the count."
)


def page(found: Evaluation, facts: dict[str, Any]) -> str:
    """Return the page; `facts` are the values of results.json."""
    parts = [
        tag("h1", TITLE),
        _about(facts),
        tag("p", LIMITS),
        tag("h2", "Trackers"),
        _clean(found),
        _price(found) if len(found.modes) > 1 else None,
    ]
    for mode in found.modes:
        rows = [row for row in found.rows if row.mode == mode.name]
        plots = tag("div", *_plots(rows), class_="plots")
        parts += [tag("h2", f"Mode {mode.name}"), _held(mode), plots, *_tables(rows)]
        parts += [_visibility(mode), tag("h3", "Faces"), samples(mode, found.observer)]
    return document(TITLE, *parts, style=STYLE).decode("utf-8")


def _about(facts: dict[str, Any]) -> Html:
    without = ", ".join(facts["leave_out"])
    return tag(
        "p",
        tag("code", facts["command"]),
        f" at commit {facts['commit']}, {facts['date']}. {len(facts['protected'])} people cloak "
        f"their photos, {len(facts['others'])} do not ({', '.join(facts['thirds'])}); a stranger "
        f"trains on {facts['train']} photos of each and names up to {facts['test']} clean ones. ",
        f"The cloaks were computed without {without}." if without else None,
    )


def _clean(found: Evaluation) -> Html:
    """Show how good the trackers are when nobody cloaks: a bad one is fooled by anything."""
    rows = [row for row in found.rows if row.mode == "none"]
    return table(
        "With everybody's clean photos: share of test photos recognised, mean over people",
        ["tracker", "cloaks know it", *JUDGES, "threshold"],
        [
            [
                row.tracker,
                "yes" if row.seen else "no",
                *(
                    _share(_recognised(getattr(row, judge), len(found.identities)))
                    for judge in JUDGES
                ),
                f"{found.thresholds[row.tracker]:.3f}",
            ]
            for row in rows
        ],
    )


def _recognised(score: Score, people: int) -> float:
    """Return the accuracy over everybody, the protected and the others."""
    mine = len(score.by_identity)
    return ((1 - score.protection) * mine + score.others * (people - mine)) / people


def _held(mode: ModeResult) -> Html:
    held, count = len(mode.held), len(mode.photos)
    return tag(
        "p",
        f"{held} of {count} photos were held back ({held / count:.1%}); "
        f"{mode.seconds_per_face:.1f} seconds per face, from reading to writing. Photos held back "
        "count twice: left out, and published clean.",
    )


def _price(found: Evaluation) -> Html:
    """Show protection against visibility, a point a mode."""
    seen = {one.name: by_class([change for _, change in one.changes])["all"] for one in found.modes}
    modes = sorted((one["dssim"], name) for name, one in seen.items() if one["faces"])
    rows = {
        (row.tracker, row.mode): row.linear.protection
        for row in found.rows
        if row.variant == "cloaked" and row.held == "left out"
    }
    return curves(
        "Protection against visibility: " + ", ".join(name for _, name in modes),
        [
            Series(one.name, [(dssim, rows[one.name, name]) for dssim, name in modes])
            for one in found.trackers
        ],
        summary="A line a tracker, a point a mode; the tables below have the values.",
        x_label="DSSIM on the file, mean",
        y_label="protection, linear",
        high=1,
    )


def _plots(rows: Sequence[Row]) -> Iterator[Html]:
    base = [row for row in rows if row.variant == "cloaked" and row.held == "left out"]
    for judge in ("linear", "nearest"):
        drawn = [_bar(row, getattr(row, judge)) for row in base if not _empty(row)]
        told = "; ".join(f"{bar.label} {bar.value:.0%}" for bar in drawn)
        caption = f"Protection, {judge}: share of clean photos that are not recognised"
        yield bars(caption, drawn, summary=told, most=1, form=".0%")
    yield curves(
        "Some of the photos are out uncloaked as well (nearest neighbour)",
        [_leaks(rows, row.tracker) for row in base if not _empty(row)][:6],
        summary="Protection by the number of clean photos; the table below has the values.",
        x_label="clean photos",
        y_label="protection",
        high=1,
    )


def _empty(row: Row) -> bool:
    """Tell whether nobody has published anything."""
    return bool(np.isnan(row.linear.protection))


def _bar(row: Row, score: Score) -> Bar:
    name = row.tracker if row.seen else f"{row.tracker} (stranger)"
    return Bar(name, score.protection, score.low, score.protection)


def _leaks(rows: Sequence[Row], tracker: str) -> Series:
    mine = {row.variant: row for row in rows if row.tracker == tracker and row.held == "left out"}
    found = [(0, mine["cloaked"])] + [
        (leaks, row)
        for leaks in LEAKS
        for name, row in mine.items()
        if name.startswith(f"{leaks} of ")
    ]
    return Series(tracker, [(leaks, row.nearest.protection) for leaks, row in found])


def _tables(rows: Sequence[Row]) -> Iterator[Html]:
    for tracker in dict.fromkeys(row.tracker for row in rows):
        mine = [row for row in rows if row.tracker == tracker]
        seen = "the cloaks know it" if mine[0].seen else "a stranger"
        yield table(
            f"{tracker} ({seen}): protection, its lower bound, photos not recognised; and accuracy "
            "on those who do not cloak",
            ["variant", "held back", "photos", "no face found", *_pairs()],
            [[row.variant, row.held, row.photos, row.undetected, *_cells(row)] for row in mine],
        )


def _pairs() -> list[str]:
    return [text for judge in JUDGES for text in (judge, "others")]


def _cells(row: Row) -> list[str]:
    cells = []
    for judge in JUDGES:
        score: Score = getattr(row, judge)
        count = f"{score.failed:g}/{score.tested}"
        cells += [
            f"{_share(score.protection)} ≥ {_share(score.low)} ({count})",
            _share(score.others),
        ]
    return cells


def _visibility(mode: ModeResult) -> Html:
    rows = []
    for name, one in by_class([change for _, change in mode.changes]).items():
        if not one["faces"]:
            continue
        cells = [
            f"{one['dssim']:.4f}, {one['dssim_p95']:.4f}",
            f"{one['dssim_box']:.4f}",
            f"{one['psnr']:.1f}",
            f"{one['ciede_median']:.2f}, {one['ciede_p95']:.2f}",
            f"{one['low_luma']:.2f}",
            f"{one['low_chroma']:.2f}",
            "–" if np.isnan(one["flip"]) else f"{one['flip']:.3f}",
            f"{one['noise_kept']:.2f}",
        ]
        rows.append([name, f"{one['faces']:.0f}", *cells])
    head = [
        "faces by size",
        "number",
        "DSSIM, p95",
        "DSSIM in the box",
        "PSNR dB",
        "CIEDE2000 median, p95",
        "low-passed luma",
        "low-passed chroma",
        "FLIP",
        "noise kept",
    ]
    return table("What there is to see, on the written files, means over faces", head, rows)


def _share(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.2f}"
