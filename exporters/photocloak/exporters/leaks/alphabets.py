"""Alphabets: how surprising a letter is behind another, in what languages each of them writes."""

import unicodedata
from dataclasses import dataclass
from functools import cache

from photocloak.exporters.leaks.tables import table

LATIN = "LATIN"
_FOLDED = str.maketrans("ßøłđþðıœæ", "solotdioa")
_UNKNOWN = 9  # bits of a letter that the table of its alphabet has not
# The ideographs that a country's character set has first are those in use: (codec, first and last
# of the leading bytes) of GB 2312, JIS X 0208 and Big5, level 1 each.
_IN_USE = (("gb2312", 0xB0, 0xD7), ("euc_jp", 0xB0, 0xCF), ("big5", 0xA4, 0xC6))


@dataclass(frozen=True)
class Alphabet:
    """The letters of a script, as languages use them.

    Attributes:
        usual: bits a letter that words have at most, taken together.
        brief: letters that words have at least, on average.
        surprises: bits, by two letters in a row; a word begins with a blank.

    """

    usual: float
    brief: float
    surprises: dict[str, int]

    def surprise(self, word: str) -> int:
        """Return the bits of a folded word, letter behind letter."""
        return sum(
            self.surprises.get(a + b, _UNKNOWN) for a, b in zip(" " + word, word, strict=False)
        )


@cache
def alphabet(script: str) -> Alphabet | None:
    """Return the alphabet of a script, None where there is no table of it."""
    form = table("letters").get(script)
    if form is None:
        return None
    letters = " " + form["letters"]
    surprises = {
        a + b: int(form["rows"][i][j]) for i, a in enumerate(letters) for j, b in enumerate(letters)
    }
    return Alphabet(form["usual"], form["brief"], surprises)


@cache
def script(letter: str) -> str:
    """Return the script of a letter, by its name; Latin letters are those of Latin alphabets."""
    if ord(letter) < 0x250 or 0x1E00 <= ord(letter) < 0x1F00:
        return LATIN
    name = unicodedata.name(letter, "").partition(" ")[0]
    return name if name != LATIN else "LATIN, odd"


def folded(word: str) -> str:
    """Return a word in small letters without accents; Hangul in its jamo."""
    if word.isascii():
        return word.lower()
    apart = unicodedata.normalize("NFKD", word.lower().translate(_FOLDED))
    return "".join(one for one in apart if not unicodedata.combining(one))


@cache
def is_in_use(ideograph: str) -> bool:
    """Tell whether people write an ideograph: a code takes them as they come."""
    for codec, first, last in _IN_USE:
        try:
            head = ideograph.encode(codec)[0]
        except UnicodeEncodeError:
            continue
        if first <= head <= last:
            return True
    return False
