"""The evaluation's cache: two at once, and what a kill leaves."""

from contextlib import closing
from pathlib import Path

import numpy as np

from photocloak.plugin.evaluation.cache import Cache


def test_what_one_evaluation_holds_back_keeps_no_other_waiting(tmp_path: Path) -> None:
    with closing(Cache(tmp_path)) as one, closing(Cache(tmp_path)) as other:
        one.put("a", np.arange(3))
        other._connection.execute("PRAGMA busy_timeout = 0")
        other.put("b", np.arange(2))
        other.commit()
        one.commit()
        for cache in (one, other):
            first, second = cache.get("a"), cache.get("b")
            assert first is not None and first.tolist() == [0, 1, 2]
            assert second is not None and second.tolist() == [0, 1]


def test_what_was_not_committed_is_lost_and_nothing_else(tmp_path: Path) -> None:
    with closing(Cache(tmp_path)) as cache:
        cache.put("kept", np.ones(1))
        cache.commit()
        cache.put("lost", np.ones(1))
        assert cache.get("lost") is not None
    with closing(Cache(tmp_path)) as cache:
        assert cache.get("kept") is not None
        assert cache.get("lost") is None
