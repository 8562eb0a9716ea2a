"""Plots as inline SVG. Colours come from the page's style, so they follow light, dark and print.

Each is a figure with a caption and one sentence for who cannot see it; what must be read exactly
belongs in a table besides.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from photocloak.plugin.html.markup import Html, tag

WIDTH = 560
LEFT, RIGHT = 150, 50
ROW = 28
HEIGHT = 240
COLOURS = 6


@dataclass(frozen=True)
class Bar:
    """A bar of `bars`.

    Attributes:
        label: what it stands for.
        value: its length, 0 or more.
        low: lower end of an interval around it, drawn as a whisker.
        high: upper end.
        tone: "", "good", "warn" or "bad".

    """

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    tone: str = ""


@dataclass(frozen=True)
class Strip:
    """A row of `strips`: a dot a value, and a limit they should stay below."""

    label: str
    values: Sequence[float]
    limit: float | None = None


@dataclass(frozen=True)
class Series:
    """A line of `curves`: its points (x, y), and an interval (low, high) around each or none."""

    label: str
    points: Sequence[tuple[float, float]]
    band: Sequence[tuple[float, float]] = ()


def bars(
    caption: str, rows: Sequence[Bar], *, summary: str, most: float | None = None, form: str = "g"
) -> Html:
    """Draw horizontal bars from zero, with their values beside them.

    Args:
        caption: above the plot.
        rows: from top to bottom.
        summary: what it shows, for a screen reader.
        most: right end of the scale; the largest value if not given.
        form: how values are written, a format specification such as `.0%`.

    """
    ends = [row.value if row.high is None else row.high for row in rows]
    scale = _Scale(0, most or max([*ends, 1e-9]), LEFT, WIDTH - RIGHT)
    parts = []
    for number, row in enumerate(rows):
        y = number * ROW
        x = scale(row.value)
        parts += [
            _label(row.label, y + 18),
            tag(
                "rect",
                x=LEFT,
                y=y + 5,
                width=_px(x - LEFT),
                height=ROW - 11,
                class_=row.tone or None,
            ),
        ]
        if row.low is not None and row.high is not None:
            parts.append(_line(scale(row.low), y + 13.5, scale(row.high), y + 13.5, "whisker"))
            x = max(x, scale(row.high))
        parts.append(tag("text", format(row.value, form), x=_px(x + 6), y=y + 18))
    return _figure(caption, summary, len(rows) * ROW, parts)


def strips(
    caption: str, rows: Sequence[Strip], *, summary: str, low: float = 0, high: float = 1
) -> Html:
    """Draw a dot a value, a row a group, and each row's limit; dots at or above it stand out.

    Values outside of `low` to `high` lie on the edge.
    """
    scale = _Scale(low, high, LEFT, WIDTH - RIGHT)
    bottom = len(rows) * ROW + 4
    parts = list(_grid(scale, bottom))
    for number, row in enumerate(rows):
        y = number * ROW + 15
        parts.append(_label(row.label, y + 4))
        for value in row.values:
            over = row.limit is not None and value >= row.limit
            x = scale(min(max(value, low), high))
            parts.append(tag("circle", cx=_px(x), cy=y, r=4, class_="over" if over else None))
        if row.limit is not None:
            x = scale(row.limit)
            parts.append(_line(x, y - 11, x, y + 11, "limit"))
    return _figure(caption, summary, bottom + 22, parts)


def histogram(
    caption: str,
    values: Sequence[float],
    *,
    summary: str,
    bins: int = 20,
    low: float = 0,
    high: float | None = None,
    limit: float | None = None,
) -> Html:
    """Draw how often values lie where; those outside of `low` to `high` count on the edge."""
    end = high if high is not None else max([*values, limit or 0, low + 1e-9])
    counts = [0] * bins
    for value in values:
        place = int((value - low) / (end - low) * bins)
        counts[min(max(place, 0), bins - 1)] += 1
    x, y = _Scale(low, end, 40, WIDTH - 20), _Scale(0, max([*counts, 1]), HEIGHT - 40, 10)
    width = (WIDTH - 60) / bins
    parts = [*_grid(x, HEIGHT - 40), *_levels(y, whole=True)]
    parts += [
        tag(
            "rect",
            x=_px(40 + place * width + 1),
            y=_px(y(count)),
            width=_px(width - 2),
            height=_px(HEIGHT - 40 - y(count)),
        )
        for place, count in enumerate(counts)
        if count
    ]
    if limit is not None:
        parts.append(_line(x(limit), 4, x(limit), HEIGHT - 40, "limit"))
    return _figure(caption, summary, HEIGHT - 18, parts)


def curves(
    caption: str,
    series: Sequence[Series],
    *,
    summary: str,
    x_label: str,
    y_label: str,
    low: float = 0,
    high: float | None = None,
    limit: float | None = None,
) -> Html:
    """Draw lines over a common x axis, with a key below.

    Args:
        caption: above the plot.
        series: at most six can be told apart.
        summary: what it shows, for a screen reader.
        x_label: what x is, with its unit.
        y_label: what y is, with its unit.
        low: bottom of the y axis.
        high: top of the y axis; the largest value if not given.
        limit: a horizontal line, such as an aim.

    """
    xs = [x for one in series for x, _ in one.points] or [0.0]
    ys = [y for one in series for _, y in [*one.points, *one.band]]
    x = _Scale(min(xs), max(*xs, min(xs) + 1e-9), 50, WIDTH - 20)
    y = _Scale(low, high if high is not None else max([*ys, low + 1e-9]), HEIGHT - 40, 22)
    parts = [*_grid(x, HEIGHT - 40), *_levels(y, left=50)]
    parts.append(tag("text", y_label, x=0, y=10, class_="quiet"))
    end = {"x": WIDTH - 20, "y": HEIGHT - 6, "text_anchor": "end", "class_": "quiet"}
    parts.append(tag("text", x_label, **end))
    if limit is not None:
        parts.append(_line(50, y(limit), WIDTH - 20, y(limit), "limit"))
    for number, one in enumerate(series):
        colour, key = number % COLOURS, HEIGHT + 16 + 20 * number
        if one.band:
            lower = [
                (x(at), y(ends[0])) for (at, _), ends in zip(one.points, one.band, strict=True)
            ]
            upper = [
                (x(at), y(ends[1])) for (at, _), ends in zip(one.points, one.band, strict=True)
            ]
            outline = _points([*lower, *reversed(upper)])
            parts.append(tag("polygon", points=outline, class_=f"f{colour}"))
        line = _points((x(at), y(value)) for at, value in one.points)
        parts += [
            tag("polyline", points=line, class_=f"s{colour}"),
            _line(50, key - 4, 80, key - 4, f"key s{colour}"),
            tag("text", one.label, x=88, y=key),
        ]
    return _figure(caption, summary, HEIGHT + 8 + 20 * len(series), parts)


@dataclass(frozen=True)
class _Scale:
    """Values to coordinates."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / ((self.high - self.low) or 1)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Return about five round values."""
        span = (self.high - self.low) or 1
        size = 10.0 ** math.floor(math.log10(span / 5))
        step = next(size * f for f in (1, 2, 5, 10) if span / (size * f) <= 6)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]


