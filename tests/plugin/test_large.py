"""A hundred megapixels, with the real models: what they take in memory, from file to file."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from photocloak.core import manifest_root

SIZE = (11560, 8670)
MOST = 1800
"""Megabytes: four pictures of 300 MB at once and 500 MB of models and Python. It took 1,697."""

RUN = """
import sys
from photocloak.plugin.main import run
code = run(["cloak", sys.argv[1], "-o", sys.argv[2], "--json", "--progress", "none"])
with open("/proc/self/status") as status:  # getrusage's has the memory of who started it
    [peak] = [int(line.split()[1]) for line in status if line.startswith("VmHWM")]
print(peak // 1024, file=sys.stderr)
sys.exit(code)
"""


def cloak(photo: Path, out: Path) -> tuple[dict[str, object], int]:
    """Return the outcome and the peak memory in megabytes, of a process of its own."""
    command = [sys.executable, "-c", RUN, str(photo), str(out)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout), int(ran.stderr.split()[-1])


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_tiff_of_a_hundred_megapixels(tmp_path: Path) -> None:
    portrait = Pillow.open(manifest_root() / "demo" / "astronaut.png").convert("RGB")
    portrait.save(tmp_path / "small.png")
    cloak(tmp_path / "small.png", tmp_path / "out")  # models that are ready take less memory
    noise = np.random.default_rng(0).integers(60, 190, (90, 120, 3), np.uint8)
    picture = Pillow.fromarray(noise).resize(SIZE, Pillow.Resampling.BICUBIC)
    corner = (5200, 3100)
    picture.paste(portrait.resize((1024, 1024), Pillow.Resampling.LANCZOS), corner)
    picture.save(tmp_path / "large.tif")
    before = np.array(picture)
    outcome, peak = cloak(tmp_path / "large.tif", tmp_path / "out")
    assert outcome["status"] == "cloaked"
    assert peak < MOST
    with Pillow.open(tmp_path / "out" / "large.tif") as written:
        after = np.asarray(written)
    face = np.s_[corner[1] : corner[1] + 1024, corner[0] : corner[0] + 1024]
    assert (before[face] != after[face]).any()
    before[face] = after[face]
    assert (before == after).all()
