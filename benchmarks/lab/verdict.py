"""What a verdict is worth: how often a recogniser that was not asked fails, by how many accept.

python -m benchmarks.lab.verdict RESULTS.json...

Each RESULTS.json is of `photocloak evaluate`, with strangers (`--trackers`) or with extractors
left out. Of every written photo it says which recognisers still find the clean face in it; those
that the cloak was computed against are what the product knows, the others are what it wants to
know. Each of these has a row of its own: they differ so much in how hard they are to fool, and in
how many of the rest accept where they are left out, that a mean over them turns it all around.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple


class Row(NamedTuple):
    """Which photos are counted together."""

    mode: str
    unasked: str
    known: int


def curve(results: Iterable[dict[str, Any]]) -> dict[Row, dict[int, list[bool]]]:
    """Return, by how many known ones accept, whether the unasked one failed, a photo each."""
    found: dict[Row, dict[int, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for table in results:
        asked = {name for name, one in table["trackers"].items() if one["seen"]}
        for mode, values in table["modes"].items():
            for unasked in sorted(table["trackers"].keys() - asked):
                row = found[Row(mode, unasked, len(asked))]
                for accepting in values["accepting"]:
                    row[len(asked & set(accepting))].append(unasked not in accepting)
    return {row: dict(sorted(found[row].items())) for row in sorted(found)}


def main(paths: Sequence[str]) -> None:
    """Print the curves as a Markdown table: share of photos on which it fails, and of how many."""
    rows = curve(json.loads(Path(path).read_text("utf-8")) for path in paths)
    most = max((number for counts in rows.values() for number in counts), default=0)
    print(f"| mode | not asked | of | {' | '.join(map(str, range(most + 1)))} |")
    print(f"|{'---|' * (most + 4)}")
    for row, counts in rows.items():
        shares = [
            f"{sum(counts[n]) / len(counts[n]):.2f} ({len(counts[n])})" if n in counts else ""
            for n in range(most + 1)
        ]
        print(f"| {row.mode} | {row.unasked} | {row.known} | {' | '.join(shares)} |")


if __name__ == "__main__":
    main(sys.argv[1:])
