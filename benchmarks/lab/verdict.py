"""What a verdict is worth: how often a recogniser that was left out fails, by how many accept.

python -m benchmarks.lab.verdict RESULTS.json...

Each RESULTS.json is of `photocloak evaluate --leave-out NAME`. Of every written photo it says
which recognisers still find the clean face in it; those that the cloak was computed against are
what the product knows, the one left out is what it wants to know.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any


def curve(results: Iterable[dict[str, Any]]) -> dict[tuple[str, int, int], list[bool]]:
    """Return, by (mode, accepting, of how many), whether those left out failed, a photo each."""
    found: dict[tuple[str, int, int], list[bool]] = defaultdict(list)
    for table in results:
        left_out = set(table["leave_out"])
        known = len([name for name, one in table["trackers"].items() if one["seen"]])
        for mode, values in table["modes"].items():
            for accepting in values["accepting"]:
                told = len(set(accepting) - left_out)
                found[mode, told, known] += [name not in accepting for name in left_out]
    return dict(sorted(found.items()))


def main(paths: Sequence[str]) -> None:
    """Print the curve as a Markdown table."""
    tables = [json.loads(Path(path).read_text("utf-8")) for path in paths]
    print("| mode | surrogates that accept | photos | of these the one left out fails |")
    print("|---|---|---|---|")
    for (mode, told, known), failed in curve(tables).items():
        print(f"| {mode} | {told} of {known} | {len(failed)} | {sum(failed) / len(failed):.2f} |")


if __name__ == "__main__":
    main(sys.argv[1:])
