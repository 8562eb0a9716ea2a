"""Whether watching takes more memory the longer it goes on.

    python -m benchmarks.lab.watch_memory LAB/data [--until 10,100,500,1000]

The real `photocloak watch` over small JPEGs that come in four lots: crops of photos that show
nobody, and as every twentieth a photo of LFW, of another person each time. Who has no face is
copied (`no_face = "copy"`), so every photo is decoded, searched, written and verified. After each
lot: resident memory of the daemon and of the process that holds the models, what of the latter are
no mapped files (weights, libraries: other processes share those), and how many photos a minute were
done.
"""

import argparse
import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.lab.detection_report import EMPTY
from photocloak import exporters

FACES_EVERY = 20
SIZE = (256, 192)
MB = 1 << 10
"""In kB, which the kernel counts in."""


def photos(data: Path) -> Iterator[bytes]:
    """Yield JPEGs without end, no two of the same content."""
    rng = np.random.default_rng(0)
    people = sorted((data / "faces" / "lfw_protect").iterdir())
    read = (exporters.read(data / "metadata_samples" / name).pixels for name in EMPTY)
    empty = [Image.fromarray(one) for one in read if min(one.shape[:2]) >= max(SIZE)]
    number = 0
    while True:
        if number % FACES_EVERY == 5:
            turn, who = divmod(number // FACES_EVERY, len(people))
            picture: Image.Image = Image.open(sorted(people[who].glob("*.jpg"))[turn])
        else:
            picture = empty[number % len(empty)]
            left, top = (int(rng.integers(picture.size[axis] - SIZE[axis])) for axis in (0, 1))
            picture = picture.crop((left, top, left + SIZE[0], top + SIZE[1]))
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=90)
        yield buffer.getvalue()
        number += 1


class Daemon:
    """The real daemon, and the process that it starts."""

    def __init__(self, home: Path) -> None:
        self.inbox, self._log = home / "in", home / "log"
        self.inbox.mkdir()
        config = home / "config" / "photocloak"
        config.mkdir(parents=True)
        (config / "settings.toml").write_text('no_face = "copy"\naccept_weak = true\n')
        code = "from photocloak.plugin.main import main; main()"
        moved = {"XDG_DATA_HOME": home / "data", "XDG_CONFIG_HOME": home / "config"}
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", code, "watch", self.inbox, "-o", home / "out"],
                stderr=log,
                env=os.environ | {name: str(place) for name, place in moved.items()},
            )

    def done(self) -> int:
        """Return how many photos have been told of."""
        return self._log.read_text("utf-8").count(f"{self.inbox}/")

    def memory(self) -> dict[str, int]:
        """Return megabytes: of the daemon, and of the process that holds the models."""
        pid = self.process.pid
        workers = [one for one, parent in _parents() if parent == pid]
        found = {"daemon": _kilobytes(pid, "Rss")}
        found["models"] = sum(_kilobytes(one, "Rss") for one in workers)
        found["of it no mapped files"] = sum(_kilobytes(one, "Anonymous") for one in workers)
        return {name: kilobytes // MB for name, kilobytes in found.items()}


def _parents() -> Iterator[tuple[int, int]]:
    """Yield the number of each process with that of its parent."""
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended
            yield int(entry.parent.name), int(entry.read_text().rsplit(") ", 1)[1].split()[1])


def _kilobytes(pid: int, kind: str) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(one.split()[1]) for one in lines if one.startswith(f"{kind}:"))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", metavar="LAB/data", type=Path)
    parser.add_argument("--until", default="10,100,500,1000")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="watch-memory-") as name:
        home = Path(name).resolve()
        coming, daemon, there = photos(told.data), Daemon(home), 0
        try:
            for until in map(int, told.until.split(",")):
                began, before = time.monotonic(), there
                for there in range(before + 1, until + 1):
                    arriving = home / "arriving"
                    arriving.write_bytes(next(coming))
                    shutil.move(arriving, daemon.inbox / f"{there:04}.jpg")
                while daemon.done() < until:
                    if daemon.process.poll() is not None:
                        raise SystemExit(f"the daemon has ended: {daemon.process.returncode}")
                    time.sleep(0.2)
                rate = (until - before) / (time.monotonic() - began) * 60
                print(f"after {until:5}: {daemon.memory()} MB, {rate:.0f} photos a minute")
        finally:
            daemon.process.terminate()
            daemon.process.wait()


if __name__ == "__main__":
    main()
