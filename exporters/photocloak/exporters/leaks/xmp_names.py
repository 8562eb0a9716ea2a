"""The names of an XMP packet: name spaces, prefixes and properties are judged as texts are."""

import re
from functools import lru_cache

from photocloak.exporters.leaks.ledger import Ledger
from photocloak.exporters.leaks.readability import cost
from photocloak.exporters.leaks.tables import table

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XML = "http://www.w3.org/XML/1998/namespace"
# names that RDF and XML give a meaning, as XMP uses them (ISO 16684-1, 7)
_RDF_NAMES = (
    *("RDF", "Description", "Bag", "Seq", "Alt", "li", "value", "type"),
    *("about", "ID", "resource", "parseType", "nodeID", "datatype"),
)
_STRUCTURE = {(XML, name) for name in ("lang", "space", "base")}
_STRUCTURE |= {(RDF, name) for name in _RDF_NAMES}
# what names of known name spaces have besides words: Camera Raw's versions, a number at the end
_NUMBERED = re.compile(r"(?:PV)?20(?:03|10|12)|_?\d{1,2}$")
# characters of a prefix, and how many of these may be no word, as of xmpMM
_PREFIX, _ABBREVIATED = 16, 8
_CALLED = 48  # characters of a name that is told

Name = tuple[str, str]
"""Name space and local name."""
remembered_cost = lru_cache(maxsize=4096)(cost)


class Names:
    """The names of one packet that were met."""

    def __init__(self, ledger: Ledger, where: str) -> None:
        self._ledger, self._where = ledger, where
        self._admitted: dict[Name, bool] = {}
        self._prefixes: dict[str, str] = {"": ""}  # of name spaces, the first one each

    def space(self, prefix: str, value: str) -> str:
        """Return a name space that may stay under its prefix.

        Raises:
            ValueError: one of them cannot be read; all names would change without it.

        """
        known = value in known_spaces()
        if self._prefixes.get(value) != prefix:
            wanted = remembered_cost(prefix)
            usual = len(prefix) <= _PREFIX and wanted.opaque <= _ABBREVIATED
            free = known and usual and value not in self._prefixes
            if not free and not self._ledger.admits(wanted):
                raise ValueError("its name spaces cannot be read")
        if not known and not self._ledger.admits(remembered_cost(value)):
            raise ValueError("its name spaces cannot be read")
        self._prefixes.setdefault(value, prefix)
        return value

    def admits(self, name: Name) -> bool:
        """Tell whether a name may stay; each time the same."""
        if name in _STRUCTURE:
            return True
        if name not in self._admitted:
            self._admitted[name] = self._judged(name)
        return self._admitted[name]

    def series(self, name: Name) -> str:
        """Return what the values of a property go by, and of those that are numbered like it."""
        return f"{self._where} {name[1].rstrip('0123456789')}"

    def _judged(self, name: Name) -> bool:
        space, local = name
        wanted = remembered_cost(_NUMBERED.sub("", local) if space in known_spaces() else local)
        if space not in self._prefixes and space not in (RDF, XML):
            wanted += remembered_cost(space)  # a prefix that nothing declares
            space = "none"
        numbered = local[-1:].isdecimal()
        series = self.series(name) if numbered else f"{self._where} names of {space}"
        return self._ledger.admits(wanted, series=series)


def called(name: Name) -> str:
    """Return a name for people; what cannot be read is not repeated."""
    if name[0] == RDF:
        return "list item"
    readable = len(name[1]) <= _CALLED and not remembered_cost(name[1]).opaque
    return name[1] if readable else "property"


def known_spaces() -> frozenset[str]:
    """Return the name spaces of the tables."""
    tables = table("xmp")
    return (
        frozenset([RDF, XML, *tables["spaces"]["known"]])
        .union(*(tables[kind] for kind in ("pictures", "grammar", "identifiers", "ascending")))
        .union(tables["numbers"].values())
    )
