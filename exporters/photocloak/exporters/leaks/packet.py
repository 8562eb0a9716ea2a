"""XMP packets taken apart: every property judged, what cannot stay cut out, every other byte kept.

The packet is parsed, so that no spelling of it (entities, CDATA, comments, name space prefixes,
single quotes) hides anything, but it is cut as text: a parser that writes it anew would change
prefixes, order and padding.
"""

import re
from dataclasses import dataclass, field
from xml.parsers import expat

from photocloak.exporters.leaks.blanks import blanks_cost
from photocloak.exporters.leaks.costs import FREE, Cost
from photocloak.exporters.leaks.histories import GRAMMARS
from photocloak.exporters.leaks.ledger import Ledger
from photocloak.exporters.leaks.readability import identifier
from photocloak.exporters.leaks.spelling import declares, plain_blanks, spelling_cost, wraps
from photocloak.exporters.leaks.tables import table
from photocloak.exporters.leaks.xmp_names import RDF, XML, Name, Names, called, remembered_cost

_DEEPEST, _LONGEST = 64, 1 << 26
_ATTRIBUTE = re.compile(rb"""\s+[^\s=<>/"']+\s*=\s*(?:"[^"]*"|'[^']*')""")
_NUMBER = re.compile(r"[+-]?\d{1,8}(?:[./]\d{1,8})?%?(?:\s*,\s*[+-]?\d{1,8}(?:\.\d{1,8})?)?")
_NOTE = ("http://ns.adobe.com/xmp/note/", "HasExtendedXMP")
_WRAPPERS = 2  # a packet begins and ends

Span = tuple[int, int]


@dataclass
class _Element:
    """An element that is open: its name, where it begins, what it and its text belong to."""

    name: Name
    start: int
    spaces: dict[str, str]
    property: Name | None
    nearest: Name
    text: list[str] = field(default_factory=list)


def judge(packet: bytes, ledger: Ledger, where: str, *, extended_gone: bool = False) -> bytes:
    """Return a packet without what cannot stay; the very same bytes where all of it can.

    Args:
        packet: in UTF-8.
        ledger: the account of the file.
        where: name of the part.
        extended_gone: the ExtendedXMP it refers to is not written.

    Raises:
        ValueError: it is not well-formed, or declares entities: nobody can say what it holds.

    """
    if len(packet) > _LONGEST:
        raise ValueError("it is huge")
    cuts = _Judge(packet, ledger, where, extended_gone=extended_gone).cuts()
    kept, position = [], 0
    for start, end in sorted(cuts):
        if end > position:
            kept.append(packet[position : max(position, start)])
            position = end
    result = plain_blanks(b"".join([*kept, packet[position:]]) if cuts else packet)
    if not ledger.admits(spelling_cost(result)):
        raise ValueError("its spelling may be a code")
    return result


