"""A worker looks once, remembers little, and gives what any other worker gives."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from photocloak.engine.detection.alignment import Image
from photocloak.engine.detection.faces import Face
from photocloak.engine.device.card import Card
from photocloak.engine.extractors import FakeExtractor
from photocloak.engine.modes import load_mode
from photocloak.engine.optimisation.methods import Retouching
from photocloak.engine.recognition.ensemble import Ensemble
from photocloak.exporters import load_policy
from photocloak.plugin import Folders, Job, Outcome, Settings, assembly
from photocloak.plugin.pipeline import process_photo, worker
from photocloak.plugin.pipeline.messages import CloakRequest, FaceOrder, PhotoTask
from photocloak.plugin.pipeline.process_photo import seed_of, sha256
from photocloak.plugin.pipeline.worker import Worker
from tests.plugin.fakes import CAST, PORTRAIT, FakeDetector, FakeRecipe, make_engine, write_photo


def nobody(done: int, total: int) -> None:
    """Hears nothing."""


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
        faces = (FaceOrder(target, {}, "balanced"),)
        return CloakRequest(task, detections, faces, self.engine.library.means)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(process_photo, "load_mode", lambda name: replace(load_mode(name), steps=4))
    return Bench(tmp_path)


def test_it_looks_once_and_once_more_at_what_is_written(bench: Bench) -> None:
    bench.worker.cloak(bench.order(bench.task()), nobody)
    assert bench.detector.calls == 2


class Steps(Card):
    """Takes the steps that a card would, one face after the other."""

    def __init__(self) -> None:
        super().__init__({}, "cpu")
        self.taken = 0

    def descend(self, searches: Sequence[Retouching], stepped: Callable[[], None]) -> None:
        for search in searches:
            while search.left:
                search.descend()
                stepped()
                self.taken += 1


def test_a_card_takes_the_steps(bench: Bench) -> None:
    card, order = Steps(), bench.order(bench.task())
    without = bench.worker.cloak(order, nobody)
    by_card = Worker(replace(bench.engine, card=card)).cloak(order, nobody)
    assert card.taken == 4
    assert by_card.encoded == without.encoded


def test_the_card_is_the_one_of_the_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folders, card = Folders(tmp_path, tmp_path), Steps()
    fakes = Ensemble({name: FakeExtractor(name) for name in assembly.specs(folders)})
    monkeypatch.setattr(assembly, "load_ensemble", lambda *_: fakes)
    monkeypatch.setattr(
        Card, "of", lambda ensemble, device: card if (ensemble, device) == (fakes, "cuda") else None
    )
    assert assembly.load_engine(Settings(device="cuda"), folders).card is card
    assert assembly.load_engine(Settings(), folders).card is None


def test_another_worker_does_not_look_again_and_gives_the_same(bench: Bench) -> None:
    order = bench.order(bench.task())
    here, elsewhere = bench.worker.cloak(order, nobody), Bench(bench.home)
    there = elsewhere.worker.cloak(order, nobody)
    assert elsewhere.detector.calls == 1, "what is written, no more"
    assert (here.encoded, here.evidence) == (there.encoded, there.evidence)


def test_a_photo_alone_is_read_once_and_of_many_no_pixels_are_kept(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    open_photo = process_photo.open_photo

    def counted(task: PhotoTask) -> process_photo.Opened:
        read.append(task.job.source.name)
        return open_photo(task)

    monkeypatch.setattr(process_photo, "open_photo", counted)
    bench.worker.cloak(bench.order(bench.task(0)), nobody)
    assert read == ["0.png"]
    orders = [bench.order(bench.task(seed)) for seed in (1, 2, 3)]
    assert bench.worker._held is not None and bench.worker._held[0].job.source.name == "3.png"
    for order in orders:
        bench.worker.cloak(order, nobody)
        assert bench.worker._held is None
    assert read[1:] == ["1.png", "2.png", "3.png"] * 2


def test_steps_go_up_and_leave_room_for_a_second_try(bench: Bench) -> None:
    steps: list[tuple[int, int]] = []
    bench.worker.cloak(bench.order(bench.task()), lambda *step: steps.append(step))
    assert [done for done, _ in steps] == sorted({done for done, _ in steps})
    assert {total for _, total in steps} == {6}, "four, and half of the next mode's"


def test_a_photo_that_has_changed_is_not_the_one_that_was_meant(bench: Bench) -> None:
    task = bench.task()
    write_photo(task.job.source, *PORTRAIT, seed=5)
    outcome = worker.detect(FakeRecipe(), task, nobody)
    assert isinstance(outcome, Outcome) and "changed while it was read" in str(outcome.reason)


def test_seeds_depend_on_nothing_but_their_parts() -> None:
    assert seed_of("a", "b") == seed_of("a", "b") != seed_of("ab")
