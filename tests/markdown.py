"""What stands in the repository's Markdown: files, links, anchors, code."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = sorted(
    path
    for folder, pattern in ((ROOT, "*.md"), (ROOT / "docs", "**/*.md"), (ROOT / "tests", "**/*.md"))
    for path in folder.glob(pattern)
)
BY_NAME = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in FILES}

_FENCED = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
_SPAN = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\]\(([^()\s]+)\)")


def prose(text: str) -> str:
    """Return a page without its blocks of code."""
    return _FENCED.sub("", text)


def links(text: str) -> Iterator[str]:
    """Give the targets of the links that lead to other pages of the repository."""
    for target in _LINK.findall(_SPAN.sub("", prose(text))):
        if not re.match(r"[a-z]+:", target):
            yield target


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ +(.+?) *#*$", prose(text), re.MULTILINE):
        shown = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
        name = re.sub(r"[^\w\- ]", "", shown).replace(" ", "-")
        count = sum(one == name or re.fullmatch(f"{name}-\\d+", one) is not None for one in found)
        found.add(f"{name}-{count}" if count else name)
    return found


def blocks(text: str, language: str) -> list[str]:
    """Return a page's blocks of code in a language."""
    return [block for name, block in _FENCED.findall(text) if name == language]


def code(text: str) -> Iterator[str]:
    """Give the code of a page: spans of its prose, lines of its blocks."""
    yield from (" ".join(span.split()) for span in _SPAN.findall(prose(text)))
    for _, block in _FENCED.findall(text):
        yield from (line.strip() for line in block.replace("\\\n", " ").splitlines())
