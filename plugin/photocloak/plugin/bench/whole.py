"""Whole photos: from a file to a verified file, and from the process's start to the first step."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from photocloak.core import PhotocloakError
from photocloak.core.stages import recorded
from photocloak.plugin.assembly import load_engine, open_pipeline
from photocloak.plugin.bench import photos
from photocloak.plugin.pipeline.job import Job
from photocloak.plugin.settings import Settings
from photocloak.plugin.storage.folders import Folders

# The kernel's figure for a process that ended has that of whoever started it in it.
_PROGRAM = """
import json, sys
from photocloak.plugin.main import run
code = run(sys.argv[1:])
with open("/proc/self/status") as status:
    [peak] = [int(line.split()[1]) for line in status if line.startswith("VmHWM")]
print(json.dumps({"event": "peak", "kilobytes": peak}), file=sys.stderr)
sys.exit(code)
"""


STAGES = (
    "read",
    "detect",
    "embed",
    "decide",
    "cloak",
    "render",
    "encode",
    "scan",
    "decode",
    "verify",
    "write",
)
"""A photo's way, as `photocloak.core.stages` counts it."""

WHOLE = "whole"


@dataclass(frozen=True)
class Size:
    """A kind of photo."""

    megapixels: float
    faces: int


@dataclass(frozen=True)
class PhotoTime:
    """Median seconds for a photo of one size, models loaded: read, found, cloaked, verified.

    Attributes:
        size: of the photo.
        seconds: from the file to the verified file.
        stages: of these, by stage in their order; what is left is between them.

    """

    size: Size
    seconds: float
    stages: Mapping[str, float]

    @property
    def per_minute(self) -> float:
        """How many such photos one process does in a minute."""
        return 60 / self.seconds


@dataclass(frozen=True)
class Start:
    """Seconds from the start of the process, and megabytes.

    Attributes:
        first_step: until the optimiser's first step was done.
        first_ever: the same with an empty cache folder, once: models are made ready.
        peak: the most memory held at once, for the largest photo of the run.

    """

    first_step: float
    first_ever: float
    peak: float


def time_photos(
    sizes: Sequence[Size], settings: Settings, folders: Folders, *, repeats: int
) -> list[PhotoTime]:
    """Cloak a photo of each size, in turns, and return the median of each.

    Raises PhotocloakError where one of them does not end as a cloaked photo.
    """
    engine = load_engine(settings, folders)
    times: dict[Size, list[dict[str, float]]] = {size: [] for size in sizes}
    with tempfile.TemporaryDirectory(prefix="photocloak-bench-") as name:
        place = Path(name)
        pipeline = open_pipeline(engine, Folders(folders.config, place / "data"))
        sources = {size: photos.write(size.megapixels, size.faces, place) for size in sizes}
        for turn in range(repeats + 1):  # the first does not count
            for size, source in sources.items():
                with recorded() as stages:
                    outcome = pipeline.run(Job(source, place / "out", settings.mode, "keep"))
                if outcome.output is None or len(outcome.faces) != size.faces:
                    raise PhotocloakError(
                        f"{source.name}, made to measure with, came out as {outcome.status.value} "
                        f"with {len(outcome.faces)} faces ({outcome.reason})."
                    )
                outcome.output.unlink()
                if turn:
                    times[size].append({WHOLE: outcome.seconds} | stages)
    return [_median(size, rows) for size, rows in times.items()]


def _median(size: Size, rows: Sequence[Mapping[str, float]]) -> PhotoTime:
    middle = {name: median(row.get(name, 0.0) for row in rows) for name in (WHOLE, *STAGES)}
    return PhotoTime(size, middle.pop(WHOLE), middle)


def time_start(largest: Size, *, repeats: int) -> Start:
    """Start `photocloak cloak` as a user does: on a portrait for time, a large photo for memory."""
    with tempfile.TemporaryDirectory(prefix="photocloak-bench-") as name:
        place = Path(name)
        _run(photos.PORTRAIT, place)
        first_ever, _ = _run(photos.PORTRAIT, place, XDG_CACHE_HOME=str(place / "cache"))
        seconds = [_run(photos.PORTRAIT, place)[0] for _ in range(repeats)]
        source = photos.write(largest.megapixels, largest.faces, place)
        _, peak = _run(source, place)
    return Start(median(seconds), first_ever, peak)


def _run(source: Path, place: Path, **environment: str) -> tuple[float, float]:
    """Cloak one photo in a new process; return seconds to its first step, and megabytes."""
    with tempfile.TemporaryDirectory(dir=place) as private:
        # Whoever installs a package compiles it; a checkout must be let do so.
        moved = {"XDG_DATA_HOME": private, "PYTHONDONTWRITEBYTECODE": ""} | environment
        arguments = [sys.executable, "-c", _PROGRAM, "cloak", str(source), "-o", private]
        started = time.perf_counter()
        with subprocess.Popen(
            [*arguments, "--progress", "json"],
            env=os.environ | moved,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        ) as process:
            assert process.stderr is not None
            lines, first = [], None
            for line in process.stderr:
                lines.append(line)
                if first is None and _event(line).get("event") == "step":
                    first = time.perf_counter() - started
    peak = _event(lines[-1]).get("kilobytes") if lines else None
    if process.returncode or first is None or peak is None:
        raise PhotocloakError(f"`photocloak cloak {source}` failed: {''.join(lines[-3:])}")
    return first, peak / 1024


def _event(line: str) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}
