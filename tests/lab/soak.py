"""Soak the daemon: `python -m tests.lab.soak [--photos 2000] [--kills 20] [--seed 1]`.

Photos with fake faces, a quarter of them with changed content under an old name, come in bursts, by
rename and by slow writing; half of the events are dropped; the daemon is killed (SIGKILL) again and
again. Then: every path has exactly one outcome and one output, which is whole and the journal's; no
photo was done twice but those that were in hand at a kill; memory and open files did not grow.
"""

import argparse
import contextlib
import hashlib
import io
import json
import os
import random
import re
import subprocess
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from photocloak.plugin import Status
from tests.plugin.fakes import PORTRAIT, picture
from tests.plugin.watch.harness import Place, decodes, files

MB = 1 << 20


@dataclass(frozen=True)
class Sample:
    """The daemon at one moment: memory of it alone and with its workers (bytes), open files."""

    pid: int
    memory: int
    all_memory: int
    handles: int


@dataclass
class Soak:
    """One run, and what was seen of it."""

    place: Place
    photos: int
    kills: int
    seed: int
    samples: list[Sample] = field(default_factory=list)
    put: list[str] = field(default_factory=list)
    killed: int = 0
    seconds: float = 0.0

    def run(self, *, within: float) -> None:
        """Drop the photos, kill the daemon, and wait until the queue is empty."""
        chance, started = random.Random(self.seed), time.monotonic()
        dropping = threading.Thread(target=self._drop, daemon=True)
        daemon = self._start()
        dropping.start()
        # Kills are spread over the work, not over the time, of which nobody knows how long it is.
        # A quarter of the photos take the place of others, so there are fewer paths.
        due = sorted(chance.uniform(0.02, 0.65) * self.photos for _ in range(self.kills))
        while dropping.is_alive() or not self._over():
            assert time.monotonic() - started < within, f"not done: {Counter(self._states())}"
            if due and self._done() >= due[0] - 1:
                due.pop(0)
                time.sleep(chance.uniform(0, 0.5))
                daemon.kill()
                daemon.wait()
                self.killed += 1
                daemon = self._start()
            assert daemon.poll() is None, self.place.said()[-2000:]
            self._sample(daemon.pid)
            time.sleep(0.25)
        assert not due, f"{len(due)} kills too few"
        self.seconds = time.monotonic() - started
        assert self.place.stop(daemon) == 0

    def check(self) -> None:
        """Raise AssertionError if anything is not as it must be."""
        place, entries = self.place, self.place.entries()
        there = sorted(name for name in files(place.inbox) if not name.startswith("."))
        assert sorted(entries) == there == sorted(set(self.put)), "every path has one outcome"
        assert {one.status for one in entries.values()} <= {Status.CLOAKED, Status.TOO_WEAK}
        cloaked = {name: one for name, one in entries.items() if one.status is Status.CLOAKED}
        extra = set(place.written()) ^ set(cloaked)
        assert not extra, f"one output a cloaked photo, nothing else: {sorted(extra)[:5]}"
        for name, one in entries.items():
            assert one.sha256 == _sha256(place.inbox / name), f"{name}: done as it is now"
        for name, one in cloaked.items():
            assert one.output == place.out / name
            assert one.made_sha256 == _sha256(place.out / name), f"{name}: the journal's file"
            assert decodes(place.out / name)
        more, allowed = self.done_again(), self.killed
        assert sum(more.values()) <= allowed, f"more than were in hand at a kill: {more}"

    def done_again(self) -> Counter[str]:
        """Return how often each path was done more often than its contents explain."""
        said = re.findall(r"^(?:cloaked|too_weak): .*?/in/(\d+/\d+\.png)", self.place.said(), re.M)
        return Counter(said) - Counter(self.put)

    def report(self) -> dict[str, object]:
        """Return the figures."""
        longest = max({one.pid for one in self.samples}, key=self._alive)
        of_it = [one for one in self.samples if one.pid == longest]
        tenth = max(1, len(of_it) // 10)
        first, last = of_it[tenth : 2 * tenth], of_it[-tenth:]
        return {
            "paths": len(set(self.put)),
            "contents": len(self.put),
            "kills": self.killed,
            "seconds": round(self.seconds, 1),
            "outcomes": Counter(str(one.status) for one in self.place.entries().values()),
            "done again after a kill": self.done_again().total(),
            "memory of the longest-lived daemon, MB, first and last tenth": [
                round(float(np.median([one.memory for one in part])) / MB, 1)
                for part in (first, last)
            ],
            "with its worker": [
                round(float(np.median([one.all_memory for one in part])) / MB, 1)
                for part in (first, last)
            ],
            "open files": [int(np.median([one.handles for one in part])) for part in (first, last)],
            "most memory of any daemon, MB": round(max(s.memory for s in self.samples) / MB, 1),
            "samples of the longest-lived": len(of_it),
        }

    def _alive(self, pid: int) -> int:
        return sum(one.pid == pid for one in self.samples)

    def _start(self) -> "subprocess.Popen[bytes]":
        return self.place.start(drop=0.5)

    def _states(self) -> list[str]:
        return [str(one.state) for one in self.place.entries().values()]

    def _over(self) -> bool:
        entries = self.place.entries()
        if {"pending", "working"} & {str(one.state) for one in entries.values()}:
            return False
        return all(
            name in entries and entries[name].sha256 == _sha256(self.place.inbox / name)
            for name in set(self.put)
        )

    def _done(self) -> int:
        counts = self.place.journal.counts(self.place.out) if self.place.journal.exists() else {}
        return sum(count for state, count in counts.items() if state not in {"pending", "working"})

    def _sample(self, pid: int) -> None:
        with contextlib.suppress(OSError, IndexError):
            own = _memory(pid)
            workers = sum(_memory(child) for child in _children(pid))
            handles = len(list(Path(f"/proc/{pid}/fd").iterdir()))
            self.samples.append(Sample(pid, own, own + workers, handles))

    def _drop(self) -> None:
        """Let the photos come."""
        chance = random.Random(self.seed + 1)
        for number in range(self.photos):
            again = number > 20 and chance.random() < 0.25
            name = chance.choice(self.put) if again else f"{number % 7}/{number}.png"
            data = _photo(self.seed * 100_000 + number)
            path = self.place.inbox / name
            path.parent.mkdir(parents=True, exist_ok=True)
            how = chance.random()
            if how < 0.4:
                path.write_bytes(data)
            elif how < 0.8:
                hidden = path.with_name(f".{path.name}.part")
                hidden.write_bytes(data)
                hidden.rename(path)
            else:
                with path.open("wb", buffering=0) as file:
                    for start in range(0, len(data), 8_192):
                        file.write(data[start : start + 8_192])
                        time.sleep(0.02)
            self.put.append(name)
            if chance.random() < 0.05:
                time.sleep(chance.uniform(0, 2))


def _photo(seed: int) -> bytes:
    data = io.BytesIO()
    Pillow.fromarray(picture(*PORTRAIT, seed)).save(data, "PNG")
    return data.getvalue()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _memory(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _children(pid: int) -> list[int]:
    """Return the processes that any thread of this one has started."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(one) for task in tasks for one in (task / "children").read_text().split()]


def main() -> None:
    """Run the long soak in a folder of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=2_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--within", type=float, default=3 * 3_600)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        home = Path(name).resolve()
        os.environ |= {"XDG_DATA_HOME": f"{home}/data", "XDG_CONFIG_HOME": f"{home}/config"}
        soak = Soak(Place(home), told.photos, told.kills, told.seed)
        try:
            soak.run(within=told.within)
            print(json.dumps(soak.report(), indent=1))
            soak.check()
            print("every path has one outcome, nothing was done twice, nothing is left over")
        finally:
            soak.place.end()


if __name__ == "__main__":
    main()
