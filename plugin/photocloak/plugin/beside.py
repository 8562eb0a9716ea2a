"""What a context menu starts: photos to a folder beside them, and a word on the desktop about it.

Each folder of photos is one run of `photocloak cloak` in a process of its own, so that whatever
happens to that process, what became of each photo is told.
"""

import html
import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from photocloak.core import ExitCode
from photocloak.plugin.pipeline.job import AS_IT_IS, Status
from photocloak.plugin.pipeline.reasons import without_options
from photocloak.plugin.progress import clean, say, shown
from photocloak.plugin.tally import told_in_words

NAMED = 5
"""Photos that a notification names before it only counts them."""


@dataclass(frozen=True)
class Result:
    """What came of the photos of one folder.

    Attributes:
        folder: where results went.
        made: how many cloaked photos lie there now.
        copied: how many were written as they are, as the settings say of photos without a face to
            cloak.
        missing: the photos without a result, and why.
        code: exit status of the run.
        disclosed: what kinds of things the files tell beside their pictures.

    """

    folder: Path
    made: int
    copied: int
    missing: Mapping[Path, str]
    code: int
    disclosed: frozenset[str] = frozenset()


def groups(photos: Sequence[Path], folder: str) -> dict[Path, list[Path]]:
    """Return the photos by where their results go: `folder` beside a photo, or in a folder."""
    found: dict[Path, list[Path]] = {}
    for photo in (one.absolute() for one in photos):
        place = photo if photo.is_dir() else photo.parent
        found.setdefault(place / Path(folder).expanduser(), []).append(photo)
    return found


def cloak_group(command: Path, photos: Sequence[Path], folder: Path, preset: str) -> Result:
    """Run `photocloak cloak` over photos, and gather what it says of each."""
    options = ["--json", "--progress", "none", "--preset", preset]
    try:
        run = subprocess.run(
            [command, "cloak", *options, "-o", folder, "--", *photos],
            check=False,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:  # also: more photos than a command line can hold
        why = f"{command}: cannot be started ({error.strerror})"
        return Result(folder, 0, 0, dict.fromkeys(photos, why), ExitCode.UNEXPECTED)
    outcomes: list[dict[str, Any]] = []
    for line in run.stdout.splitlines():
        try:
            outcomes.append(json.loads(line))
        except ValueError:  # it was killed within a line
            break
    missing = {Path(one["source"]): one["reason"] for one in outcomes if one["output"] is None}
    heard = {one["source"] for one in outcomes}
    why = run.stderr.strip().rpartition("\n")[2] or f"photocloak ended with code {run.returncode}"
    if run.returncode not in set(ExitCode) or not outcomes:
        missing |= {one: why for one in photos if str(one) not in heard}
    written = [one["status"] for one in outcomes if one["output"] is not None]
    copied = sum(Status(one) in AS_IT_IS for one in written)
    told = frozenset(kind for one in outcomes for kind in one.get("discloses", ()))
    return Result(folder, len(written) - copied, copied, missing, run.returncode, told)


def summary(results: Sequence[Result]) -> tuple[str, str]:
    """Return the headline and the text of the notification."""
    missing = [item for result in results for item in result.missing.items()]
    made = sum(result.made for result in results)
    copied = sum(result.copied for result in results)
    parts = [f"{made} photo{'s' * (made != 1)} cloaked" if made else "No photo was cloaked"]
    parts += [f"{copied} written as they are"] * bool(copied)
    parts += [f"{len(missing)} left out"] * bool(missing)
    lines = [clean(without_options(why or shown(photo))) for photo, why in missing[:NAMED]]
    lines += [f"and {len(missing) - NAMED} more"] * (len(missing) > NAMED)
    lines += ["To see what can be done: Review Cloaked Faces…, in the same menu."] * bool(missing)
    if disclosed := frozenset().union(*(result.disclosed for result in results)):
        lines.append(f"The files also tell {told_in_words(disclosed)}; the preset web does not.")
    lines += [shown(one.folder) for one in results if one.made or one.copied]
    return ", ".join(parts), "\n".join(lines)


def notify(headline: str, text: str = "", *, urgent: bool = False) -> None:
    """Tell it on stderr, and on the desktop where there is `notify-send`."""
    say(f"{headline}\n{text}".rstrip())
    show(headline, text, urgent=urgent)


def show(headline: str, text: str = "", *, urgent: bool = False) -> None:
    """Tell it on the desktop, where there is `notify-send`; urgent: until it is closed."""
    tool = shutil.which("notify-send")
    if tool is None:
        return
    look = ["--icon=dialog-warning", "--urgency=critical"] if urgent else ["--icon=image-x-generic"]
    # A notification's text is markup.
    words = [headline, html.escape(text, quote=False)]
    subprocess.run(
        [tool, "--app-name=photocloak", *look, "--", *words], check=False, capture_output=True
    )


def exit_status(results: Sequence[Result]) -> int:
    """Return the status of all runs: that of the only one, else 9 where one has a problem."""
    codes = [result.code if result.code >= 0 else ExitCode.UNEXPECTED for result in results]
    if len(codes) == 1:
        return codes[0]
    return ExitCode.SOME_FAILED if any(codes) else ExitCode.OK
