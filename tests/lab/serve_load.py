"""Load the receiver: `python -m tests.lab.serve_load [--photos 1000] [--clients 100] [--kills 20]`.

Clients send photos with fake faces, half of them waiting for the answer and half by jobs; every
tenth has no face, every tenth is sent twice. The server is killed (SIGKILL) again and again and
started at the same port; who loses a connection or is told to come back sends the same again. Then:
every photo has exactly one outcome, which every answer told alike; what was given out is what was
written, verified and registered as cloaked, and never the photo; nothing was done more often than
kills explain; nothing clean is left in the folders.
"""

import argparse
import hashlib
import http.client
import json
import os
import random
import re
import tempfile
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue

from photocloak.plugin import Database, Outputs
from tests.plugin.fakes import BARE, PORTRAIT
from tests.plugin.receiver.harness import Answer, Receiver, photo

PAUSE = 1.0
"""Seconds before the same is sent again."""


@dataclass
class Load:
    """One run, and what was seen of it.

    Attributes:
        told: what each photo's senders were told: the hash of the file, or the reason.
        again: how often something had to be sent again, by the reason.

    """

    receiver: Receiver
    photos: int
    clients: int
    kills: int
    seed: int = 1
    told: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    again: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    killed: int = 0
    seconds: float = 0.0

    def run(self, *, within: float) -> None:
        """Send the photos, kill the server, and wait until every sender was told."""
        chance, started = random.Random(self.seed), time.monotonic()
        self._until = started + within
        orders: SimpleQueue[int] = SimpleQueue()
        numbers = [*range(self.photos), *range(0, self.photos, 10)]
        chance.shuffle(numbers)
        for number in numbers:
            orders.put(number)
        self._start()
        threads = [
            threading.Thread(target=self._client, args=[orders, one], daemon=True)
            for one in range(self.clients)
        ]
        for one in threads:
            one.start()
        due = sorted(chance.uniform(0.02, 0.9) * len(numbers) for _ in range(self.kills))
        while any(one.is_alive() for one in threads):
            assert time.monotonic() < self._until, f"not done: {self._answered()} {self.again}"
            if due and self._answered() >= due[0]:
                due.pop(0)
                time.sleep(chance.uniform(0, 0.5))
                self.receiver.kill()
                self.killed += 1
                self._start()
            time.sleep(0.05)
        assert not due, f"{len(due)} kills too few"
        self.seconds = time.monotonic() - started
        assert self.receiver.stop() == 0

    def check(self) -> None:
        """Raise AssertionError if anything is not as it must be."""
        receiver = self.receiver
        assert not self.wrong, self.wrong[:5]
        assert len(self.told) == self.photos, "nothing lost"
        assert all(len(set(one)) == 1 for one in self.told.values()), "everybody was told alike"
        entries = {one.source.name: one for one in receiver.journal.entries()}
        assert len(entries) == self.photos, "one job a photo"
        outputs = Outputs(Database(receiver.folders.database))
        for entry in entries.values():
            assert entry.over and (entry.output is not None) == (entry.status == "cloaked")
            if entry.output is not None:
                made = hashlib.sha256(entry.output.read_bytes()).hexdigest()
                assert made == entry.made_sha256 != entry.sha256
                assert outputs.knows(made)
        given = {one for told in self.told.values() for one in told if len(one) == 64}
        assert given == {one.made_sha256 for one in entries.values() if one.output is not None}
        there = {path for path in receiver.received.rglob("*") if path.is_file()}
        assert there == {one.output for one in entries.values() if one.output is not None}
        assert self.done_again().total() <= self.killed, "no more than were in hand at a kill"

    def done_again(self) -> Counter[str]:
        """Return how often each job was done more than once."""
        said = re.findall(r"^(?:cloaked|no_face|too_weak): .*?/in/([0-9a-f]{32})",
                          self.receiver.said(), re.M)  # fmt: skip
        return Counter({job: count - 1 for job, count in Counter(said).items() if count > 1})

    def report(self) -> dict[str, object]:
        """Return the figures."""
        entries = list(self.receiver.journal.entries())
        return {
            "photos": self.photos,
            "clients": self.clients,
            "kills": self.killed,
            "answers": self._answered(),
            "sent again": dict(self.again),
            "outcomes": dict(Counter(str(one.status) for one in entries)),
            "finished just before a kill": sum("just before" in (e.reason or "") for e in entries),
            "done again after a kill": self.done_again().total(),
            "seconds": round(self.seconds),
        }

    def _start(self) -> None:
        self.receiver.start("--max-waiting", str(max(10, self.photos // 4)), "--timeout", "60")

    def _answered(self) -> int:
        return sum(map(len, list(self.told.values())))

    def _client(self, orders: "SimpleQueue[int]", one: int) -> None:
        while True:
            try:
                number = orders.get_nowait()
            except Empty:
                return
            try:
                self._order(number, by_job=one % 2 == 0)
            except Exception as error:
                self.wrong.append(f"{number}: {error!r}")

    def _order(self, number: int, *, by_job: bool) -> None:
        """Send a photo until it is told what came of it."""
        clean = photo(self.seed * 100_000 + number, BARE if number % 10 == 5 else PORTRAIT)
        while True:
            assert time.monotonic() < self._until, "nobody answers any more"
            try:
                answer = self._by_job(clean) if by_job else self.receiver.send(clean)
            except (OSError, http.client.HTTPException) as error:
                self._once_more(type(error).__name__)
                continue
            if answer.status in {200, 422}:
                break
            assert answer.status in {503, 404}, answer
            self._once_more(str(answer.status), float(answer.headers.get("Retry-After", PAUSE)))
        if answer.status == 422:
            self.told[number].append(answer.json["outcome"]["status"])
            return
        made, told = hashlib.sha256(answer.body).hexdigest(), answer.outcome
        assert told["status"] == "cloaked" and told["output_sha256"] == made
        assert told["source_sha256"] == hashlib.sha256(clean).hexdigest() != made
        self.told[number].append(made)

    def _by_job(self, clean: bytes) -> Answer:
        taken = self.receiver.send(clean, "/jobs")
        if taken.status != 202:
            return taken
        while True:
            answer = self.receiver.ask("GET", f"{taken.headers['Location']}/file")
            if answer.status != 409:
                return answer
            time.sleep(float(answer.headers["Retry-After"]))

    def _once_more(self, why: str, pause: float = PAUSE) -> None:
        self.again[why] += 1
        time.sleep(pause)


def main() -> None:
    """Run the long load in a folder of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=1_000)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--within", type=float, default=3_600)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="serve-load-") as name:
        home = Path(name).resolve()
        os.environ |= {"XDG_DATA_HOME": f"{home}/data", "XDG_CONFIG_HOME": f"{home}/config"}
        load = Load(Receiver(home), told.photos, told.clients, told.kills, told.seed)
        try:
            load.run(within=told.within)
            print(json.dumps(load.report(), indent=1))
            load.check()
            print("every photo has one outcome; nothing clean was given out, nothing is left over")
        finally:
            load.receiver.end()


if __name__ == "__main__":
    main()
