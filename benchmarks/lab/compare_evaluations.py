"""Compare two evaluations in pairs: same people, same photos, another setting.

By hand: `python benchmarks/lab/compare_evaluations.py BEFORE/results.json AFTER/results.json`.
Printed are the differences of protection per person, their mean with a 90 % interval by bootstrap
over people, and what the change costs.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from photocloak.engine.recognition.identification import lower_bound

JUDGES = ("linear", "nearest", "verified")


def key(row: dict[str, Any]) -> tuple[str, ...]:
    """Return what makes two rows a pair."""
    return row["mode"], row["tracker"], row["variant"], row["held"]


def difference(before: dict[str, Any], after: dict[str, Any]) -> str:
    """Return mean and interval of after − before; people without a photo in either do not count."""
    pairs = [
        (a, b)
        for a, b in zip(before["by_identity"], after["by_identity"], strict=True)
        if a is not None and b is not None
    ]
    change = np.array([b - a for a, b in pairs])
    low, high = lower_bound(change), -lower_bound(-change)
    return f"{change.mean():+.2f} [{low:+.2f} {high:+.2f}]"


def main(before: Path, after: Path) -> None:
    """Print a line a row that both have."""
    one, other = (json.loads(path.read_text("utf-8")) for path in (before, after))
    if (one["protected"], one["others"]) != (other["protected"], other["others"]):
        sys.exit("These are not the same people.")
    for name in one["modes"].keys() & other["modes"].keys():
        for table in (one, other):
            mode = table["modes"][name]
            seen, held = mode["change"]["all"], sum(mode["held_back"].values())
            print(
                f"{name}: {held} of {mode['photos']} held back, {mode['seconds_per_face']:.1f} s a "
                f"face, DSSIM {seen['dssim']:.4f}, low-passed luma {seen['low_luma']:.2f}, "
                f"chroma {seen['low_chroma']:.2f}"
            )
    rows = {key(row): row for row in one["rows"]}
    for row in other["rows"]:
        if (was := rows.get(key(row))) is not None and row["mode"] != "none":
            found = "  ".join(f"{judge} {difference(was[judge], row[judge])}" for judge in JUDGES)
            stranger = " " if row["seen"] else "*"
            print(f"{stranger}{row['tracker']:12} {row['variant']:17} {row['held']:9} {found}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
