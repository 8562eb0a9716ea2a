"""A fixed number of broken files; many more by hand with fuzz.py."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.exporters.fuzz import Worker

COUNT = os.environ.get("PHOTOCLOAK_FUZZ", "200")


def test_broken_files_crash_and_hang_nothing() -> None:
    script = Path(__file__).with_name("fuzz.py")
    run = subprocess.run(
        [sys.executable, str(script), COUNT, "1"], capture_output=True, text=True, check=True
    )
    result = json.loads(run.stdout)
    assert result["wrong"] == []
    assert result["tried"] == int(COUNT)
    assert result["written"] > 10
    assert result["refused"] > 10


def test_crashes_and_hangs_are_seen_and_the_next_file_is_tried() -> None:
    worker = Worker(None)
    try:
        assert worker.ask("whole 999", 30).startswith("crash")
        assert worker.ask("whole 0", -1).startswith("hang")
        assert worker.ask("nonsense", 30) == "it died"
        assert worker.ask("whole 0", 30) == "written"
    finally:
        worker.close()
