"""How a run shows itself on stderr: a bar, plain lines, JSON lines for bridges, or nothing.

stdout is data and belongs to `--json`.
"""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from photocloak.plugin.pace import Pace
from photocloak.plugin.pipeline.job import Outcome, Status
from photocloak.plugin.pipeline.messages import Event
from photocloak.plugin.pipeline.reasons import known_by, left
from photocloak.plugin.storage.walk import Seen
from photocloak.plugin.tally import Repeats, Tally

Style = Literal["auto", "plain", "json", "none"]


class Progress(Protocol):
    """Hears of everything that happens in a run."""

    def passed(self, seen: Seen) -> None:
        """A file or folder is passed over; told before the first photo."""

    def event(self, event: Event) -> None:
        """Something happened on the way of a photo, or there is something to say."""

    def end(self, outcome: Outcome) -> None:
        """A photo is done."""

    def close(self) -> None:
        """The run is over, or was broken off."""


def make_progress(style: Style, sources: Sequence[Path], *, verbose: bool = False) -> Progress:
    """Return the progress of a run over photos; `verbose` lists what is passed over."""
    if style == "json":
        return JsonLines(sources, verbose=verbose)
    if style == "none":
        return Quiet(verbose=verbose)
    kind = ProgressBar if style == "auto" and sys.stderr.isatty() else Plain
    return kind(sources, verbose=verbose)


def line(outcome: Outcome) -> str:
    """Say in one line what came of a photo."""
    source = shown(outcome.source)
    if outcome.output is None:
        return f"{outcome.status.value}: {clean(outcome.reason or source)}"
    parts = [_faces(outcome) if outcome.status is Status.CLOAKED else "", left(outcome.faces)]
    what = "".join(f"{clean(part)}, " for part in parts if part)
    note = f" ({clean(outcome.reason)})" if outcome.reason else ""
    return (
        f"{outcome.status.value}: {source} → {shown(outcome.output)} "
        f"[{what}{outcome.seconds:.1f} s]{note}"
    )


def _faces(outcome: Outcome) -> str:
    """Say how well each face is cloaked: "2 faces: Ada good, person-2 blur"."""
    cloaked = [face for face in outcome.faces if face.cloaked or face.fallback]
    count = f"{len(cloaked)} face{'s' * (len(cloaked) != 1)}"
    known = [face for face in cloaked if face.verdict is not None]
    words = [f"{face.person or 'somebody'} {face.fallback or face.verdict}" for face in known]
    return f"{count}{': ' * bool(words)}{', '.join(words)}"


def face_lines(outcome: Outcome) -> list[str]:
    """Say of each face which recognisers still know it in the file."""
    return [
        f"  {clean(face.person or 'somebody')} at {face.box[0]}, {face.box[1]}: {face.verdict}, "
        f"{known_by(face)}{': ' * bool(face.accepting)}{', '.join(face.accepting)}"
        for face in outcome.faces
        if face.accepting is not None
    ]


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
        self._verbose, self._repeats = verbose, Repeats()

    def passed(self, seen: Seen) -> None:
        """Say what, where that was asked for."""
        if self._verbose:
            say(passed_line(seen))

    def event(self, event: Event) -> None:
        """Nothing."""

    def end(self, outcome: Outcome) -> None:
        """Say what went wrong."""
        if outcome.code and (self._repeats.is_new(outcome) or self._verbose):
            say(line(outcome))
        for text in face_lines(outcome) if self._verbose else ():
            say(text)

    def close(self) -> None:
        """Say how many more went wrong in the same way."""
        for text in [] if self._verbose else self._repeats.lines():
            say(clean(text))


