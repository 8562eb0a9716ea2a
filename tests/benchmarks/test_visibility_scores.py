"""Answers joined with the key: known answers, known shares; and answers that are none."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from benchmarks.visibility.answers import SCALES, read_answers
from benchmarks.visibility.design import CONTROL
from benchmarks.visibility.key import Key, KeyEntry, Kind, read_key, write_key
from benchmarks.visibility.scores import Share, by_face, report
from photocloak.core import InputError


def entry(kind: Kind, version: str, *, side: str = "", shows: tuple[str, ...] = ()) -> KeyEntry:
    return KeyEntry(kind, f"{kind}-01", "one.jpg", shows, 90, version, side)


KEY: Key = {
    "100001": entry("alone", "balanced", shows=("beard",)),
    "100002": entry("alone", "balanced"),
    "100003": entry("alone", CONTROL, shows=("beard",)),
    "200001": entry("pairs", "balanced", side="left"),
    "200002": entry("pairs", CONTROL, side="right"),
}

ALONE = "id,edited,where,what,publish\n"
PAIRS = "id,person,worse,side,what\n"


def scored(tmp_path: Path, *files: str) -> list[str]:
    answers = []
    for number, text in enumerate(files):
        path = tmp_path / f"{number}.csv"
        path.write_text(text, "utf-8")
        answers += read_answers(path, KEY)
    return [*report(answers), *by_face(answers)]


def test_shares_by_version(tmp_path: Path) -> None:
    lines = scored(
        tmp_path,
        ALONE + '100001,3,"nose, left eye",blurred,0\n100002,1,,,1\n100003,0,,,2\n',
        '\ufeff{"id": 100001, "edited": 2, "publish": "2", "where": "brow", "what": "gone"}\n\n',
        PAIRS + "200001, 2, 1, Left, brows\n200002,0,0,none,\n",
        PAIRS + "200001,0,1,right,\n200002,0,0,left,\n",
    )
    assert lines[:2] == [
        f"alone, {CONTROL}: 1 answers on 1 photos",
        "  edited (2 or 3): 0.00 [0.00 0.79] (0 of 1), mean 0.00",
    ]
    text = "\n".join(lines)
    assert "alone, balanced: 3 answers on 1 photos" in text
    assert "edited (2 or 3): 0.67 [0.21 0.94] (2 of 3), mean 2.00" in text
    assert "edited, above saved again: +0.67" in text
    assert "would publish (0 to 2): mean 1.00" in text
    assert "another person (2 or 3): 0.50 [0.09 0.91] (1 of 2), mean 1.00" in text
    assert "its side was found: 0.50" in text
    assert "a side was named: 0.50" in text
    assert "  beard: 1.00 [0.34 1.00] (2 of 2)" in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ALONE + "999999,3,,,0\n", r"line 2: no picture of the key is named '999999'"),
        (ALONE + "100001,4,,,0\n", r"line 2: edited is '4', not a number from 0 to 3"),
        (ALONE + "100001,1.5,,,0\n", "edited is '1.5'"),
        (ALONE + "100001,,,,0\n", "edited is ''"),
        (ALONE + "100001,3,nose, eye,blurred,0\n", "double quotes"),
        (ALONE + "100001,3\n", "double quotes"),
        (ALONE + "100001,1,,,0\n100001,1,,,0\n", "line 3: 100001 is answered twice"),
        (ALONE, "holds no answers"),
        ("", "holds no answers"),
        (PAIRS + "200001,1,1,both,\n", "side is 'both'"),
        (PAIRS + "200001,1,,left,\n", "worse is ''"),
        ('{"id": "100001", "edited": true, "publish": 1}', "edited is 'True'"),
        ('{"id": "100001", "edited": 1', "line 1: is not JSON"),
        ('{"id": 100001, "edited": 1, "publish": 1}\n[1]', "line 2: is not a JSON object"),
        ("\udcff", "cannot be read"),
    ],
)
def test_what_is_no_answer(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "answers.csv"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match=message):
        read_answers(path, KEY)


def test_a_key_comes_back_and_nobody_else_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    write_key(KEY, path)
    assert read_key(path) == KEY
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("text", ["", "[]", '{"1": {}}', '{"1": 3}', "3"])
def test_what_is_no_key(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"key\.json: is not a key"):
        read_key(path)


def test_intervals_are_those_of_the_papers() -> None:
    # Newcombe 1998: table I of part 1 (81 of 263, 0 of 20), table II of part 2 (56/70 - 48/80).
    assert Share(81, 263).interval() == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert Share(0, 20).interval() == pytest.approx((0, 0.1611), abs=1e-4)
    assert Share(56, 70).above(Share(48, 80)) == pytest.approx((0.2, 0.0524, 0.3339), abs=1e-4)


@given(some.integers(1, 200).flatmap(lambda of: some.tuples(some.integers(0, of), some.just(of))))
def test_a_share_lies_in_its_interval(counts: tuple[int, int]) -> None:
    share = Share(*counts)
    low, high = share.interval()
    assert 0 <= low <= share.value + 1e-12
    assert share.value - 1e-12 <= high <= 1
    assert low < high


def test_instructions_ask_what_is_scored() -> None:
    folder = Path(__file__).parents[2] / "benchmarks" / "visibility"
    for kind, scales in SCALES.items():
        text = (folder / f"{kind}.txt").read_text("utf-8")
        (head,) = (line for line in text.splitlines() if line.startswith("id,"))
        assert set(scales) < set(head.split(","))
        for name in head.split(","):
            assert sum(line.split(" ")[0] == name for line in text.splitlines()) == 1
