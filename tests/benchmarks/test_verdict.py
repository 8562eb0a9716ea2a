"""The curve counts what was known when the verdict fell against what was not."""

import pytest

from benchmarks.lab.verdict import beyond, failures


def test_a_photo_counts_where_those_that_were_asked_put_it() -> None:
    table = {
        "leave_out": ["c"],
        "modes": {"balanced": {"accepting": [["a", "c"], ["a"], [], ["a", "b", "c"]]}},
    }
    assert failures(table, "balanced", "c") == {0: [1.0], 1: [0.0, 1.0], 2: [0.0]}


def test_recognisers_that_are_harder_as_such_do_not_bend_the_curve() -> None:
    """One always fails, the other never: how many accept then tells nothing, whatever the mix."""
    easy, hard = {0: [1.0], 1: [1.0] * 9}, {0: [0.0] * 9, 1: [0.0]}
    assert beyond([easy, hard]) == {0: [0.0] * 10, 1: [0.0] * 10}
    (first, *_), (second, *_) = beyond([{0: [1.0, 1.0], 2: [0.0, 0.0]}]).values()
    assert (first, second) == pytest.approx((0.5, -0.5))
