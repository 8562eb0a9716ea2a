"""A batch that is stopped by Ctrl-C at random photos, and gone on with by the same command.

`python -m tests.lab.interrupts` does it with 40 photos of 8 people of the lab, real models and ten
stops; the suite does it with fakes. Each process is a real one, and SIGINT is what stops it.
"""

import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PEOPLE, PHOTOS, STOPS = 8, 5, 10


@dataclass
class Run:
    """One process: what it printed, and how it ended."""

    rows: list[dict[str, Any]]
    said: list[str]
    code: int

    def counts(self) -> Counter[str]:
        """Return what the summary says."""
        (summary,) = [
            line for line in self.said if re.fullmatch(r"\d+ [a-z ]+( · \d+ [a-z ]+)*", line)
        ]
        return Counter(
            {name: int(n) for n, name in re.findall(r"(\d+) ([a-z ]+?)(?: ·|$)", summary)}
        )


@dataclass
class Batch:
    """A folder of photos, where they go, and every run over them."""

    photos: Path
    out: Path
    engine: str
    chance: random.Random
    runs: list[Run] = field(default_factory=list)

    def run(self, *, stop_after: int | None) -> Run:
        """Give the command; with `stop_after`, Ctrl-C after so many result lines."""
        rows: list[dict[str, Any]] = []
        with subprocess.Popen(
            [
                sys.executable, "-m", "tests.plugin.fake_cloak", self.engine, "cloak",
                str(self.photos), "-o", str(self.out), "--json", "--progress", "plain",
            ],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        ) as process:  # fmt: skip
            assert process.stdout is not None and process.stderr is not None
            for line in process.stdout:
                rows.append(json.loads(line))
                if stop_after is not None and len(rows) == stop_after:
                    time.sleep(self.chance.uniform(0.0, 0.5))
                    process.send_signal(signal.SIGINT)
            said = process.stderr.read().splitlines()
        self.runs.append(Run(rows, said, process.wait()))
        return self.runs[-1]

    def written(self) -> dict[str, str]:
        """Return name and hash of each output."""
        files = [path for path in self.out.rglob("*") if path.is_file()]
        return {
            str(path.relative_to(self.out)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
        }

    def check(self, before: dict[str, str]) -> None:
        """Raise AssertionError where the last run did something twice, or told an untruth."""
        run, now = self.runs[-1], self.written()
        told = {row["output"]: row for row in run.rows if row["output"] is not None}
        assert {str(self.out / name) for name in now} == set(told), "all that is there is told of"
        for name, sha256 in now.items():
            row = told[str(self.out / name)]
            assert row["output_sha256"] == sha256, name
            assert row["status"] == ("done_before" if name in before else "cloaked"), name
            assert before.get(name, sha256) == sha256, f"{name} was made twice"
        statuses = Counter(row["status"].replace("_", " ") for row in run.rows)
        counts = run.counts()
        assert counts["cloaked"] == statuses["cloaked"], run.said
        assert counts["done before"] == statuses["done before"], run.said
        photos = sum(path.is_file() for path in self.photos.rglob("*"))
        assert counts["not done"] == photos - len(run.rows), run.said
        if run.code == 130:
            assert run.said[-1].endswith("the same command goes on with what is not done")

    def stopped_and_resumed(self, stops: int) -> None:
        """Stop it at random photos, go on, and check each run."""
        for _ in range(stops):
            before = self.written()
            left = sum(path.is_file() for path in self.photos.rglob("*")) - len(before)
            new = self.chance.randint(0, min(3, max(left - 1, 0)))
            self.run(stop_after=max(len(before) + new, 1))
            self.check(before)
        before = self.written()
        assert self.run(stop_after=None).code in {0, 9}
        self.check(before)


def main() -> None:
    lab = Path(os.environ["PHOTOCLOAK_LAB"]) / "data" / "faces" / "lfw_protect"
    with tempfile.TemporaryDirectory(prefix="photocloak-interrupts-") as name:
        home = Path(name)
        os.environ |= {"XDG_DATA_HOME": str(home / "data"), "XDG_CONFIG_HOME": str(home / "config")}
        for person in sorted(lab.iterdir())[:PEOPLE]:
            for photo in sorted(person.iterdir())[:PHOTOS]:
                (home / "in" / person.name).mkdir(parents=True, exist_ok=True)
                shutil.copy(photo, home / "in" / person.name)
        batch = Batch(home / "in", home / "out", "models", random.Random(int(time.time())))
        batch.stopped_and_resumed(STOPS)
        for number, run in enumerate(batch.runs, 1):
            sys.stdout.write(f"run {number}: code {run.code}: {dict(run.counts())}\n")
        assert len(batch.written()) >= 0.9 * PEOPLE * PHOTOS, "or nothing is shown by it"
        sys.stdout.write(f"{len(batch.written())} outputs of {PEOPLE * PHOTOS} photos, each once\n")


if __name__ == "__main__":
    main()
