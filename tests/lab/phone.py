"""A phone's year in an hour: `python -m tests.lab.phone [--photos 500] [--kills 12] [--seed 1]`.

Two real instances of Syncthing, set up as docs/howto/phone.md says, and the daemon with fake faces
between them. Photos come in bursts, some are edited, some deleted, some leave what lost a conflict;
phone, server and daemon are killed (SIGKILL) in turn. Then: every photo that is on the phone has
one outcome, its cloak is on the phone again, byte for byte, no clean photo was ever in what is
published, and no photo was done more often than it had contents but what was in hand at a kill.
"""

import argparse
import hashlib
import json
import os
import random
import re
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path

from photocloak.plugin import Status
from tests.plugin.fakes import PORTRAIT, write_photo
from tests.plugin.watch.harness import Place, decodes
from tests.plugin.watch.phone import Home, photos


class Year:
    """One run, and what was seen of it."""

    def __init__(self, place: Place, count: int, kills: int, seed: int) -> None:
        self.home, self.place, self.count, self.kills = Home(place), place, count, kills
        self._chance, self.put = random.Random(seed), list[str]()
        self.clean: set[str] = set()
        self.happened: Counter[str] = Counter()
        self.seconds = 0.0

    def run(self, *, within: float) -> None:
        """Take the photos, kill who is about, and wait until all are back on the phone."""
        started = time.monotonic()
        self.home.set_up()
        self._daemon = self.place.start()
        due = sorted(self._chance.sample(range(self.count), self.kills))
        for number in range(self.count):
            self._take(f"{number % 9}/IMG_{number:04}.png")
            if number > 20 and self._chance.random() < 0.1:
                self._change()
            if number in due:
                self.home.scan()
                time.sleep(self._chance.uniform(0, 2))
                self._kill(("daemon", "server", "phone")[self.happened.total() % 3])
            if self._chance.random() < 0.05:
                self.home.scan()
                self._look()
        while not self._over():
            assert time.monotonic() - started < within, f"not over: {self.report()}"
            self.home.scan()
            self._look()
            time.sleep(2)
        self.seconds = time.monotonic() - started
        assert self.place.stop(self._daemon) == 0

    def check(self) -> None:
        """Raise AssertionError if anything is not as it must be."""
        self._look()
        entries, published = self.place.entries(), photos(self.place.out)
        there = [one for one in photos(self.home.camera) if "sync-conflict" not in one]
        assert set(there) <= set(entries), "every photo has one outcome"
        assert {one.status for one in entries.values()} <= {Status.CLOAKED, Status.TOO_WEAK}
        cloaked = {name for name, one in entries.items() if one.status is Status.CLOAKED}
        assert set(published) == cloaked == set(photos(self.home.album)), "published, and back"
        for name in published:
            mine = _sha256(self.place.out / name)
            assert mine == entries[name].made_sha256 == _sha256(self.home.album / name), name
            assert decodes(self.home.album / name)
        said = re.findall(r"^(?:cloaked|too_weak): \S+/camera/(\S+png)", self.place.said(), re.M)
        again = Counter(said) - Counter(self.put)
        assert again.total() <= self.happened["killed the daemon"], f"done twice: {again}"

    def report(self) -> dict[str, object]:
        """Return the figures."""
        return {
            "photos": self.count,
            "contents": len(self.put),
            **self.happened,
            "outcomes": Counter(str(one.state) for one in self.place.entries().values()),
            "back on the phone": len(photos(self.home.album)),
            "seconds": round(self.seconds),
        }

    def _take(self, name: str) -> None:
        self.put.append(name)
        photo = write_photo(self.home.camera / name, *PORTRAIT, len(self.put))
        self.clean.add(_sha256(photo))

    def _change(self) -> None:
        """Edit a photo, delete one, or leave what lost a conflict."""
        name = self._chance.choice(photos(self.home.camera))
        photo = self.home.camera / name
        what = self._chance.choice(("edited", "deleted", "lost a conflict"))
        if what == "edited" and "sync-conflict" not in name:
            self._take(name)
        elif what == "deleted":
            photo.unlink()
        else:
            lost = photo.with_name(f"{photo.stem}.sync-conflict-20261127-180000-ABCDEFG.png")
            lost.write_bytes(photo.read_bytes())
        self.happened[what] += 1

    def _kill(self, who: str) -> None:
        self.happened[f"killed the {who}"] += 1
        if who == "daemon":
            self._daemon.kill()
            self._daemon.wait()
            self._daemon = self.place.start()
            return
        machine = self.home.server if who == "server" else self.home.phone
        machine.kill()
        time.sleep(self._chance.uniform(0, 1))
        machine.start()

    def _look(self) -> None:
        """Hold what is published against every clean photo there ever was."""
        for folder in (self.place.out, self.home.album):
            for name in photos(folder):
                try:
                    assert _sha256(folder / name) not in self.clean, f"{name} is not cloaked"
                except FileNotFoundError:  # a temporary name, or gone
                    continue

    def _over(self) -> bool:
        entries = self.place.entries()
        if {"pending", "working", "waiting"} & {str(one.state) for one in entries.values()}:
            return False
        there = [one for one in photos(self.home.camera) if "sync-conflict" not in one]
        same = all(
            one in entries and entries[one].sha256 == _sha256(self.home.camera / one)
            for one in there
        )
        made = {name: one.made_sha256 for name, one in entries.items() if one.made_sha256}
        back = {one: _sha256(self.home.album / one) for one in photos(self.home.album)
                if (self.home.album / one).exists()}  # fmt: skip
        return same and back == made


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    """Run it in a folder of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=500)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--within", type=float, default=3_600)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="phone-") as name:
        base = Path(name).resolve()
        os.environ |= {"XDG_DATA_HOME": f"{base}/data", "XDG_CONFIG_HOME": f"{base}/config"}
        version = subprocess.run(
            ["syncthing", "--version"], capture_output=True, text=True, check=True
        )
        print(version.stdout.split(" (")[0])
        year = Year(Place(base), told.photos, told.kills, told.seed)
        try:
            year.run(within=told.within)
            print(json.dumps(year.report(), indent=1))
            year.check()
            print("all are back on the phone, nothing clean was published, nothing was done twice")
        except BaseException:
            for one in (year.home.phone.log, year.home.server.log, year.place.log):
                print(f"{one}:", *one.read_text("utf-8", "replace").splitlines()[-15:], sep="\n")
            raise
        finally:
            year.home.end()


if __name__ == "__main__":
    main()
