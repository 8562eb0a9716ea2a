"""Whether a text can be read: what is no language, no number and no short code may be a picture.

Every encoding of bytes as characters, in whatever alphabet and with whatever separators, has
letters that follow each other as no language lets them, or is made of digits and signs. Nothing
is decoded here: what a text costs is how much of it nobody can read.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from itertools import pairwise

from photocloak.exporters.leaks.words import IDEOGRAPHS, folded, is_uniform, unlikely

_CODE = 16  # signs and letters of no word that may stand among words, as in names of lenses
_OUTSIDE = "#$%^*[]{}~`\\"  # signs that words have around them, hardly in them
_SIGNS = "_$+<>=^`|~©®™°¨´¸№"
_UNIT = 3  # letters, as of millimetres
_RUNS = re.compile(r"[^\W\d_]+|\d+|[\W_]", re.UNICODE)
_HUMPS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_IDENTIFIER = re.compile(
    r"(?:xmp\.[diap]id:|uuid:|urn:uuid:|adobe:docid:\w{1,12}:)?"
    r"(?:[0-9A-Fa-f]{32}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64}"
    r"|[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{11,12})"
)
# a universal identifier's version and variant stand where they belong (RFC 9562; Adobe swaps them)
_FORMED = re.compile(r"(?:.{12}[1-7].{3}|.{14}1.)[89ABab].{15}")
_DATE = re.compile(
    r"(?:1[89]|20)\d\d[-:](?:0\d|1[0-2])[-:][0-3]\d"
    r"(?:[T ][0-2]\d:[0-5]\d(?::[0-6]\d(?:\.\d{1,6})?)?(?:Z|[+-][01]\d:?[0-5]\d)?)?"
)
_FEW, _FEW_FOREIGN = 150, 300  # letters that tell whether they are used evenly
_MANY_BLANKS = 48
# scripts that one text has at most; distinct letters of an alphabet
_SCRIPTS, _ALPHABET = 4, 16


@dataclass(frozen=True)
class Cost:
    """What of a text cannot be vouched for.

    Attributes:
        opaque: characters or bytes that are neither words nor numbers.
        digits: of numbers, and the few letters on them.
        identifiers: digits of hashes and universal identifiers.
        foreign: letters of other scripts than Latin, too few to tell a language from chance.
        words: what it reads as in Latin letters, to be judged with all else that a file says.
        letters: of its other scripts, likewise.

    """

    opaque: int = 0
    digits: int = 0
    identifiers: int = 0
    foreign: int = 0
    words: tuple[str, ...] = field(default=(), compare=False, repr=False)
    letters: str = field(default="", compare=False, repr=False)

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            self.opaque + other.opaque,
            self.digits + other.digits,
            self.identifiers + other.identifiers,
            self.foreign + other.foreign,
            self.words + other.words,
            self.letters + other.letters,
        )


FREE = Cost()


def cost(text: str) -> Cost:
    """Return what of a text cannot be vouched for; time grows with its length alone."""
    words: list[str] = []
    foreign: list[str] = []
    opaque = digits = signs = identifiers = 0
    plain = text if text.isascii() else "".join(filter(_is_base, text))
    marks = len(text) - len(plain)
    for chunk in plain.split():
        if _DATE.fullmatch(chunk):
            continue
        if _IDENTIFIER.fullmatch(chunk):
            identifiers += _identifier_cost(chunk)
            continue
        runs = _RUNS.findall(chunk)
        if _is_code(runs):
            opaque += len(chunk)
            continue
        digits += _digits(runs)
        opaque += sum(map(chunk[1:-1].count, _OUTSIDE))
        for run in runs:
            if run.isdecimal():
                continue
            if not run[0].isalpha():
                signs += len(run)
                opaque += sum(not _is_punctuation(sign) for sign in run)
            else:
                opaque += _letters(run, words, foreign)
    uniform = sum(map(len, words)) >= _FEW and is_uniform("".join(map(folded, words)), latin=True)
    opaque += sum(map(len, words)) if uniform else unlikely(words)
    unread = opaque + signs
    if unread > _CODE and unread * 2 > len("".join(plain.split())):
        opaque = max(opaque, len(text))  # no text: its separators are part of it
    opaque += max(0, signs - len(text) // 4 - 8) + _blanks(text)
    letters = marks + sum(map(len, foreign))
    told = tuple(words), "".join(foreign)
    if _is_foreign_language(told[1]):
        few = 0 if letters >= _FEW_FOREIGN else letters
        return Cost(opaque, digits, identifiers, few, *told)
    return Cost(opaque + letters, digits, identifiers, 0, *told)


def _digits(runs: list[str]) -> int:
    """Return the digits of a chunk, and the few letters right beside one: units, hexadecimal."""
    return sum(
        len(run)
        for before, run, behind in zip(["", *runs], runs, [*runs[1:], ""], strict=False)
        if run.isdecimal()
        or (run.isalpha() and len(run) <= _UNIT and (before.isdecimal() or behind.isdecimal()))
    )


def _letters(run: str, words: list[str], foreign: list[str]) -> int:
    """Take letters for words, or return how many of them are none: capitals come in between."""
    if _latin(run):
        humps = _HUMPS.findall(run) if run.isascii() else [run]
        if len(humps) > 1 and len(humps) * 3 > len(run):
            return len(run)
        words += humps
    elif sum(a.islower() and b.isupper() for a, b in pairwise(run)) > 1:
        return len(run)
    else:
        foreign.append(run)
    return 0


def _identifier_cost(text: str) -> int:
    number = text.rpartition(":")[2].replace("-", "")
    return 8 if _FORMED.fullmatch(number) else len(number)


def _is_foreign_language(letters: str) -> bool:
    """Tell whether letters of other scripts can be a text: of few scripts, used unevenly."""
    scripts = {re.split("[ -]", unicodedata.name(letter, ""))[0] for letter in set(letters)}
    if len(scripts) > _SCRIPTS:
        return False
    if len(letters) < _FEW_FOREIGN:
        return True
    least = IDEOGRAPHS if scripts & {"CJK", "HANGUL"} else _ALPHABET
    return len(set(letters)) >= least and not is_uniform(folded(letters), latin=False)


def _is_code(runs: list[str]) -> bool:
    """Tell whether letters and digits alternate as in no word: EOS5D and IMG_1234 may, b4f0 not."""
    kinds = [run.isdecimal() for run in runs if run[0].isalnum()]
    turns = sum(a != b for a, b in pairwise(kinds))
    longest = max((len(run) for run in runs), default=0)
    adjacent = sum(a[0].isalnum() and b[0].isalnum() for a, b in pairwise(runs))
    return adjacent > 2 or longest > 40 or (turns > 3 and adjacent > 1)


def _is_base(letter: str) -> bool:
    return unicodedata.category(letter)[0] != "M"


def _is_punctuation(sign: str) -> bool:
    """Tell whether a sign stands between words; of pictograms a text may spell anything."""
    category = unicodedata.category(sign)
    return sign in _SIGNS or category[0] == "P" or category in ("Sc", "Sm")


def _latin(run: str) -> bool:
    return run.isascii() or all(
        ord(letter) < 0x250 or 0x1E00 <= ord(letter) < 0x1F00 for letter in run
    )


def _blanks(text: str) -> int:
    """Return the white space that is more than separators and indents: it could spell bits."""
    blanks = [one for one in text if one.isspace()]
    unusual = sum(one not in " \n\r\t" for one in blanks)
    if len(blanks) < _MANY_BLANKS:
        return unusual
    turns = [a + b for a, b in pairwise(text) if a != b and a.isspace() and b.isspace()]
    tabs = sum(turn in (" \t", "\t ") for turn in turns)
    lines = len(turns) - turns.count("\r\n") - tabs
    excess = max(0, len(blanks) - len(text) // 2 - _MANY_BLANKS) if tabs else 0
    return unusual + max(tabs - _MANY_BLANKS, excess, len(blanks) if lines * 3 > len(blanks) else 0)