class Plain:
    """A line a photo, and a sum at the end."""

    def __init__(self, sources: Sequence[Path], *, verbose: bool = False) -> None:
        self._total, self._verbose = len(sources), verbose
        self._tally, self._repeats = Tally(), Repeats()

    def passed(self, seen: Seen) -> None:
        """Count it, and say what, where that was asked for."""
        if seen.kind is not None:
            self._tally.passed[seen.kind] += 1
        if self._verbose:
            self._say(passed_line(seen))

    def event(self, event: Event) -> None:
        """Say what there is to say; a photo's line comes at its end."""
        if event.what == "remark":
            self._say(clean(event.text))

    def end(self, outcome: Outcome) -> None:
        """Say what came of the photo."""
        remark = self._tally.add(outcome)
        if self._repeats.is_new(outcome) or self._verbose:
            self._tell(outcome)
        if remark is not None:
            self._say(clean(remark))

    def _tell(self, outcome: Outcome) -> None:
        number = f"[{self._tally.done}/{self._total}] " if self._total > 1 else ""
        self._say(number + line(outcome))
        for text in face_lines(outcome) if self._verbose else ():
            self._say(text)

    def close(self) -> None:
        """Say how many failed in one way, and how many ended how."""
        for text in [] if self._verbose else self._repeats.lines():
            say(clean(text))
        if self._total > 1 or self._tally.passed:
            say(self._tally.line(self._total))

    def _say(self, text: str) -> None:
        say(text)


class ProgressBar(Plain):
    """The lines of `Plain` above one bar for the whole run."""

    def __init__(self, sources: Sequence[Path], *, verbose: bool = False) -> None:
        super().__init__(sources, verbose=verbose)
        from tqdm import tqdm

        self._pace, self._name = Pace(sources), ""
        form = "{percentage:3.0f}%|{bar}| {desc}"
        self._bar = tqdm(total=1.0, bar_format=form, leave=False, file=sys.stderr)

    def event(self, event: Event) -> None:
        """Move the bar, and name the photo beside it."""
        super().event(event)
        self._pace.event(event)
        if event.job is not None and event.what != "step":
            self._name = shown(Path(event.job.source.name))
        self._show()

    def end(self, outcome: Outcome) -> None:
        """Say what came of the photo, above the bar."""
        super().end(outcome)
        self._pace.end(outcome)
        self._show()

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()
        super().close()

    def _show(self) -> None:
        self._bar.n = self._pace.position
        self._bar.set_description_str(where(self._pace, self._total, self._name), refresh=False)
        self._bar.refresh()

    def _say(self, text: str) -> None:
        self._bar.clear()
        say(text)


def where(pace: Pace, total: int, name: str) -> str:
    """Say beside the bar which photo it is at, and how long the rest will take."""
    number = pace.detections if pace.looking else pace.over + 1
    verb = "Looking at photo" if pace.looking else "Photo"
    left = pace.left()
    time = "" if left is None else f", {duration(left)} left"
    return f"{verb} {min(max(number, 1), total)} of {total}, {name}{time}"


def duration(seconds: float) -> str:
    """Say how long something takes, no finer than it is known."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


class JsonLines:
    """One JSON object a line, with the number that the photo has in the run."""

    def __init__(self, sources: Sequence[Path], *, verbose: bool = False) -> None:
        self._numbers = {source: number for number, source in enumerate(sources, 1)}
        self._begun: set[Path] = set()
        self._pace, self._verbose = Pace(sources), verbose

    def passed(self, seen: Seen) -> None:
        """Write path and kind, where that was asked for."""
        if self._verbose:
            self._write(photo=0, event="passed_over", source=str(seen.path), kind=seen.kind)

    def event(self, event: Event) -> None:
        """Write that a photo was looked at, that its cloak is begun, or the steps of that."""
        self._pace.event(event)
        if event.job is None:
            return
        source = event.job.source
        if event.what == "looked":
            self._photo(source, event="looked", faces=event.done)
        elif event.what == "begun":
            self._begin(source)
        else:
            self._photo(source, event="step", done=event.done, steps=event.total)

    def end(self, outcome: Outcome) -> None:
        """Write status and reason."""
        self._pace.end(outcome)
        if outcome.source not in self._begun:
            self._begin(outcome.source)
        self._photo(outcome.source, event="end", status=outcome.status.value, reason=outcome.reason)

    def close(self) -> None:
        """Nothing: the last event was the last photo's end."""

    def _begin(self, source: Path) -> None:
        self._begun.add(source)
        self._photo(source, event="begin", total=len(self._numbers), source=str(source))

    def _photo(self, of: Path, **event: Any) -> None:
        share = round(self._pace.position, 4)
        self._write(photo=self._numbers[of], **event, share=share)

    def _write(self, **event: Any) -> None:
        say(json.dumps(event))
