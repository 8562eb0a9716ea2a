"""HTML from Python values: whatever is not markup already is escaped, without exception."""

import html
from collections.abc import Iterable, Sequence

VOID = {"br", "hr", "img", "input", "link", "meta"}
Child = object
"""`Html` goes in as it is, None is left out, anything else is text."""


class Html(str):
    """Markup. Only this module makes it, from escaped parts."""

    __slots__ = ()


def text(value: object) -> Html:
    """Escape a value, for content and for quoted attributes alike."""
    if isinstance(value, Html):
        return value
    # A lone surrogate, from a file name that is not UTF-8, can be in no page.
    return Html(html.escape(str(value).encode("utf-8", "replace").decode("utf-8"), quote=True))


def join(children: Iterable[Child], between: str = "") -> Html:
    """Return markup side by side."""
    return Html(text(between).join(text(child) for child in children if child is not None))


def tag(name: str, /, *children: Child, **attributes: object) -> Html:
    """Return an element.

    Args:
        name: of the element.
        children: what is inside; see `Child`.
        attributes: `class_` and `for_` are `class` and `for`, `aria_label` is `aria-label`; None
            and False leave one out, True writes it without a value.

    """
    start = [name]
    for key, value in attributes.items():
        attribute = key.rstrip("_").replace("_", "-")
        if value is True:
            start.append(attribute)
        elif value is not None and value is not False:
            start.append(f'{attribute}="{text(value)}"')
    opening = f"<{' '.join(start)}>"
    return Html(opening if name in VOID else f"{opening}{join(children)}</{name}>")


def table(
    caption: Child, head: Sequence[Child], rows: Iterable[Sequence[Child]], *, class_: str = ""
) -> Html:
    """Return a table with a caption; the first cell of a row is its heading.

    It can be scrolled sideways on a narrow screen, by keyboard as well.
    """
    body = [
        tag("tr", *(tag("td", cell) if i else tag("th", cell, scope="row") for i, cell in row))
        for row in (enumerate(cells) for cells in rows)
    ]
    return tag(
        "div",
        tag(
            "table",
            tag("caption", caption),
            tag("thead", tag("tr", *(tag("th", cell, scope="col") for cell in head))),
            tag("tbody", *body),
            class_=class_ or None,
        ),
        class_="scroll",
        role="group",
        aria_label=caption,
        tabindex="0",
    )
