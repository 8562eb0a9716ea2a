"""What the daemon costs: `python -m benchmarks.lab.daemon_cost PHOTO... [--idle SECONDS]`.

Idle: share of a core and resident memory before the first photo. Then, for each PHOTO, warm: the
time from its having settled to its output's being there, against the bare time of `Pipeline.run` in
a process with the models loaded, same photos in the same order. The first photo warms both up.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from photocloak.plugin import Folders, Job, Settings, load_engine, open_pipeline
from photocloak.plugin.watch.scanner import Pace

MB = 1 << 20
TICK = os.sysconf("SC_CLK_TCK")


def cpu(pid: int) -> float:
    """Return the seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory(pid: int) -> float:
    """Return resident memory in MB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MB


class Daemon:
    """The real daemon over an empty folder."""

    def __init__(self, home: Path) -> None:
        self.inbox, self._home = home / "in", home
        self.inbox.mkdir(parents=True)
        code = "from photocloak.plugin.main import main; main()"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, "watch", self.inbox, "-o", home / "out"],
            stderr=subprocess.PIPE,
            env=os.environ
            | {"XDG_DATA_HOME": str(home / "data"), "XDG_CONFIG_HOME": str(home / "config")},
        )
        assert self.process.stderr is not None
        self._said = self.process.stderr
        self._said.readline()

    def idle(self, seconds: float) -> dict[str, float]:
        """Return what it costs to do nothing."""
        pid = self.process.pid
        time.sleep(3)
        before, began = cpu(pid), time.monotonic()
        time.sleep(seconds)
        share = (cpu(pid) - before) / (time.monotonic() - began)
        return {"idle CPU, % of a core": round(100 * share, 3), "RSS, MB": round(memory(pid), 1)}

    def do(self, photo: Path) -> float:
        """Return the seconds from a photo's having settled to its output's being there."""
        beside = shutil.copy(photo, self._home / photo.name)
        settled = time.monotonic() + Pace().quiet
        Path(beside).rename(self.inbox / photo.name)
        said = self._said.readline().decode().strip()
        took = time.monotonic() - settled
        print(f"watched {took:7.2f} s  {said}")
        return took


class Bare:
    """The pipeline in this process, with the models loaded."""

    def __init__(self, home: Path) -> None:
        folders = Folders(home / "config", home / "data")
        self._settings, self._out = Settings(), home / "out"
        self._pipeline = open_pipeline(load_engine(self._settings, folders), folders)

    def do(self, photo: Path) -> float:
        """Return the seconds that the photo takes."""
        started = time.monotonic()
        job = Job(photo, self._out, self._settings.mode, self._settings.preset)
        outcome = self._pipeline.run(job)
        took = time.monotonic() - started
        print(f"bare    {took:7.2f} s  {outcome.status}")
        return took


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", metavar="PHOTO", nargs="+", type=Path)
    parser.add_argument("--idle", type=float, default=120)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="daemon-") as name:
        home = Path(name).resolve()
        daemon = Daemon(home / "w")
        try:
            cost = daemon.idle(told.idle)
            bare = Bare(home / "b")
            # One after the other, so that both meet whatever else the machine is doing.
            pairs = [(daemon.do(photo), bare.do(photo)) for photo in told.photos]
        finally:
            daemon.process.terminate()
            daemon.process.wait()
    warm = pairs[1:]
    if warm:
        watched, alone = (sum(column) for column in zip(*warm, strict=True))
        cost["overhead of all, %"] = round(100 * (watched / alone - 1), 1)
        each = [100 * (one / other - 1) for one, other in warm]
        cost["overhead, median, %"] = round(statistics.median(each), 1)
    print(json.dumps(cost, indent=1))


if __name__ == "__main__":
    main()
