"""The curve counts what was known when the verdict fell against what was not."""

from benchmarks.lab.verdict import Row, curve


def test_a_photo_counts_where_those_that_were_asked_put_it() -> None:
    table = {
        "trackers": {"a": {"seen": True}, "b": {"seen": True}, "c": {"seen": False}},
        "modes": {"balanced": {"accepting": [["a", "c"], ["a"], [], ["a", "b", "c"]]}},
    }
    assert curve([table]) == {
        Row("balanced", "c", 2): {0: [True], 1: [False, True], 2: [False]},
    }


def test_strangers_have_rows_of_their_own() -> None:
    """Together, an easy one that is asked where many accept would hide that both fail less."""
    seen = {"a": {"seen": True}, "b": {"seen": True}}
    tables = [
        {
            "trackers": seen | {name: {"seen": False}},
            "modes": {"balanced": {"accepting": accepting}},
        }
        for name, accepting in (
            ("easy", [["a"], ["a", "b", "easy"]]),
            ("hard", [[], ["a", "hard"]]),
        )
    ]
    assert curve(tables) == {
        Row("balanced", "easy", 2): {1: [True], 2: [False]},
        Row("balanced", "hard", 2): {0: [True], 1: [False]},
    }
