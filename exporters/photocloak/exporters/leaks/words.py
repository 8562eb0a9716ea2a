"""How letters follow each other: words of languages against drawn letters."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator

from photocloak.exporters.leaks.alphabets import LATIN, Alphabet, alphabet, folded, script

_WINDOW, _SLACK = 32, 14.0  # letters that are judged together; bits more where they are few
# Letters of one word, and of 300 letters' different words on average: languages have 12 at most.
_LONGEST, _LONG = 24, 15
_SPACED = 2.0  # of a shortest average above it: words are written apart
# Languages use their letters unevenly: entropy of so many letters, in shares of the largest. Of
# ideographs nobody has used up all in a text; their shares are measured with 300 and more.
_STRETCH = 600
_SKEWED_LATIN, _SKEWED, _SKEWED_IDEOGRAPHS = 0.965, 0.955, 0.962
_FEW = 150  # letters that tell whether they are used evenly
_MANY, _UNSURE = 300, 0.015  # fewer letters of other scripts look more even than they are
# Of texts in 20 languages and of photos the entropy is 0.97 of the largest at most, and 3.8 bits at
# least; one letter in so many is rare.
_DRAWN, _POOREST, _RARE = 0.985, 3.15, 200
IDEOGRAPHS = 40
"""Distinct letters: more than an alphabet has."""


def by_script(words: Iterable[str]) -> dict[str, list[str]]:
    """Return folded words by the script of their first letter."""
    found: dict[str, list[str]] = {}
    for word in words:
        plain = folded(word)
        if plain:
            found.setdefault(script(plain[0]), []).append(plain)
    return found


def unread(words: Iterable[str]) -> int:
    """Return the letters of words that nobody can read, alphabet by alphabet."""
    return sum(_unread(name, some) for name, some in by_script(words).items())


def _unread(name: str, words: list[str]) -> int:
    letters = "".join(words)
    form = alphabet(name)
    if form is None or (len(letters) >= _FEW and is_uniform(letters, latin=name == LATIN)):
        return len(letters)
    return sum(
        count
        for count, bits, some in _windows(words, form)
        if bits > form.usual * count + _SLACK
        or (count >= _WINDOW and not form.brief * some <= count <= _longest(form) * some)
    )


def _longest(form: Alphabet) -> float:
    return _LONGEST if form.brief > _SPACED else math.inf


def _windows(words: Iterable[str], form: Alphabet) -> Iterator[tuple[int, int, int]]:
    """Yield (letters, bits, words) of a few words at a time."""
    letters = bits = count = 0
    for word in words:
        letters += len(word)
        count += 1
        bits += form.surprise(word)
        if letters >= _WINDOW:
            yield letters, bits, count
            letters = bits = count = 0
    if letters:
        yield letters, bits, count


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


def is_drawn(words: str) -> bool:
    """Tell whether 300 to 600 Latin letters of different words are drawn from some alphabet.

    What other texts add is few of each letter, and no part of the alphabet.

    Args:
        words: each behind a blank.

    """
    letters = words.replace(" ", "")
    if len(letters) > _LONG * words.count(" "):
        return True
    counts = Counter(letters)
    used = sum(count * _RARE >= len(letters) for count in counts.values())
    entropy = _entropy(counts)
    return entropy > _DRAWN * math.log2(max(2, used)) or entropy < _POOREST


def _entropy(counts: Counter[str]) -> float:
    total = counts.total()
    return -sum(n / total * math.log2(n / total) for n in counts.values())
