"""The words for a cloak: defined once, the same share whatever the number of recognisers."""

from fractions import Fraction

import pytest

from photocloak.engine.verdict import Verdict, verdict_of

WORDS = list(Verdict)


def test_of_the_six_that_ship() -> None:
    said = [verdict_of(accepting, of=6).value for accepting in range(7)]
    assert said == ["good", "good", "fair", "fair", "weak", "none", "none"]


@pytest.mark.parametrize("of", range(1, 40))
def test_more_that_accept_never_make_it_better(of: int) -> None:
    said = [WORDS.index(verdict_of(accepting, of=of)) for accepting in range(of + 1)]
    assert said == sorted(said)
    assert said[0] == 0 and WORDS[said[-1]] is Verdict.NONE


@pytest.mark.parametrize("of", range(1, 40))
def test_five_sixths_are_no_cloak_and_can_be_accepted_by_nobody(of: int) -> None:
    for accepting in range(of + 1):
        verdict = verdict_of(accepting, of=of)
        assert (verdict is Verdict.NONE) == (Fraction(accepting, of) >= Fraction(5, 6))
        assert verdict.holds_back(accept_weak=True) == (verdict is Verdict.NONE)
        assert verdict.holds_back() == (Fraction(accepting, of) > Fraction(1, 2))


@pytest.mark.parametrize(("accepting", "of"), [(-1, 6), (7, 6), (0, 0)])
def test_what_cannot_be_is_refused(accepting: int, of: int) -> None:
    with pytest.raises(ValueError, match="recognisers"):
        verdict_of(accepting, of=of)
