"""Whether a text can be read: what is no language, no number and no short code may be a picture.

Every encoding of bytes as characters, in whatever alphabet and with whatever separators, has
letters that follow each other as no language lets them, or is made of digits and signs. Nothing
is decoded here: what a text costs is how much of it nobody can read.
"""

import re
import unicodedata
from functools import lru_cache
from itertools import groupby, islice, pairwise

from photocloak.exporters.leaks.alphabets import LATIN, alphabet, folded, is_in_use, script
from photocloak.exporters.leaks.blanks import blanks_cost
from photocloak.exporters.leaks.costs import Cost
from photocloak.exporters.leaks.words import IDEOGRAPHS, is_uniform, unread

_CODE = 16  # signs and letters of no word that may stand among words, as in names of lenses
_HOPELESS = 1000  # characters that cannot be read: no text with so many of them stays
_FEW_RUNS, _LONGEST = 4, 40  # of letters or digits: fewer alternate as in words; longer is no word
_SHORT, _BEGINNING = 1024, 2048  # characters
_OUTSIDE = "#$%^*[]{}~`\\"  # signs that words have around them, hardly in them
_SIGNS = "_$+<>=^`|~©®™°¨´¸№"
_UNIT = 3  # letters, as of millimetres
_RUNS = re.compile(r"[^\W\d_]+|\d+|[\W_]", re.UNICODE)
_HUMPS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_IDENTIFIER = re.compile(
    r"(?:xmp\.[diap]id:|uuid:|urn:uuid:|(?:adobe|gimp):docid:\w{1,12}:)?"
    r"(?:[0-9A-Fa-f]{32}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64}"
    r"|[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{11,12})"
)
# a universal identifier's version and variant stand where they belong (RFC 9562; Adobe swaps them)
_FORMED = re.compile(r"(?:.{12}[1-7].{3}|.{14}1.)[89ABab].{15}")
_DATE = re.compile(
    r"(?:1[89]|20)\d\d(?P<sign>[-:/]?)(?:0\d|1[0-2])(?P=sign)[0-3]\d"
    r"(?:[T ][0-2]\d:[0-5]\d(?::[0-6]\d(?:\.\d{1,6})?)?(?:Z|[+-][01]\d:?[0-5]\d)?)?"
    r"|[0-2]\d:[0-5]\d:[0-6]\d"
)
_FEW_FOREIGN = 300  # letters that tell whether they are used evenly
_HEXADECIMAL = re.compile(r"[a-f]{1,4}|[A-F]{1,4}")
# scripts that one text has at most; distinct letters of an alphabet
_SCRIPTS, _ALPHABET = 4, 16
_RARE = 3  # ideographs hardly in use, as in a name


def cost(text: str) -> Cost:
    """Return what of a text cannot be vouched for; time grows with its length alone."""
    if len(text) <= _SHORT:
        return _remembered(text)
    hopeless = len(text) > 2 * _BEGINNING and _cost(text[:_BEGINNING]).opaque > _HOPELESS
    return Cost(opaque=len(text)) if hopeless else _cost(text)


@lru_cache(256)  # a file's short texts are judged when it is read, when it is written, and strictly
def _remembered(text: str) -> Cost:
    return _cost(text)


