"""Answers joined with the key: by version, in shares with intervals, beside the controls."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from benchmarks.visibility.answers import Answer
from benchmarks.visibility.design import CONTROL
from benchmarks.visibility.key import KINDS, Kind

Z = 1.96
"""Normal quantile of two-sided 95 % intervals."""

QUESTIONS: Mapping[Kind, str] = {"alone": "edited", "pairs": "person"}
"""The question that matters most, by kind."""

SURE = 2
"""From here on "edited" and "another person" are said: 2 and 3."""


@dataclass(frozen=True)
class Share:
    """`hits` of `of`."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        """The share, 0 to 1; NaN of nothing."""
        return self.hits / self.of if self.of else float("nan")

    def interval(self) -> tuple[float, float]:
        """Return the 95 % interval of Wilson (1927), from 0 to 1."""
        if not self.of:
            return 0.0, 1.0
        n, p = self.of, self.value
        middle = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
        reach = Z / (1 + Z**2 / n) * sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
        return max(middle - reach, 0.0), min(middle + reach, 1.0)

    def above(self, other: "Share") -> tuple[float, float, float]:
        """Return the difference to `other`, and its 95 % interval (Newcombe 1998, method 10)."""
        (low, high), (other_low, other_high) = self.interval(), other.interval()
        gap = self.value - other.value
        return (
            gap,
            gap - sqrt((self.value - low) ** 2 + (other_high - other.value) ** 2),
            gap + sqrt((high - self.value) ** 2 + (other.value - other_low) ** 2),
        )

    def __str__(self) -> str:
        low, high = self.interval()
        return f"{self.value:.2f} [{low:.2f} {high:.2f}] ({self.hits} of {self.of})"


def report(answers: Sequence[Answer]) -> Iterator[str]:
    """Yield the lines of the report: the controls first, then each version, of both kinds."""
    for kind in KINDS:
        lines = _alone if kind == "alone" else _pairs
        versions = _by_version(answers, kind)
        controls = versions.get(CONTROL, [])
        for version, given in versions.items():
            photos = len({one.entry.photo for one in given})
            yield f"{kind}, {version}: {len(given)} answers on {photos} photos"
            yield from (f"  {line}" for line in lines(given, controls))


def by_face(answers: Sequence[Answer]) -> Iterator[str]:
    """Yield the share of edited and of another person by what a face shows, versions only."""
    for kind, question in QUESTIONS.items():
        for version, given in _by_version(answers, kind).items():
            if version == CONTROL:
                continue
            yield f"{kind}, {version}: {question} 2 or 3"
            for shows in sorted({name for one in given for name in one.entry.shows}):
                part = [one for one in given if shows in one.entry.shows]
                yield f"  {shows}: {_sure(part, question)}"


def remarks(answers: Sequence[Answer]) -> Iterator[str]:
    """Yield what was said of the pictures, by version, the surest first."""
    for kind, question in QUESTIONS.items():
        for version, given in _by_version(answers, kind).items():
            yield f"{kind}, {version}:"
            for one in sorted(given, key=lambda one: -one.values[question]):
                if one.remark:
                    yield f"  {one.values[question]} {one.entry.photo}: {one.remark}"


def _alone(given: Sequence[Answer], controls: Sequence[Answer]) -> Iterator[str]:
    edited = _sure(given, "edited")
    yield f"edited (2 or 3): {edited}, mean {_mean(given, 'edited')}"
    if given is not controls and controls:
        gap, low, high = edited.above(_sure(controls, "edited"))
        yield f"edited, above {CONTROL}: {gap:+.2f} [{low:+.2f} {high:+.2f}]"
    yield f"would publish (0 to 2): mean {_mean(given, 'publish')}"


def _pairs(given: Sequence[Answer], controls: Sequence[Answer]) -> Iterator[str]:
    yield f"another person (2 or 3): {_sure(given, 'person')}, mean {_mean(given, 'person')}"
    yield f"worse as a picture (0 to 3): mean {_mean(given, 'worse')}"
    if given is controls:
        yield f"a side was named: {_share(given, lambda one: one.side != 'none')}"
    else:
        yield f"its side was found: {_share(given, lambda one: one.side == one.entry.side)}"


def _by_version(answers: Sequence[Answer], kind: Kind) -> dict[str, list[Answer]]:
    """Return the answers to one kind of sets by version, controls first."""
    found: dict[str, list[Answer]] = defaultdict(list)
    for one in answers:
        if one.entry.kind == kind:
            found[one.entry.version].append(one)
    return dict(sorted(found.items(), key=lambda item: (item[0] != CONTROL, item[0])))


def _share(given: Sequence[Answer], test: Callable[[Answer], bool]) -> Share:
    return Share(sum(map(test, given)), len(given))


def _sure(given: Sequence[Answer], question: str) -> Share:
    return _share(given, lambda one: one.values[question] >= SURE)


def _mean(given: Sequence[Answer], question: str) -> str:
    return f"{sum(one.values[question] for one in given) / len(given):.2f}"
