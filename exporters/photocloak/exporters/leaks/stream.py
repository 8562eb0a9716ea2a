"""What all texts of a file read as together: pieces of a code are words one by one, not in a row.

A word counts once in a file, however often it comes: what is repeated around a piece, a carrier or
a separator, vouches for nothing. Words of one or two letters say too little for that: they count
once in each text, as half a bit odd, and vouch for others the first time alone.
"""

from dataclasses import dataclass, field

from photocloak.exporters.leaks.alphabets import LATIN, alphabet, folded, script
from photocloak.exporters.leaks.costs import Cost
from photocloak.exporters.leaks.words import by_script, is_drawn, is_even

_SHORT = 0.5  # bits that a word of one or two letters is odd
# Oddness is what a word's bits are above the usual. Of a photo's texts it is 0.04 to 0.31 a letter
# (words of 18 languages: 0.17 at most), of drawn letters 0.9 and more in whatever pieces.
_SHARE = 0.35
_MOST, _STRICT = 80.0, 40.0  # bits beyond that share; photos need 16
# letters that tell whether they are used evenly
_FEW, _FEW_FOREIGN, _STRETCH = 300, 150, 600
# Words in all texts of so few, and how often one comes on average then: the settings of a printer
# come to 10, other texts of photos to 3, and what is written in a handful of words to hundreds.
# Longer texts tell by themselves what they are.
_BRIEF, _MANY, _AGAIN = 100, 300, 24


@dataclass
class Stream:
    """The texts of one file that were kept.

    Attributes:
        words: folded, of three letters and more.
        odd: bits, in all.
        letters: that were looked at for it.
        latin: the last of them, each word behind a blank.
        foreign: the last letters of each other script.
        count: words of the short texts, however often each.
        kinds: different ones of them, folded.

    """

    words: set[str] = field(default_factory=set)
    odd: float = 0.0
    letters: int = 0
    latin: str = ""
    foreign: dict[str, str] = field(default_factory=dict)
    count: int = 0
    kinds: set[str] = field(default_factory=set)

    def takes(self, told: Cost, *, strict: bool) -> bool:
        """Tell whether a text can be read behind those before it, and remember it then."""
        fresh = self._fresh(told)
        letters = sum(len(one) for one in fresh if one not in self.words)
        odd = sum(map(_oddness, fresh))
        most = (_STRICT if strict else _MOST) + _SHARE * (self.letters + letters)
        if odd > _SHARE * letters and self.odd + odd > most:
            return False
        short = told.words if len(told.words) <= _BRIEF else ()
        new = set(map(folded, short)) - self.kinds
        count = self.count + len(short)
        if count >= _MANY and count > _AGAIN * (len(self.kinds) + len(new)):
            return False
        words = by_script(fresh).get(LATIN, [])
        latin = (self.latin + "".join(f" {one}" for one in words))[-_STRETCH:]
        foreign = {
            name: (self.foreign.get(name, "") + some)[-_STRETCH:]
            for name, some in _others(told).items()
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
        self.count = count
        self.kinds |= new
        return True

    def _fresh(self, told: Cost) -> list[str]:
        """Return a text's folded words, each once, without the long ones that are remembered."""
        words = dict.fromkeys(map(folded, told.words))
        return [one for one in words if one and (len(one) < 3 or one not in self.words)]


def _oddness(word: str) -> float:
    form = alphabet(script(word[0]))
    if form is None:
        return float(len(word))
    odd = max(0.0, form.surprise(word) - form.usual * len(word))
    return odd + (_SHORT if len(word) < 3 else 0)


def _others(told: Cost) -> dict[str, str]:
    """Return the letters of other scripts than Latin, and the signs on letters, by script."""
    found = {name: "".join(some) for name, some in by_script(told.words).items() if name != LATIN}
    for letter in told.letters:
        name = ("" if letter.isalpha() else "signs of ") + script(letter)
        found[name] = found.get(name, "") + letter
    return found
