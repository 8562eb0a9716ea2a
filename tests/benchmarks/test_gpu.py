"""The script for a card, on the processor: it times what it says, and copies nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.torch
def test_it_measures_and_compares() -> None:
    done = subprocess.run(
        [
            sys.executable, "-m", "benchmarks.gpu", "--batches", "1", "2", "--repeats", "1",
            "--only", "mobileface", "--edge", "256", "--steps", "2",
        ],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-800:]
    found = json.loads(done.stdout)
    assert found["device"] in ("cpu", "cuda") and found["nodes"].get("copies", 0) == 0
    assert [row["batch"] for row in found["batches"]] == [1, 2]
    for row in found["batches"]:
        assert {"photocloak", "torch eager"} <= row["faces_per_second"].keys()
        assert row["share_of_peak"] > 0
    assert found["whole"]["steps"] == 2 and found["whole"]["nodes"]["copies"] == 0
    assert [row["batch"] for row in found["whole"]["batches"]] == [1, 2]
    for row in found["whole"]["batches"]:
        assert min(row["faces_per_second"][name] for name in ("together", "one by one")) > 0
    assert found["agreement"]["largest_difference"] < 0.02
