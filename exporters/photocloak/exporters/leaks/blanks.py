"""White space: what is more than separators and indents could spell bits."""

import re
from collections import Counter
from itertools import pairwise

from photocloak.exporters.leaks.costs import FREE, Cost

_MANY, _FEW_TURNS = 48, 4  # characters; turns from one kind to another
_INDENTS = 2  # kinds of lines that padding has
_USUAL = " \n\r\t\f"  # zeros come as form feeds
_BREAK = re.compile(r"\r\n|[\r\n\f]")
_ENDS = 2  # turns from one kind of line break to another: lines, padding, an end
_RUNS = re.compile(r"\s{2,}")


def blanks_cost(text: str) -> Cost:
    """Return what white space is more than separators and indents: it could spell bits."""
    count = len(text) - len("".join(text.split()))
    if not count:
        return FREE
    unusual = _unusual(text)
    if count == len(text) and is_padding(text):
        return Cost(opaque=unusual)
    runs = "|".join(_RUNS.findall(text))
    turns = Counter(a + b for a, b in pairwise(runs) if a != b and "|" not in (a, b))
    counted = turns.total() - turns["\r\n"]
    digits = max(0, counted - _FEW_TURNS) // 2
    if count < _MANY:
        return Cost(opaque=unusual, digits=digits)
    if count == len(text):
        return Cost(opaque=count)
    tabs = turns[" \t"] + turns["\t "]
    excess = max(0, count - len(text) // 2 - _MANY) if tabs else 0
    broken = count if (counted - tabs) * 3 > count else 0
    return Cost(opaque=unusual + max(tabs - _MANY, excess, broken), digits=digits)


def _unusual(text: str) -> int:
    """Return the white space of other kinds than texts have."""
    odd = [one for one in set(text) if one.isspace() and one not in _USUAL]
    return sum(map(text.count, odd))


def is_padding(blanks: str) -> bool:
    """Tell whether white space is lines of one kind each, and these of two kinds at most."""
    lines = _BREAK.split(blanks)
    alike = all(len(set(line)) <= 1 for line in lines) and len(set(lines[1:-1])) <= _INDENTS
    return alike and break_turns(blanks) <= _ENDS


def break_turns(text: str) -> int:
    """Return how often a line break is another than the one before it."""
    return sum(a != b for a, b in pairwise(_BREAK.findall(text)))
