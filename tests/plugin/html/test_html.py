"""Pages: nothing that is put in can become markup, and plots draw what they are given."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photocloak.plugin.html import (
    Bar,
    Html,
    Series,
    Strip,
    bars,
    curves,
    document,
    histogram,
    strips,
    table,
    tag,
)

NASTY = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'&"


class Reader(HTMLParser):
    """Collects elements and text as a browser would see them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


@given(st.text(st.characters(exclude_characters="\0\r")))
def test_whatever_goes_in_comes_out_as_text(value: str) -> None:
    reader = Reader(tag("p", value, title=value))
    seen = value.encode("utf-8", "replace").decode()
    assert reader.elements == [("p", {"title": seen})]
    assert reader.words == seen


def test_markup_stays_markup_and_strings_made_of_it_do_not() -> None:
    assert tag("p", tag("b", "a & b")) == "<p><b>a &amp; b</b></p>"
    assert tag("p", "" + tag("b", "x")) == "<p>&lt;b&gt;x&lt;/b&gt;</p>"
    assert isinstance(tag("br"), Html)


def test_attributes() -> None:
    assert tag("label", "x", for_="a", class_=None, hidden=True, aria_label='"') == (
        '<label for="a" hidden aria-label="&quot;">x</label>'
    )


def test_a_document_allows_its_own_style_and_script_and_no_other() -> None:
    page = document(NASTY, tag("p", NASTY), style="p { margin: 0 }", script="void 0;").decode()
    reader = Reader(page)
    assert [name for name, _ in reader.elements].count("script") == 1
    assert "img" not in dict(reader.elements)
    (policy,) = (
        attributes["content"] or ""
        for name, attributes in reader.elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy and "http" not in policy
    for kind in ("style", "script"):
        (source,) = re.findall(rf"<{kind}>(.*?)</{kind}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy


def test_a_page_without_a_script_allows_none() -> None:
    assert b"script-src &#x27;none&#x27;" in document("x")


def test_a_table_has_a_caption_and_headings() -> None:
    made = ElementTree.fromstring(table("Faces", ["Face", "DSSIM"], [[1, 0.01]]))
    assert [one.text for one in made.iter("caption")] == ["Faces"]
    assert [one.get("scope") for one in made.iter("th")] == ["col", "col", "row"]


def svg(figure: Html) -> ElementTree.Element:
    made = ElementTree.fromstring(figure)
    (drawn,) = made.iter("svg")
    assert drawn.get("role") == "img" and drawn.get("aria-label") == NASTY
    return made


def test_bars_are_as_long_as_their_values() -> None:
    rows = [Bar("a", 0.5, 0.4, 0.6), Bar(NASTY, 1, tone="bad")]
    made = svg(bars(NASTY, rows, summary=NASTY, most=1, form=".0%"))
    first, second = (float(one.get("width", "")) for one in made.iter("rect"))
    assert first * 2 == pytest.approx(second, abs=0.1)
    assert "50%" in "".join(made.itertext())
    assert [one.get("class") for one in made.iter("line")] == ["whisker"]


def test_strips_mark_what_is_over_the_limit() -> None:
    rows = [Strip("sface", [0.1, 0.3, 7], 0.3), Strip("other", [0.5])]
    dots = list(svg(strips("x", rows, summary=NASTY)).iter("circle"))
    assert [one.get("class") for one in dots] == [None, "over", "over", None]
    assert all(0 <= float(one.get("cx", "")) <= 560 for one in dots)


def test_a_histogram_counts_everything() -> None:
    made = svg(histogram("x", [0.1, 0.1, 0.9, 5], summary=NASTY, bins=2, high=1, limit=0.5))
    heights = [float(one.get("height", "")) for one in made.iter("rect")]
    assert len(heights) == 2 and heights[0] == heights[1]


def test_curves_have_a_key() -> None:
    series = [Series("linear", [(0, 0.1), (1, 0.9)], [(0, 0.2), (0.8, 1)]), Series(NASTY, [(0, 1)])]
    made = svg(curves("x", series, summary=NASTY, x_label="photos", y_label="share", limit=0.9))
    assert {"linear", NASTY, "photos", "share"} <= set(made.itertext())
    assert len(list(made.iter("polygon"))) == 1


@pytest.mark.parametrize("values", [[], [0.0], [0.2, 0.2]])
def test_little_or_nothing_to_draw_is_drawn(values: list[float]) -> None:
    svg(bars("x", [Bar("a", value) for value in values], summary=NASTY))
    svg(strips("x", [Strip("a", values)], summary=NASTY))
    svg(histogram("x", values, summary=NASTY))
    points = [(0, value) for value in values]
    svg(curves("x", [Series("a", points)], summary=NASTY, x_label="x", y_label="y"))