def _grid(scale: _Scale, bottom: float) -> Iterable[Html]:
    """Draw the x axis: a line and a number a tick."""
    for tick in scale.ticks():
        x = scale(tick)
        yield _line(x, 0, x, bottom, "axis")
        place = {"x": _px(x), "y": _px(bottom + 16), "text_anchor": "middle", "class_": "quiet"}
        yield tag("text", f"{tick:.4g}", **place)


def _levels(scale: _Scale, *, left: float = 40, whole: bool = False) -> Iterable[Html]:
    """Draw the y axis."""
    for tick in scale.ticks():
        if whole and tick != int(tick):
            continue
        y = scale(tick)
        yield _line(left, y, WIDTH - 20, y, "axis")
        place = {"x": left - 6, "y": _px(y + 4), "text_anchor": "end", "class_": "quiet"}
        yield tag("text", f"{tick:.4g}", **place)


def _figure(caption: str, summary: str, height: float, parts: Iterable[Html]) -> Html:
    drawn = tag("svg", *parts, viewBox=f"0 0 {WIDTH} {_px(height)}", role="img", aria_label=summary)
    return tag("figure", tag("figcaption", caption), drawn, class_="plot")


def _label(words: str, y: float) -> Html:
    """Write a row's label, cut to its place; the whole one is shown on hover."""
    short = words if len(words) <= 22 else words[:21] + "…"
    title = tag("title", words) if short != words else None
    return tag("text", title, short, x=LEFT - 8, y=_px(y), text_anchor="end")


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Html:
    return tag("line", x1=_px(x1), y1=_px(y1), x2=_px(x2), y2=_px(y2), class_=kind)


def _points(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{_px(x)},{_px(y)}" for x, y in points)


def _px(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