def _cost(text: str) -> Cost:
    words: list[str] = []
    foreign: list[str] = []
    opaque = digits = signs = few = 0
    text = text if text.isascii() else unicodedata.normalize("NFC", text)
    marks = "" if text.isascii() else "".join(one for one in text if not _is_base(one))
    plain = "".join(filter(_is_base, text)) if marks else text
    for chunk in plain.split():
        if _DATE.fullmatch(chunk):
            continue
        if _IDENTIFIER.fullmatch(chunk):
            digits += _identifier_cost(chunk)
            continue
        runs = _RUNS.findall(chunk)
        if _is_code(runs):
            opaque += len(chunk)
            if opaque > _HOPELESS:
                return Cost(opaque=len(text))
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
                few += len(run) if _HEXADECIMAL.fullmatch(run) else 0
                opaque += _letters(run, words, foreign)
    if digits + few > sum(map(len, words)):
        digits += few  # where numbers prevail, letters from a to f are digits
    opaque += unread(words)
    unreadable = opaque + signs
    if unreadable > _CODE and unreadable * 2 > len("".join(plain.split())):
        opaque = max(opaque, len(text.strip()))  # no text: its separators are part of it
    blanks = blanks_cost(text)
    opaque += max(0, signs - len(text) // 4 - 8) + blanks.opaque
    digits += blanks.digits
    others = "".join(foreign)
    opaque += _marks(marks, words, others)
    told = tuple(words), others + marks
    if _is_foreign_language(others):
        return Cost(opaque, digits, 0, 0 if len(others) >= _FEW_FOREIGN else len(others), 0, *told)
    return Cost(opaque + len(others), digits, 0, 0, 0, *told)


def identifier(text: str) -> Cost:
    """Return what of a value cannot be vouched for where hashes and identifiers are expected."""
    if _IDENTIFIER.fullmatch(text):
        return Cost(identifiers=_identifier_cost(text))
    return cost(text)


def _marks(marks: str, words: list[str], others: str) -> int:
    """Return the signs on letters that are none: there are no more than letters to bear them."""
    bearing = len(others) + sum(len(one) for one in words if not _is_latin(one))
    even = len(marks) >= _FEW_FOREIGN and is_uniform(marks, latin=False)
    return len(marks) if even else max(0, len(marks) - bearing)


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
    parts = [(name, "".join(part)) for name, part in groupby(run, key=_alphabetic)]
    if len(parts) > _SCRIPTS:
        return len(run)
    none = 0
    for name, part in parts:
        humps = _humps(part)
        if len(humps) > 1 and len(humps) * 3 > len(part):
            none += len(part)
        elif not name:
            foreign.append(part)
        else:
            words += humps
    return none


def _alphabetic(letter: str) -> str:
    """Return the script of a letter; nothing for those without a table, which mix in words."""
    name = script(letter)
    return name if alphabet(name) else ""


def _humps(run: str) -> list[str]:
    """Return the words of letters that are joined by their capitals."""
    if run.islower():
        return [run]
    shape = "".join("A" if letter.isupper() else "a" for letter in run)
    return [run[found.start() : found.end()] for found in _HUMPS.finditer(shape)]


def _identifier_cost(text: str) -> int:
    number = text.rpartition(":")[2].replace("-", "")
    return 8 if _FORMED.fullmatch(number) else len(number)


def _is_foreign_language(letters: str) -> bool:
    """Tell whether letters of scripts without a table can be a text: few scripts, used unevenly."""
    scripts = {re.split("[ -]", unicodedata.name(letter, ""))[0] for letter in set(letters)}
    ideographs = [letter for letter in letters if "\u3400" <= letter <= "\u9fff"]
    rare = sum(not is_in_use(letter) for letter in ideographs)
    if len(scripts) > _SCRIPTS or rare > max(_RARE, len(ideographs) // 8):
        return False
    if len(letters) < _FEW_FOREIGN:
        return True
    least = IDEOGRAPHS if "CJK" in scripts else _ALPHABET
    return len(set(letters)) >= least and not is_uniform(folded(letters), latin=False)


def _is_code(runs: list[str]) -> bool:
    """Tell whether letters and digits alternate as in no word: EOS5D and IMG_1234 may, b4f0 not."""
    longest = max(map(len, runs), default=0)
    if len(runs) < _FEW_RUNS:
        return longest > _LONGEST
    beside = (a[0].isalnum() and b[0].isalnum() for a, b in pairwise(runs))
    adjacent = sum(1 for _ in islice(filter(None, beside), 3))  # of a code the first runs tell
    if adjacent > 2 or longest > _LONGEST:
        return True
    kinds = [run.isdecimal() for run in runs if run[0].isalnum()]
    return adjacent > 1 and sum(a != b for a, b in pairwise(kinds)) > 3


def _is_base(letter: str) -> bool:
    return unicodedata.category(letter)[0] != "M"


def _is_punctuation(sign: str) -> bool:
    """Tell whether a sign stands between words; of pictograms a text may spell anything."""
    category = unicodedata.category(sign)
    return sign in _SIGNS or category[0] == "P" or category in ("Sc", "Sm")


def _is_latin(run: str) -> bool:
    return script(run[0]) == LATIN