class _Judge:
    """One pass of the parser over a packet."""

    def __init__(self, packet: bytes, ledger: Ledger, where: str, *, extended_gone: bool) -> None:
        self._first, self._last = packet.find(b"<"), packet.rfind(b">") + 1
        self._before, self._behind = packet[: self._first], packet[self._last :]
        self._text = packet[self._first : self._last]
        self._ledger, self._where = ledger, where
        self._gone = {_NOTE} if extended_gone else set[Name]()
        self._open: list[_Element] = []
        self._skipped = 0  # depth below an element that is cut
        self._cuts: list[Span] = []
        self._names = Names(ledger, where)
        self._wrappers = 0
        self._property = FREE
        self._highest: dict[Name, str] = {}  # of sorted lists
        parser = expat.ParserCreate("utf-8")
        parser.ordered_attributes = True
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.CommentHandler = self._comment
        parser.ProcessingInstructionHandler = self._instruction
        parser.StartDoctypeDeclHandler = self._declared
        parser.XmlDeclHandler = self._declaration
        self._parser = parser

    def cuts(self) -> list[Span]:
        """Return the stretches of the packet to cut out."""
        if self._first < 0 or self._before.strip(b"\xef\xbb\xbf\0 \t\r\n"):
            raise ValueError("it does not begin as XML")
        try:
            self._parser.Parse(self._text, True)
        except expat.ExpatError as error:
            raise ValueError("it is not well-formed") from error
        cuts = [(start + self._first, end + self._first) for start, end in self._cuts]
        if self._behind.strip(b"\0 \t\r\n"):
            cuts.append((self._last, self._last + len(self._behind)))
            self._ledger.drop(f"{self._where}, behind its end", len(self._behind), "unknown")
        return cuts

    def _start(self, raw: str, attributes: list[str]) -> None:
        if self._skipped:
            self._skipped += 1
            return
        at = self._parser.CurrentByteIndex
        if len(self._open) > _DEEPEST:
            raise ValueError("it is nested too deep")
        spaces = dict(self._open[-1].spaces) if self._open else {"xml": XML}
        for key, value in zip(attributes[::2], attributes[1::2], strict=True):
            if key == "xmlns" or key.startswith("xmlns:"):
                spaces[key[6:]] = self._names.space(key[6:], value)
        name = _resolved(raw, spaces, spaces.get("", ""))
        above = self._open[-1] if self._open else None
        inside = above.property if above else None
        is_property = inside is None and above is not None and above.name == (RDF, "Description")
        if is_property:
            self._property = FREE
        nearest = name if name[0] != RDF or above is None else above.nearest
        element = _Element(name, at, spaces, name if is_property else inside, nearest)
        if not self._may_be(name):
            self._open.append(element)
            self._skipped = 1
            return
        self._attributes(element, attributes, at)
        self._open.append(element)

    def _attributes(self, element: _Element, attributes: list[str], at: int) -> None:
        position = at + 1
        while self._text[position : position + 1].strip(b" \t\r\n/>"):
            position += 1
        for raw, value in zip(attributes[::2], attributes[1::2], strict=True):
            match = _ATTRIBUTE.match(self._text, position)
            if match is None:
                raise ValueError("its attributes cannot be told apart")
            position = match.end()
            # tabs and line breaks of an attribute read as blanks
            odd = Cost(opaque=sum(map(match[0].strip().count, (b"\t", b"\r", b"\n"))))
            if raw == "xmlns" or raw.startswith("xmlns:"):
                if not self._ledger.admits(odd):
                    raise ValueError("its name spaces cannot be read")
                continue
            name = _resolved(raw, element.spaces, "")
            inside = element.property
            if inside is None and name[0] not in (RDF, XML):
                self._property = FREE
            own = name if name[0] not in (RDF, XML) else element.nearest
            if not self._may_be(name) or not self._admits(own, name, value, odd):
                self._cut(match.span(), name)

    def _end(self, _raw: str) -> None:
        if self._skipped > 1:
            self._skipped -= 1
            return
        element = self._open.pop()
        text = "".join(element.text)
        if self._skipped or not self._admits(element.nearest, element.name, text):
            self._skipped = 0
            self._cut((element.start, self._end_of(element)), element.name)

    def _end_of(self, element: _Element) -> int:
        """Return the offset behind an element that ends here, be it a single tag."""
        end = _behind_tag(self._text, element.start)
        if self._text[end - 2 : end] == b"/>":
            return end
        return self._text.index(b">", self._parser.CurrentByteIndex) + 1

    def _characters(self, text: str) -> None:
        if not self._skipped and self._open:
            self._open[-1].text.append(text)

    def _comment(self, _text: str) -> None:
        at = self._parser.CurrentByteIndex
        self._cuts.append((at, self._text.index(b"-->", at) + 3))

    def _instruction(self, target: str, data: str) -> None:
        self._wrappers += target == "xpacket"
        fits = target == "xpacket" and self._wrappers <= _WRAPPERS and wraps(data.encode())
        if not fits:
            at = self._parser.CurrentByteIndex
            self._cuts.append((at, self._text.index(b"?>", at) + 2))

    def _declaration(self, version: str, encoding: str | None, _standalone: int) -> None:
        if not declares(version, encoding):
            raise ValueError("its declaration is none of XML")

    def _declared(self, *_: object) -> None:
        raise ValueError("it declares entities")

    def _may_be(self, name: Name) -> bool:
        """Tell whether a property of that name may stay at all."""
        space, local = name
        names = table("xmp")["pictures"].get(space)
        if (names is not None and (not names or local in names)) or name in self._gone:
            return False
        return self._names.admits(name)

    def _admits(self, own: Name, name: Name, value: str, odd: Cost = FREE) -> bool:
        """Tell whether a value may stay; in a strict account, with all others of its property.

        Args:
            own: the property it belongs to.
            name: what it stands in; of lists, their item.
            value: as people read it.
            odd: what of it they do not see.

        """
        if not value:
            return True
        wanted = odd + (self._cost(own, name, value.strip()) if value.strip() else FREE)
        wanted += blanks_cost(value) if value != value.strip() else FREE
        if self._ledger.strict:
            self._property += wanted
            if not self._ledger.within(self._property):
                self._ledger.overdrawn = True
                return False
        plain = value if wanted != FREE or not _NUMBER.fullmatch(value) else ""
        return self._ledger.admits_text(plain, wanted, series=self._names.series(own))

    def _cost(self, own: Name, name: Name, value: str) -> Cost:
        """Return what of a value cannot be vouched for, by the grammar of its property."""
        tables = table("xmp")
        grammar = tables["grammar"].get(own[0], {}).get(own[1])
        if grammar:
            return GRAMMARS[grammar](value)
        if own[1] in tables["identifiers"].get(own[0], []):
            return identifier(value)
        if own[1] in tables["ascending"].get(own[0], []):
            # such a list is sorted where its program wrote it
            highest = self._highest.get(own, "")
            self._highest[own] = max(highest, value)
            return identifier(value) if value > highest else remembered_cost(value)
        if name[0] in tables["numbers"].values() and _NUMBER.fullmatch(value):
            return FREE
        return remembered_cost(value)

    def _cut(self, span: Span, name: Name) -> None:
        self._cuts.append(span)
        what = f"{self._where} {called(name)}"
        announced = name in self._gone or name[0] in table("xmp")["pictures"]
        why = "a picture or its announcement" if announced else "neither short nor readable"
        self._ledger.drop(what, span[1] - span[0], why)


def _resolved(raw: str, spaces: dict[str, str], default: str) -> Name:
    prefix, colon, local = raw.rpartition(":")
    return (spaces.get(prefix, prefix) if colon else default), local


def _behind_tag(packet: bytes, start: int) -> int:
    """Return the offset behind a start tag; attribute values may hold its closing sign."""
    match = re.compile(rb"""<(?:[^<>"']|"[^"]*"|'[^']*')*>""").match(packet, start)
    if match is None:
        raise ValueError("a tag has no end")
    return match.end()
