"""XMP packets read as RDF (ISO 16684-1): the few properties that publishing presets keep."""

import re
from xml.etree import ElementTree

from photocloak.exporters.containers.texts import decoded, line

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DEFAULT = "x-default"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_BEGINS = re.compile(r"<(?:[\w.-]+:)?(?:xmpmeta|xapmeta|RDF)[\s>]")
_LARGEST = 1 << 24
Namespaced = tuple[str, str]
"""Namespace and local name."""


class Packet:
    """The properties of a packet.

    Args:
        data: as it stands in the file, in UTF-8 or UTF-16.

    Raises:
        ValueError: it is damaged, huge, or declares entities.

    """

    def __init__(self, data: bytes) -> None:
        text = _text(data)
        start = _BEGINS.search(text)
        if start is None or len(text) > _LARGEST or "<!" in text.replace("<!--", ""):
            raise ValueError("no packet that is read")
        text = text[start.start() : text.rfind(">") + 1]
        try:
            root = ElementTree.fromstring(re.sub(r"<\?xpacket[^>]*\?>", "", text))
        except (ElementTree.ParseError, ValueError) as error:
            raise ValueError("it is damaged") from error
        top = [root] if root.tag == f"{{{RDF}}}RDF" else list(root.iter(f"{{{RDF}}}RDF"))
        self._described = [one for rdf in top for one in rdf]

    def text(self, name: Namespaced) -> str:
        """Return a simple property on one line, empty where there is none."""
        return next(iter(self.items(name)), "")

    def items(self, name: Namespaced) -> list[str]:
        """Return the items of a list, or a simple property as its only one."""
        return [text for _, text in self._values(name)]

    def languages(self, name: Namespaced) -> dict[str, str]:
        """Return a property in its languages, the default first; a list's items are joined."""
        found: dict[str, str] = {}
        for language, text in self._values(name):
            found[language] = f"{found[language]}; {text}" if language in found else text
        return dict(sorted(found.items(), key=lambda pair: pair[0] != DEFAULT))

    def _values(self, name: Namespaced) -> list[tuple[str, str]]:
        """Return (language, text) pairs of a property's values."""
        key = f"{{{name[0]}}}{name[1]}"
        for one in self._described:
            if key in one.attrib and line(one.attrib[key]):
                return [(DEFAULT, line(one.attrib[key]))]
            for child in one.iterfind(key):
                items = list(child.iter(f"{{{RDF}}}li")) or [child]
                pairs = ((item.get(_LANGUAGE, DEFAULT), _plain(item)) for item in items)
                found = [(language, text) for language, text in pairs if text]
                if found:
                    return list(dict.fromkeys(found))
        return []


def _plain(item: ElementTree.Element) -> str:
    return line("".join(item.itertext()) or item.get(f"{{{RDF}}}value", ""))


def _text(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    if data[:64].count(b"\0") > 16:
        return data.decode("utf-16-be" if data[:1] == b"\0" else "utf-16-le", "replace")
    return decoded(data)
