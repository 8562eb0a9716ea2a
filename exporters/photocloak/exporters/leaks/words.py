"""How letters follow each other: words of languages against drawn letters."""

import math
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache

from photocloak.exporters.leaks.tables import table

USUAL = 5.0
"""Bits a letter that words have at most, taken together; languages have 4.0 to 4.8."""

_WINDOW, _SLACK = 32, 14.0  # letters that are judged together; bits more where they are few
_BRIEF = 2.4  # letters of a word: languages have more on average
_FOLDED = str.maketrans("ßøłđþðıœæ", "solotdioa")
# Languages use their letters unevenly: entropy of so many letters, in shares of the largest. Of
# ideographs nobody has used up all in a text; their shares are measured with 300 and more.
_STRETCH = 600
_SKEWED_LATIN, _SKEWED, _SKEWED_IDEOGRAPHS = 0.965, 0.955, 0.962
_MANY, _UNSURE = 300, 0.015  # fewer letters of other scripts look more even than they are
# Of texts in 20 languages and of photos the entropy is 0.97 of the largest at most, and 3.8 bits at
# least; one letter in so many is rare.
_DRAWN, _POOREST, _RARE = 0.985, 3.15, 200
IDEOGRAPHS = 40
"""Distinct letters: more than an alphabet has."""


@cache
def _surprises() -> dict[str, int]:
    letters = " abcdefghijklmnopqrstuvwxyz"
    rows = table("letters")["rows"]
    return {a + b: int(rows[i][j]) for i, a in enumerate(letters) for j, b in enumerate(letters)}


def surprise(word: str) -> int:
    """Return the bits of a folded word, letter behind letter."""
    surprises = _surprises()
    return sum(surprises.get(a + b, 9) for a, b in zip(" " + word, word, strict=False))


def unlikely(words: Iterable[str]) -> int:
    """Return the letters of words that follow each other as in no language."""
    return sum(
        letters
        for letters, bits, count in _windows(words)
        if bits > USUAL * letters + _SLACK or (letters >= _WINDOW and letters < _BRIEF * count)
    )


def _windows(words: Iterable[str]) -> Iterator[tuple[int, int, int]]:
    """Yield (letters, bits, words) of a few words at a time."""
    letters = bits = count = 0
    for word in words:
        plain = folded(word)
        letters += len(plain)
        count += 1
        bits += surprise(plain)
        if letters >= _WINDOW:
            yield letters, bits, count
            letters = bits = count = 0
    if letters:
        yield letters, bits, count


def folded(word: str) -> str:
    """Return a word in small letters without accents."""
    if word.isascii():
        return word.lower()
    apart = unicodedata.normalize("NFKD", word.lower().translate(_FOLDED))
    return "".join(one for one in apart if not unicodedata.combining(one))


def is_uniform(letters: str, *, latin: bool) -> bool:
    """Tell whether some part of a text uses its letters about equally, as no language does."""
    starts = range(0, max(1, len(letters) - _STRETCH // 2), _STRETCH)
    return any(is_even(letters[start : start + _STRETCH], latin=latin) for start in starts)


def is_even(letters: str, *, latin: bool) -> bool:
    """Tell whether letters are used about equally."""
    counts = Counter(letters)
    skewed = _SKEWED_IDEOGRAPHS if len(counts) > IDEOGRAPHS else _SKEWED
    if not latin and len(letters) < _MANY:
        skewed += _UNSURE
    skewed = _SKEWED_LATIN if latin else skewed
    most = math.log2(min(len(counts), len(letters)))
    return _entropy(counts) > skewed * most or len(counts) < 8


def is_drawn(letters: str) -> bool:
    """Tell whether 300 to 600 Latin letters of different words are drawn from some alphabet.

    What other texts add is few of each letter, and no part of the alphabet.
    """
    counts = Counter(letters)
    used = sum(count * _RARE >= len(letters) for count in counts.values())
    entropy = _entropy(counts)
    return entropy > _DRAWN * math.log2(max(2, used)) or entropy < _POOREST


def _entropy(counts: Counter[str]) -> float:
    total = counts.total()
    return -sum(n / total * math.log2(n / total) for n in counts.values())
