"""How well a face is cloaked, in a word, by how many recognisers still accept it as written.

The one place where the words are defined. Where the limits come from is measured: see
"What the verdict is worth" in docs/lab/protection.md.
"""

from enum import StrEnum


class Verdict(StrEnum):
    """What a written face is worth against a recogniser that was not asked.

    GOOD: strangers fail on at least nine photos of ten. FAIR: on more than every other one. WEAK:
    on fewer. NONE: hardly any recogniser is fooled; such a face is never called cloaked.
    """

    GOOD = "good"
    FAIR = "fair"
    WEAK = "weak"
    NONE = "none"

    def holds_back(self, *, accept_weak: bool = False) -> bool:
        """Tell whether a photo with such a face is held back; nobody can accept NONE."""
        return self is Verdict.NONE or (self is Verdict.WEAK and not accept_weak)


def verdict_of(accepting: int, *, of: int) -> Verdict:
    """Return the verdict on a face that so many of the recognisers still accept.

    Of the six that ship: one at most is good, three at most are fair, four are weak, five are no
    cloak. Of another number it is the same share.

    Args:
        accepting: those whose cosine to the clean face reaches their limit.
        of: all that were asked, at least one.

    """
    if not 0 <= accepting <= of or of == 0:
        raise ValueError(f"{accepting} of {of} recognisers")
    if 6 * accepting >= 5 * of:
        return Verdict.NONE
    if 6 * accepting <= of:
        return Verdict.GOOD
    return Verdict.FAIR if 2 * accepting <= of else Verdict.WEAK
