"""What `photocloak status` shows of a daemon and its queue."""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from photocloak import exporters
from photocloak.plugin.progress import clean, passed_line, shown
from photocloak.plugin.storage.folders import Folders
from photocloak.plugin.storage.inputs import passed_over
from photocloak.plugin.storage.walk import Seen
from photocloak.plugin.watch.journal import Journal, JournalEntry, State, Watching
from photocloak.plugin.watch.lock import is_locked
from photocloak.plugin.watch.tree import Tree

LATEST = 10
"""Problems that are shown."""


@dataclass(frozen=True)
class DaemonStatus:
    """One output folder.

    Attributes:
        watching: the latest daemon.
        alive: whether it lives.
        counts: photos in each state.
        pace: mean seconds a photo; None: not known yet.
        in_hand: the photos that are being cloaked.
        problems: the latest photos that failed, were held back or wait by themselves.
        passed: what is passed over in the watched folders; None: nobody asked.

    """

    watching: Watching
    alive: bool
    counts: dict[State, int]
    pace: float | None
    in_hand: list[Path]
    problems: list[JournalEntry]
    passed: list[Seen] | None = None

    @property
    def queue(self) -> int:
        """Photos that wait or are in hand."""
        return self.counts[State.PENDING] + self.counts[State.WORKING]

    @property
    def eta(self) -> float | None:
        """Seconds until the queue is done; None: nobody works on it, or the pace is not known."""
        if not self.queue:
            return 0.0
        return self.queue * self.pace if self.alive and self.pace else None

    def as_json(self) -> dict[str, Any]:
        """Return the overview as it stands in `--json`."""
        watching = self.watching
        passed = [
            {"source": str(one.path), "kind": one.kind} for one in self.passed or () if one.kind
        ]
        return {
            "output": str(watching.output),
            "folders": list(watching.folders),
            "alive": self.alive,
            "pid": watching.pid if self.alive else None,
            "trouble": watching.trouble if self.alive else None,
            "queue": self.queue,
            **{state.value: count for state, count in self.counts.items()},
            "per_hour": round(3600 / self.pace, 1) if self.pace else None,
            "eta": None if self.eta is None else round(self.eta),
            "in_hand": list(map(str, self.in_hand)),
            "problems": [
                {
                    "source": str(one.source),
                    "status": one.status or one.state,
                    "reason": one.reason,
                }
                for one in self.problems
            ],
            **({} if self.passed is None else {"passed_over": passed}),
        }

    def lines(self) -> list[str]:
        """Return the overview for people."""
        watching, counts = self.watching, self.counts
        state = f"running (process {watching.pid})" if self.alive else "not running"
        sources = clean(", ".join(watching.folders)) or "photos that programs send"
        rows = [
            f"{sources} → {shown(watching.output)}: {state}",
            f"  queue {self.queue}, done {counts[State.DONE]}, held back {counts[State.HELD]}, "
            f"failed {counts[State.FAILED]}"
            + (f", waiting {counts[State.WAITING]}" if counts[State.WAITING] else ""),
        ]
        rows += [f"  in hand: {shown(one)}" for one in self.in_hand]
        if self.pace:
            rows.append(f"  {3600 / self.pace:.0f} photos an hour")
        if self.queue and self.eta is not None:
            rows.append(f"  about {_span(self.eta)} to go")
        if self.alive and watching.trouble:
            rows.append(f"  waiting: {clean(watching.trouble)}")
        for one in self.problems:
            rows.append(f"  {one.status or one.state}: {clean(one.reason or str(one.source))}")
        if self.problems and watching.folders:
            rows.append("  `photocloak retry` does these again")
        if self.passed:
            rows += [f"  {passed_line(one)}" for one in self.passed]
            rows.append(f"  {passed_over(Counter(one.kind for one in self.passed if one.kind))}")
        return rows


def daemon_statuses(folders: Folders, *, verbose: bool = False) -> list[DaemonStatus]:
    """Look at every output folder that was ever watched for, and at the receiver's.

    Args:
        folders: the user's.
        verbose: look for what is passed over, too, which goes through the watched folders.

    """
    journals = [Journal.of_user(folders), Journal.of_receiver(folders)]
    found = [
        _overview(one, journal, folders)
        for journal in journals
        if journal.exists()
        for one in journal.daemons()
    ]
    if not verbose:
        return found
    return [replace(one, passed=_passed(one.watching)) for one in found]


def _overview(watching: Watching, journal: Journal, folders: Folders) -> DaemonStatus:
    output = watching.output
    alive = is_locked(output, folders)
    return DaemonStatus(
        watching,
        alive,
        journal.counts(output),
        journal.pace(output),
        journal.in_hand(output) if alive else [],  # a killed daemon's stay marked
        journal.problems(output, LATEST),
    )


def _passed(watching: Watching) -> list[Seen]:
    tree = Tree(map(Path, watching.folders), exporters.suffixes(), away=[watching.output])
    return [one for one in tree.everything() if isinstance(one, Seen)]


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{rest} s"
