"""What judges wrote: CSV, or one JSON object a line; a file is one judge's."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.visibility.key import Key, KeyEntry, Kind
from photocloak.core import InputError

SCALES: Mapping[Kind, Mapping[str, int]] = {
    "alone": {"edited": 3, "publish": 2},
    "pairs": {"person": 3, "worse": 3},
}
"""The questions that are answered by a number, from 0 to that."""

CHOICES = ("left", "right", "none")


@dataclass(frozen=True)
class Answer:
    """What one judge said of one picture.

    Attributes:
        entry: what it shows.
        values: the numbers, by question.
        side: of a pair, which one the judge took for edited: one of `CHOICES`.
        remark: where and what, in the judge's words.

    """

    entry: KeyEntry
    values: Mapping[str, int]
    side: str
    remark: str


def read_answers(path: Path, key: Key) -> list[Answer]:
    """Return one judge's answers.

    Raises:
        InputError: a line is not an answer to a picture of the key, or the second one to it.

    """
    answers: dict[str, Answer] = {}
    for place, row in _rows(path):
        number = str(row.get("id", "")).strip()
        try:
            answer = _answer(row, key[number])
        except KeyError as error:
            raise InputError(
                f"{place}: no picture of the key is named {number!r}; the answers belong to "
                "another build, or this is not their file."
            ) from error
        except ValueError as error:
            raise InputError(f"{place}: {error}.") from error
        if number in answers:
            raise InputError(f"{place}: {number} is answered twice; leave one of the lines out.")
        answers[number] = answer
    if not answers:
        raise InputError(f"{path}: holds no answers.")
    return list(answers.values())


def _rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Return the lines with where each stands."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}).") from error
    if text.lstrip().startswith("{"):
        for line, one in enumerate(text.splitlines(), 1):
            if one.strip():
                yield f"{path}, line {line}", _object(one, f"{path}, line {line}")
        return
    reader = csv.DictReader(text.splitlines(), skipinitialspace=True)
    for row in reader:
        place = f"{path}, line {reader.line_num}"
        if None in row or None in row.values():
            raise InputError(
                f"{place}: has not as many fields as the first line; put texts with a comma in "
                "double quotes."
            )
        yield place, row


def _object(text: str, place: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise InputError(f"{place}: is not JSON ({error}).") from error
    if not isinstance(value, dict):
        raise InputError(f"{place}: is not a JSON object.")
    return value


def _answer(row: Mapping[str, Any], entry: KeyEntry) -> Answer:
    """Return a row as an answer; ValueError says what is wrong with it."""
    values = {name: _number(row, name, top) for name, top in SCALES[entry.kind].items()}
    side = ""
    if entry.kind == "pairs":
        side = str(row.get("side") or "none").strip().lower()
        if side not in CHOICES:
            raise ValueError(f"side is {side!r}, not one of {', '.join(CHOICES)}")
    remark = ": ".join(str(row[name]).strip() for name in ("where", "what") if row.get(name))
    return Answer(entry, values, side, remark)


def _number(row: Mapping[str, Any], name: str, top: int) -> int:
    value = str(row.get(name, "")).strip()
    if value not in {str(step) for step in range(top + 1)}:
        raise ValueError(f"{name} is {value!r}, not a number from 0 to {top}")
    return int(value)
