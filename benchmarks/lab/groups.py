"""Who is protected worse: protection by what the people look like.

python -m benchmarks.lab.groups RESULTS.json...

Each RESULTS.json is of `photocloak evaluate` on the lab's lfw_protect. Recognisers that the cloaks
were computed without count (those left out, strangers), on photos as written; where there are
none, all. What the people look like is in people.toml beside this file.
"""

import json
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any


def protections(results: Iterable[dict[str, Any]]) -> dict[str, dict[str, list[float]]]:
    """Return, by mode and person, the protections by each recogniser, linear and nearest."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for table in results:
        rows = [row for row in table["rows"] if row["variant"] == "cloaked"]
        rows = [row for row in rows if row["held"] == "left out"]
        for row in [row for row in rows if not row["seen"]] or rows:
            for metric in ("linear", "nearest"):
                for name, value in zip(table["protected"], row[metric]["by_identity"], strict=True):
                    if value is not None:
                        found[row["mode"]][name].append(value)
    return found


def main(paths: Sequence[str]) -> None:
    """Print a Markdown table: mode, group, its people and mean, its opposite's."""
    tables = [json.loads(Path(path).read_text("utf-8")) for path in paths]
    groups = tomllib.loads(Path(__file__).with_name("people.toml").read_text("utf-8"))
    print("| mode | group | people | protection | the others | protection | gap |")
    print("|---|---|---|---|---|---|---|")
    for mode, people in protections(tables).items():
        means = {name: sum(values) / len(values) for name, values in people.items()}
        for group, members in groups.items():
            inside = [mean for name, mean in means.items() if name in members]
            others = [mean for name, mean in means.items() if name not in members]
            if inside and others:
                one, other = sum(inside) / len(inside), sum(others) / len(others)
                print(
                    f"| {mode} | {group.replace('_', ' ')} | {len(inside)} | {one:.2f} "
                    f"| {len(others)} | {other:.2f} | {one - other:+.2f} |"
                )


if __name__ == "__main__":
    main(sys.argv[1:])
