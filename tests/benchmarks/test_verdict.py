"""The curve counts what was known when the verdict fell against what was not."""

from benchmarks.lab.verdict import curve


def test_a_photo_counts_where_those_that_were_asked_put_it() -> None:
    table = {
        "leave_out": ["c"],
        "trackers": {"a": {"seen": True}, "b": {"seen": True}, "c": {"seen": False}},
        "modes": {"balanced": {"accepting": [["a", "c"], ["a"], [], ["a", "b", "c"]]}},
    }
    assert curve([table]) == {
        ("balanced", 0, 2): [True],
        ("balanced", 1, 2): [False, True],
        ("balanced", 2, 2): [False],
    }
