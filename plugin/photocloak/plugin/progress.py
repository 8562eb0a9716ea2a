"""How a run shows itself on stderr: a bar, plain lines, JSON lines for bridges, or nothing.

stdout is data and belongs to `--json`.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any, Literal, Protocol

from photocloak.plugin.pipeline.job import Outcome, Status
from photocloak.plugin.storage.walk import Seen
from photocloak.plugin.tally import Tally

Style = Literal["auto", "plain", "json", "none"]


class Progress(Protocol):
    """Hears of everything that happens in a run, in order."""

    def passed(self, seen: Seen) -> None:
        """A file or folder is passed over; told before the first photo."""

    def begin(self, source: Path) -> None:
        """A photo is begun."""

    def remark(self, text: str) -> None:
        """Something there is to know about the run."""

    def step(self, done: int, total: int) -> None:
        """The optimiser has done a step for this photo."""

    def end(self, outcome: Outcome) -> None:
        """The photo is done."""

    def close(self) -> None:
        """The run is over, or was broken off."""


def make_progress(style: Style, total: int, *, verbose: bool = False) -> Progress:
    """Return the progress of a run over `total` photos; `verbose` lists what is passed over."""
    if style == "json":
        return JsonLines(total, verbose=verbose)
    if style == "none":
        return Quiet(verbose=verbose)
    kind = ProgressBar if style == "auto" and sys.stderr.isatty() else Plain
    return kind(total, verbose=verbose)


def line(outcome: Outcome) -> str:
    """Say in one line what came of a photo."""
    source = shown(outcome.source)
    if outcome.output is None:
        return f"{outcome.status.value}: {clean(outcome.reason or source)}"
    cloaked = sum(face.cloaked for face in outcome.faces)
    faces = f"{cloaked} face{'s' * (cloaked != 1)}, "
    what = faces if outcome.status is Status.CLOAKED else ""
    note = f" ({clean(outcome.reason)})" if outcome.reason else ""
    return (
        f"{outcome.status.value}: {source} → {shown(outcome.output)} "
        f"[{what}{outcome.seconds:.1f} s]{note}"
    )


def passed_line(seen: Seen) -> str:
    """Say in one line what was passed over, and what it is."""
    return f"passed over: {shown(seen.path)} ({seen.kind})"


def shown(path: Path) -> str:
    """Return a path fit for a terminal: no control characters, no lone surrogates."""
    return clean(os.fsencode(path).decode("utf-8", "replace"))


def clean(text: str) -> str:
    """Escape what would move the cursor or colour the terminal."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


def say(text: str) -> None:
    """Write a line for people."""
    sys.stderr.write(text.encode("utf-8", "replace").decode("utf-8") + "\n")
    sys.stderr.flush()


class Quiet:
    """Says nothing but what went wrong."""

    def __init__(self, *, verbose: bool = False) -> None:
        self._verbose = verbose

    def passed(self, seen: Seen) -> None:
        """Say what, where that was asked for."""
        if self._verbose:
            say(passed_line(seen))

    def remark(self, text: str) -> None:
        """Nothing."""

    def begin(self, source: Path) -> None:
        """Nothing."""

    def step(self, done: int, total: int) -> None:
        """Nothing."""

    def end(self, outcome: Outcome) -> None:
        """Say what went wrong."""
        if outcome.code:
            say(line(outcome))

    def close(self) -> None:
        """Nothing."""


class Plain:
    """A line a photo, and a sum at the end."""

    def __init__(self, total: int, *, verbose: bool = False) -> None:
        self._total, self._verbose, self._tally = total, verbose, Tally()

    def passed(self, seen: Seen) -> None:
        """Count it, and say what, where that was asked for."""
        if seen.kind is not None:
            self._tally.passed[seen.kind] += 1
        if self._verbose:
            self._say(passed_line(seen))

    def remark(self, text: str) -> None:
        """Say it."""
        self._say(text)

    def begin(self, source: Path) -> None:
        """Nothing: the line comes at the end."""

    def step(self, done: int, total: int) -> None:
        """Nothing."""

    def end(self, outcome: Outcome) -> None:
        """Say what came of the photo."""
        self._tally.add(outcome)
        number = f"[{self._tally.done}/{self._total}] " if self._total > 1 else ""
        self._say(number + line(outcome))

    def close(self) -> None:
        """Say how many ended how."""
        if self._total > 1 or self._tally.passed:
            say(self._tally.line(self._total))

    def _say(self, text: str) -> None:
        say(text)


class ProgressBar(Plain):
    """The lines of `Plain` above a bar that moves with the optimiser's steps."""

    def __init__(self, total: int, *, verbose: bool = False) -> None:
        super().__init__(total, verbose=verbose)
        from tqdm import tqdm

        form = "{percentage:3.0f}%|{bar}| {desc} [{elapsed}<{remaining}]"
        self._bar = tqdm(total=total, bar_format=form, leave=False, file=sys.stderr)

    def begin(self, source: Path) -> None:
        """Name the photo beside the bar."""
        self._bar.set_description_str(shown(Path(source.name)))

    def step(self, done: int, total: int) -> None:
        """Move the bar by a part of a photo."""
        self._bar.n = self._tally.done + done / total
        self._bar.refresh()

    def end(self, outcome: Outcome) -> None:
        """Say what came of the photo, above the bar."""
        super().end(outcome)
        self._bar.n = self._tally.done
        self._bar.refresh()

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()
        super().close()

    def _say(self, text: str) -> None:
        self._bar.clear()
        say(text)


class JsonLines:
    """One JSON object a line: `begin`, `step` and `end` events, with the photo's number."""

    def __init__(self, total: int, *, verbose: bool = False) -> None:
        self._total, self._photo, self._verbose = total, 0, verbose

    def passed(self, seen: Seen) -> None:
        """Write path and kind, where that was asked for."""
        if self._verbose:
            self._write(event="passed_over", source=str(seen.path), kind=seen.kind)

    def remark(self, text: str) -> None:
        """Nothing."""

    def begin(self, source: Path) -> None:
        """Write the photo's number and path."""
        self._photo += 1
        self._write(event="begin", total=self._total, source=str(source))

    def step(self, done: int, total: int) -> None:
        """Write the optimiser's steps done and in all."""
        self._write(event="step", done=done, steps=total)

    def end(self, outcome: Outcome) -> None:
        """Write status and reason."""
        self._write(event="end", status=outcome.status.value, reason=outcome.reason)

    def close(self) -> None:
        """Nothing: the last event was the last photo's end."""

    def _write(self, **event: Any) -> None:
        say(json.dumps({"photo": self._photo} | event))
