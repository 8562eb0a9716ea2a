"""A fixed number of broken files; many more by hand with fuzz.py."""

import json
import os
import subprocess
import sys
from pathlib import Path

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
