"""What a verdict is worth: how often a recogniser that was left out fails, by how many accept.

python -m benchmarks.lab.verdict RESULTS.json...

Each RESULTS.json is of `photocloak evaluate --leave-out NAME`. Of every written photo it says
which recognisers still find the clean face in it; those that the cloak was computed against are
what the product knows, the one left out is what it wants to know. Recognisers differ far more from
each other than photos do, so each is told apart, and the last column is what a photo's number adds
to what is known of the recogniser.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

Failures = dict[int, list[float]]
"""Whether the one left out failed, a photo each, by how many of the others accept."""


def failures(table: dict[str, Any], mode: str, left_out: str) -> Failures:
    """Return how often one recogniser fails on the photos of a run that left it out."""
    found: Failures = defaultdict(list)
    for accepting in table["modes"][mode]["accepting"]:
        told = len(set(accepting) - set(table["leave_out"]))
        found[told].append(float(left_out not in accepting))
    return found


def beyond(runs: Iterable[Failures]) -> Failures:
    """Return by how much the failures of each run differ from that run's mean, runs together."""
    found: Failures = defaultdict(list)
    for run in runs:
        mean = fmean(one for ones in run.values() for one in ones)
        for told, ones in run.items():
            found[told] += [one - mean for one in ones]
    return found


def main(paths: Sequence[str]) -> None:
    """Print the curve as a Markdown table, a mode each."""
    tables = [json.loads(Path(path).read_text("utf-8")) for path in paths]
    for mode in sorted({mode for table in tables for mode in table["modes"]}):
        runs = {
            name: failures(table, mode, name)
            for table in tables
            if mode in table["modes"]
            for name in table["leave_out"]
        }
        print(f"\n| {mode}: others that accept | {' | '.join(runs)} | beyond the run's mean |")
        print(f"|{'---|' * (len(runs) + 2)}")
        for told, differences in sorted(beyond(runs.values()).items()):
            cells = [
                f"{fmean(run[told]):.2f} of {len(run[told])}" if told in run else ""
                for run in runs.values()
            ]
            print(f"| {told} | {' | '.join(cells)} | {fmean(differences):+.2f} |")


if __name__ == "__main__":
    main(sys.argv[1:])
