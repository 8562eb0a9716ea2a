"""The last line of a run: "12 cloaked · 2 held back · 5 passed over: 3 videos, 1 RAW, 1 text"."""

from collections import Counter
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
)


@dataclass
class Tally:
    """Counts what came of the photos, and what was passed over."""

    outcomes: "Counter[str]" = field(default_factory=Counter)
    passed: "Counter[Kind]" = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        """Count a photo."""
        self.outcomes[_group(outcome)] += 1

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
        if left := passed_over(self.passed):
            parts.append(left)
        return " · ".join(parts) or "nothing was done"


def _group(outcome: Outcome) -> str:
    if outcome.status is Status.CLOAKED:
        return "cloaked"
    if outcome.status is Status.DONE_BEFORE:
        return "done before"
    if outcome.status is Status.ALREADY_CLOAKED:
        return "already cloaked"
    if outcome.status is Status.FAILED:
        return "failed"
    return "held back" if outcome.output is None else "copied uncloaked"
