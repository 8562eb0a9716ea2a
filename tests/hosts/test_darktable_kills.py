"""Real darktable and the real pipeline, killed at ten moments: what is out is cloaked and whole."""

import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from tests.hosts.darktable import Host, lua, require_darktable
from tests.plugin.fakes import PORTRAIT, write_photo

KILLS = 10
FAKE_CLOAK = [sys.executable, "-m", "tests.plugin.fake_cloak", "fakes"]
KILL = """function()
  drive.wait(function() return os.execute("test -s {runs}/run-*/pid") end)
  dt.control.sleep({after})
  os.execute("kill -s KILL -- {whom}")
end"""


def test_what_a_kill_leaves(tmp_path: Path) -> None:
    """The program alone, or with the shell that waits for it."""
    require_darktable()
    host = Host(tmp_path / "host").make()
    program, runs = host.keeping(FAKE_CLOAK), host.runs
    names = ["one.jpg", "two.jpg"]
    photos = {
        k: [
            write_photo(host.root / f"{k}" / name, *PORTRAIT, 2 * k + n)
            for n, name in enumerate(names)
        ]
        for k in range(KILLS + 1)
    }
    began = time.monotonic()
    subprocess.run(
        [program, "cloak", "-o", host.root / "out" / "0", "--", *photos[0]],
        env=host.env, check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    whole = time.monotonic() - began
    steps = ['local dt = require "darktable"']
    for k in range(1, KILLS + 1):
        pid = f"$(cat {runs}/run-*/pid)"
        whom = f"-{pid}" if k % 2 else f"$(cat /proc/{pid}/task/*/children)"
        during = KILL.format(runs=runs, after=round(1000 * whole * k / KILLS), whom=whom)
        steps.append(
            f"drive.set({lua({'program': program, 'folder': host.root / 'out' / str(k)})})"
        )
        steps.append(f"drive.export({lua(str(k))}, {lua(photos[k])}, {during})")
    said, status = host.run("\n".join(steps))
    assert (status, said["scenario"]) == (0, "done")
    for k in range(1, KILLS + 1):
        out, told = host.root / "out" / str(k), re.findall(r"\b(\d+) of 2", said[str(k)])
        files = [path for path in out.glob("*") if not path.name.startswith(".")]
        assert int(told[0]) <= len(files), said[str(k)]
        for path in files:
            before, after = (
                np.asarray(Pillow.open(one), int) for one in (host.kept(str(k)) / path.name, path)
            )
            assert np.abs(before - after).max() > 2, f"{path} is not cloaked"
    assert host.leftovers() == []
    killed = [k for k in range(1, KILLS + 1) if "illed" in said[str(k)]]
    assert {k % 2 for k in killed} == {0, 1}, said  # of each kind some came in time
