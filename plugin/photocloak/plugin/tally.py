"""The last line of a run: "12 cloaked · 2 held back · 5 passed over: 3 videos, 1 RAW, 1 text".

And, the first time that a photo goes out with more than its picture, the line that says so.
"""

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from photocloak.plugin.pipeline.job import Outcome, Status
from photocloak.plugin.storage.file_kinds import Kind
from photocloak.plugin.storage.inputs import passed_over

_ORDER = (
    "cloaked",
    "done before",
    "already cloaked",
    "copied uncloaked",
    "held back",
    "failed",
    "not done",
    "would be cloaked",
    "would be copied",
)
_WOULD = {Status.WOULD_CLOAK: "would be cloaked", Status.WOULD_COPY: "would be copied"}


_TOLD = {
    "person": "names of people or where their faces are",
    "place": "the place",
    "serial": "serial numbers",
    "owner": "the owner's name",
    "history": "a history of edits",
}
"""What each kind of disclosure is called."""


@dataclass
class Tally:
    """Counts what came of the photos, and what was passed over."""

    outcomes: "Counter[str]" = field(default_factory=Counter)
    passed: "Counter[Kind]" = field(default_factory=Counter)
    disclosing: int = 0
    disclosed: set[str] = field(default_factory=set)

    def add(self, outcome: Outcome) -> str | None:
        """Count a photo; return what is to be said the first time that one tells too much."""
        self.outcomes[_group(outcome)] += 1
        if outcome.output is None or not outcome.discloses:
            return None
        self.disclosing += 1
        self.disclosed |= set(outcome.discloses)
        return _way_out(outcome) if self.disclosing == 1 else None

    @property
    def done(self) -> int:
        """Photos that were counted."""
        return self.outcomes.total()

    def line(self, total: int | None = None) -> str:
        """Say it all.

        Args:
            total: photos of the run; those without an outcome are not done. None: it has no end.

        """
        counts = self.outcomes + Counter({"not done": max(0, (total or 0) - self.done)})
        parts = [f"{counts[name]} {name}" for name in _ORDER if counts[name]]
        if self.disclosing:
            parts.append(f"{self.disclosing} telling {told_in_words(self.disclosed)}")
        if left := passed_over(self.passed):
            parts.append(left)
        return " · ".join(parts) or "nothing was done"


def _way_out(outcome: Outcome) -> str:
    """Say what a written photo tells beside its picture, and how not to publish that."""
    again = ""
    if outcome.status is Status.ALREADY_CLOAKED:
        again = ", given the original instead of what photocloak wrote"
    return (
        f"{outcome.output} also tells {told_in_words(outcome.discloses)}, as its source does; "
        f"--preset web leaves that out{again}"
    )


def told_in_words(kinds: Collection[str]) -> str:
    """Say what is disclosed: "the place, serial numbers"."""
    return ", ".join(words for kind, words in _TOLD.items() if kind in kinds)


class Repeats:
    """Failures that many photos have in common: told once, then counted."""

    def __init__(self) -> None:
        self._more: Counter[str] = Counter()

    def is_new(self, outcome: Outcome) -> bool:
        """Tell whether nothing failed in this way before; else it is counted."""
        if outcome.status is not Status.FAILED:
            return True
        what = _in_general(outcome)
        self._more[what] += 1
        return self._more[what] == 1

    def lines(self) -> list[str]:
        """Say how many more there were of each."""
        more = {what: count - 1 for what, count in self._more.items() if count > 1}
        return [
            f"failed: {count} more photo{'s' * (count != 1)} in the same way: {what}"
            for what, count in more.items()
        ]


def _in_general(outcome: Outcome) -> str:
    """Return why a photo failed, with … for its name."""
    source, reason = outcome.source, outcome.reason or ""
    reason = reason.removeprefix(f"{source}: ").replace(str(source), "…")
    return re.sub(rf"(?<!\w){re.escape(source.stem)}(?!\w)", "…", reason)


def _group(outcome: Outcome) -> str:
    if outcome.status is Status.CLOAKED:
        return "cloaked"
    if outcome.status in _WOULD:
        return _WOULD[outcome.status]
    if outcome.status is Status.DONE_BEFORE:
        return "done before"
    if outcome.status is Status.ALREADY_CLOAKED:
        return "already cloaked"
    if outcome.status is Status.FAILED:
        return "failed"
    return "held back" if outcome.output is None else "copied uncloaked"
