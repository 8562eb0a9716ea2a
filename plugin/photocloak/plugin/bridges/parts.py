"""What a bridge can put at a path: a whole file, or a piece of a file that is the user's.

A part knows how to get into bytes and out of them again. What stands in the record (see `base`) is
its `text`, so that another version of photocloak can take out what this one has put in.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar, Protocol
from xml.etree import ElementTree
from xml.parsers import expat

from photocloak.core import ConfigError


class Part(Protocol):
    """Something to be put at a path; `kind` is how the record calls it."""

    kind: ClassVar[str]

    @property
    def executable(self) -> bool:
        """Tell whether the file must be one that can be run."""

    @property
    def text(self) -> str:
        """What must be remembered in order to find the part again."""

    def put(self, there: bytes) -> bytes:
        """Return the file with the part in it; `there` does not hold it, and may be empty.

        Raises:
            ConfigError: the part cannot be put into this.

        """

    @staticmethod
    def find(there: bytes, text: str) -> bool | None:
        """Tell whether a part with that `text` is there: True; changed since: False; not: None."""

    @staticmethod
    def take(there: bytes, text: str) -> bytes:
        """Return the file without the part, which `find` has found."""

    @staticmethod
    def hollow(there: bytes) -> bool:
        """Tell whether nothing is left in the file that anybody would miss."""


@dataclass(frozen=True)
class File:
    """A whole file of ours."""

    content: bytes
    executable: bool = False
    kind: ClassVar[str] = "file"

    @property
    def text(self) -> str:
        """The SHA-256 of the content, in hex."""
        return sha256(self.content).hexdigest()

    def put(self, there: bytes) -> bytes:  # noqa: ARG002 - a whole file takes no notice
        """Return the content."""
        return self.content

    @staticmethod
    def find(there: bytes, text: str) -> bool | None:
        """Compare hashes; there is always something where a file is."""
        return sha256(there).hexdigest() == text

    @staticmethod
    def take(there: bytes, text: str) -> bytes:  # noqa: ARG004  a whole file goes
        """Return nothing."""
        return b""

    @staticmethod
    def hollow(there: bytes) -> bool:
        """Tell whether the file is empty."""
        return not there


@dataclass(frozen=True)
class Line:
    """One line at the end of a text file (UTF-8) that may be the user's; without its line end."""

    line: str
    executable: ClassVar[bool] = False
    kind: ClassVar[str] = "line"

    @property
    def text(self) -> str:
        """The line."""
        return self.line

    def put(self, there: bytes) -> bytes:
        """Append the line, after a line end where the last line has none."""
        end = b"" if not there or there.endswith(b"\n") else b"\n"
        return there + end + self.line.encode() + b"\n"

    @staticmethod
    def find(there: bytes, text: str) -> bool | None:
        """Look for the line; one that was changed is not ours any more."""
        return True if text.encode() in there.splitlines() else None

    @staticmethod
    def take(there: bytes, text: str) -> bytes:
        """Drop the last such line."""
        lines = there.splitlines(keepends=True)
        at = max(i for i, line in enumerate(lines) if line.rstrip(b"\r\n") == text.encode())
        return b"".join(lines[:at] + lines[at + 1 :])

    @staticmethod
    def hollow(there: bytes) -> bool:
        """Tell whether the file has only white space."""
        return not there.strip()


@dataclass(frozen=True)
class Element:
    """Children of the root of an XML file, each known by its first child (digiKam's `queuetitle`).

    Programs rewrite such files in their own layout and add what they know; an element counts as
    ours as long as all that was put into it is still there.

    Attributes:
        markup: the elements, one or more.
        empty: the file to begin with where there is none: `<?xml …?><root …></root>`.

    """

    markup: str
    empty: str
    executable: ClassVar[bool] = False
    kind: ClassVar[str] = "element"

    @property
    def text(self) -> str:
        """The elements' markup."""
        return self.markup

    def put(self, there: bytes) -> bytes:
        """Insert the elements before the root's end; the other bytes stay as they are."""
        there = there or self.empty.encode()
        root = _root(there)
        tag, end = root.tag.encode(), there.rfind(b"<")
        inner = self.markup.encode()
        if there[end:].startswith(b"</" + tag):
            return there[:end] + inner + b"\n" + there[end:]
        slash = there.rfind(b"/>")  # <root/>
        return there[:slash] + b">\n" + inner + b"\n</" + tag + b">" + there[slash + 2 :]

    @staticmethod
    def find(there: bytes, text: str) -> bool | None:
        """Look for elements with our titles, and for all that we put into them.

        Those that were deleted are not missed, as long as one is there.
        """
        spans = [Element._spans(there, one) for one in _elements(text)]
        if not any(spans):
            return None
        return all(any(ours for _, _, ours in some) for some in spans if some)

    @staticmethod
    def take(there: bytes, text: str) -> bytes:
        """Cut out the elements with all of our content; the other bytes stay as they are."""
        for one in _elements(text):
            for start, end, ours in reversed(Element._spans(there, one)):
                if ours:
                    rest = there[end:]
                    there = there[:start] + (rest[1:] if rest.startswith(b"\n") else rest)
        return there

    @staticmethod
    def hollow(there: bytes) -> bool:
        """Tell whether the root has no child."""
        return len(_root(there)) == 0

    @staticmethod
    def _spans(there: bytes, one: ElementTree.Element) -> list[tuple[int, int, bool]]:
        """Return where the elements of one title lie, and whether all of our content is in them.

        First byte and the byte after.
        """
        if not there.strip():
            return []
        title, ours = _canonical(one[0]), _children(one)
        return [
            (*span, ours <= _children(child))
            for span, child in zip(_child_spans(there), _root(there), strict=True)
            if len(child) and _canonical(child[0]) == title
        ]


KINDS: dict[str, type[Part]] = {part.kind: part for part in (File, Line, Element)}


def _root(there: bytes) -> ElementTree.Element:
    try:
        return ElementTree.fromstring(there)
    except ElementTree.ParseError as error:
        raise ConfigError(f"it is not sound XML ({error})") from error


def _canonical(element: ElementTree.Element) -> str:
    text = ElementTree.tostring(element, encoding="unicode")
    return ElementTree.canonicalize(text, strip_text=True)


def _elements(markup: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(f"<all>{markup}</all>"))


def _children(element: ElementTree.Element) -> set[str]:
    return {_canonical(child) for child in element}


def _child_spans(there: bytes) -> list[tuple[int, int]]:
    """Return where in the bytes the root's children begin and end."""
    parser, depth, spans = expat.ParserCreate(), 0, []

    def begin(_name: str, _attributes: object) -> None:
        nonlocal depth
        depth += 1
        if depth == 2:
            spans.append((parser.CurrentByteIndex, 0))

    def end(_name: str) -> None:
        nonlocal depth
        if depth == 2:
            start = spans.pop()[0]
            at = there.index(b">", parser.CurrentByteIndex) + 1
            spans.append((start, at))
        depth -= 1

    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.Parse(there, True)
    return spans
