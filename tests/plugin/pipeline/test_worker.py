"""A worker looks once, remembers little, and gives what any other worker gives."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from photocloak.engine.detection.alignment import Image
from photocloak.engine.detection.faces import Face
from photocloak.engine.modes import load_mode
from photocloak.exporters import load_policy
from photocloak.plugin import Job, Outcome
from photocloak.plugin.pipeline import process_photo, worker
from photocloak.plugin.pipeline.messages import CloakRequest, PhotoTask
from photocloak.plugin.pipeline.process_photo import seed_of, sha256
from photocloak.plugin.pipeline.worker import REMEMBERED, Worker
from tests.plugin.fakes import CAST, PORTRAIT, FakeDetector, FakeRecipe, make_engine, write_photo


class Counting(FakeDetector):
    """Counts how often faces were looked for."""

    def __init__(self) -> None:
        super().__init__(CAST)
        self.calls = 0

    def __call__(self, image: Image, *, near: Sequence[Face] | None = None) -> list[Face]:
        self.calls += 1
        return super().__call__(image, near=near)


class Bench:
    """A worker that counts, and orders for it."""

    def __init__(self, home: Path) -> None:
        self.home, self.detector = home, Counting()
        self.engine = replace(make_engine(CAST), detector=self.detector)
        self.worker = Worker(self.engine)

    def task(self, seed: int = 0) -> PhotoTask:
        photo = write_photo(self.home / f"{seed}.png", *PORTRAIT, seed)
        job = Job(photo, self.home / "out", "balanced", "keep")
        return PhotoTask(job, load_policy("keep"), sha256(photo.read_bytes()))

    def order(self, task: PhotoTask) -> CloakRequest:
        detections = self.worker.detect(task)
        target = next(iter(self.engine.library.targets.values()))
        return CloakRequest(task, detections, (target,), ({},), self.engine.library.means)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(process_photo, "load_mode", lambda name: replace(load_mode(name), steps=4))
    return Bench(tmp_path)


def test_it_looks_once_and_once_more_at_what_is_written(bench: Bench) -> None:
    bench.worker.cloak(bench.order(bench.task()))
    assert bench.detector.calls == 2


def test_another_worker_looks_again_and_gives_the_same(bench: Bench) -> None:
    order = bench.order(bench.task())
    here, elsewhere = bench.worker.cloak(order), Bench(bench.home)
    there = elsewhere.worker.cloak(order)
    assert elsewhere.detector.calls == 2
    assert (here.encoded, here.evidence) == (there.encoded, there.evidence)


def test_it_remembers_no_more_than_it_must(bench: Bench) -> None:
    orders = [bench.order(bench.task(seed)) for seed in range(REMEMBERED + 1)]
    bench.detector.calls = 0
    bench.worker.cloak(orders[-1])
    assert bench.detector.calls == 1
    bench.worker.cloak(orders[0])
    assert bench.detector.calls == 3, "forgotten, so looked at again"


def test_a_photo_that_has_changed_is_not_the_one_that_was_meant(bench: Bench) -> None:
    task = bench.task()
    write_photo(task.job.source, *PORTRAIT, seed=5)
    outcome = worker.detect(FakeRecipe(), task)
    assert isinstance(outcome, Outcome) and "changed while it was read" in str(outcome.reason)


def test_seeds_depend_on_nothing_but_their_parts() -> None:
    assert seed_of("a", "b") == seed_of("a", "b") != seed_of("ab")
