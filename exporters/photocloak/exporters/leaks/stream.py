"""What all texts of a file read as together: pieces of a code are words one by one, not in a row.

A word counts once in a file, however often it comes: what is repeated around a piece, a carrier or
a separator, vouches for nothing. Words of one or two letters say too little for that and count once
in each text, as half a bit odd.
"""

import unicodedata
from dataclasses import dataclass, field

from photocloak.exporters.leaks.readability import Cost
from photocloak.exporters.leaks.words import USUAL, folded, is_drawn, is_even, surprise

_SHORT = 0.5  # bits that a word of one or two letters is odd
# Oddness is what a word's bits are above the usual. Of a photo's texts it is 0.04 to 0.31 a letter
# (words of 18 languages: 0.17 at most), of drawn letters 0.9 and more in whatever pieces.
_SHARE = 0.35
_MOST, _STRICT = 80.0, 40.0  # bits beyond that share; photos need 16
# letters that tell whether they are used evenly
_FEW, _FEW_FOREIGN, _STRETCH = 300, 150, 600


@dataclass
class Stream:
    """The texts of one file that were kept.

    Attributes:
        words: folded, of three letters and more.
        odd: bits, in all.
        letters: that were looked at for it.
        latin: the last of them.
        foreign: the last letters of each other script.

    """

    words: set[str] = field(default_factory=set)
    odd: float = 0.0
    letters: int = 0
    latin: str = ""
    foreign: dict[str, str] = field(default_factory=dict)

    def takes(self, told: Cost, *, strict: bool) -> bool:
        """Tell whether a text can be read behind those before it, and remember it then."""
        fresh = self._fresh(told)
        letters = sum(map(len, fresh))
        odd = sum(map(_oddness, fresh))
        most = (_STRICT if strict else _MOST) + _SHARE * (self.letters + letters)
        if odd > _SHARE * letters and self.odd + odd > most:
            return False
        latin = (self.latin + "".join(fresh))[-_STRETCH:]
        foreign = {
            script: (self.foreign.get(script, "") + some)[-_STRETCH:]
            for script, some in _scripts(told.letters).items()
        }
        if len(latin) >= _FEW and is_drawn(latin):
            return False
        if any(len(one) >= _FEW_FOREIGN and is_even(one, latin=False) for one in foreign.values()):
            return False
        self.words.update(fresh)
        self.odd += odd
        self.letters += letters
        self.latin = latin
        self.foreign |= foreign
        return True

    def _fresh(self, told: Cost) -> list[str]:
        """Return a text's folded words, each once, without the long ones that are remembered."""
        words = dict.fromkeys(map(folded, told.words))
        return [one for one in words if len(one) < 3 or one not in self.words]


def _oddness(word: str) -> float:
    return max(0.0, surprise(word) - USUAL * len(word)) + (_SHORT if len(word) < 3 else 0)


def _scripts(letters: str) -> dict[str, str]:
    """Return letters by script."""
    found: dict[str, str] = {}
    for letter in letters:
        script = unicodedata.name(letter, "").partition(" ")[0]
        found[script] = found.get(script, "") + letter
    return found
