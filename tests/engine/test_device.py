"""The steps on one device against those in NumPy, here both on the processor: they are the same."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from photocloak.engine import runtime
from photocloak.engine.autodiff import Graph
from photocloak.engine.binding import run_on
from photocloak.engine.cloaker import Cloak, Cloaker
from photocloak.engine.detection.alignment import ARCFACE, SIZE, FaceSpace, Image
from photocloak.engine.detection.faces import Face
from photocloak.engine.detection.landmarks import average_landmarks, average_points
from photocloak.engine.device import card as card_module
from photocloak.engine.device import edits, faces, views
from photocloak.engine.device.card import Card
from photocloak.engine.device.value import Value, declared, empty_graph, slopes
from photocloak.engine.edits.retouch import Retouch
from photocloak.engine.extractors import FakeExtractor, load_extractor
from photocloak.engine.extractors.onnx_extractor import OnnxExtractor
from photocloak.engine.geometry import Array
from photocloak.engine.modes import load_mode
from photocloak.engine.optimisation.augment import degrade, plain, realign
from photocloak.engine.optimisation.methods import Retouching
from photocloak.engine.optimisation.surrogates import Drawn
from photocloak.engine.recognition.ensemble import Ensemble, cosine
from photocloak.engine.runtime import Device, open_session
from photocloak.engine.subject import Subject
from photocloak.engine.targets.library import Target
from tests.engine.users_model import user_spec

SCALES = (1.4, 0.35, 0.8)
"""Of the faces in the scene: the first is finer than the face space, the second coarser."""


def scene(seed: int) -> tuple[Image, list[Face]]:
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(40, 215, (12, 36, 3))
    image = np.kron(coarse, np.ones((25, 25, 1))) + rng.normal(0, 8, (300, 900, 3))
    found = []
    for number, scale in enumerate(SCALES):
        points = (ARCFACE - 56) * scale + [150 + 300 * number, 150]
        found.append(Face((0, 0, 1, 1), points.astype(np.float32), 0.9))
    return np.clip(image, 0, 255).astype(np.uint8), found


@pytest.fixture(scope="module")
def ensemble(tmp_path_factory: pytest.TempPathFactory) -> Ensemble:
    specs = {}
    for name, nodes in (("one", "plain"), ("two", "channels last")):
        specs[name] = replace(user_spec(tmp_path_factory.mktemp(name), nodes), name=name)
    return Ensemble({name: load_extractor(spec, threads=1) for name, spec in specs.items()})


@pytest.fixture(scope="module")
def card(ensemble: Ensemble) -> Card:
    found = {n: e for n, e in ensemble.extractors.items() if isinstance(e, OnnxExtractor)}
    assert len(found) == len(ensemble.extractors)
    return Card(found, "cpu")


def subjects_of(ensemble: Ensemble, image: Image, found: list[Face], steps: int) -> list[Subject]:
    mode = replace(load_mode("balanced"), steps=steps)
    chosen = []
    for face, own in zip(found, ensemble.embed(image, found), strict=True):
        members = {name: -features[None] + 0.1 for name, features in own.items()}
        target = Target("t", members, {name: rows[0] for name, rows in members.items()})
        chosen.append(Subject(face, target, own, mode))
    return chosen


def means(ensemble: Ensemble) -> dict[str, Array]:
    sizes = {name: one.spec.embedding for name, one in ensemble.extractors.items()}
    return {name: np.zeros(size, np.float32) for name, size in sizes.items()}


def searches_of(ensemble: Ensemble, seed: int, steps: int) -> list[Retouching]:
    image, found = scene(seed)
    begun = []
    for number, subject in enumerate(subjects_of(ensemble, image, found, steps)):
        space = FaceSpace.of(subject.face)
        retouch = Retouch.of(image, space, average_points(), subject.mode)
        rng = np.random.default_rng([seed, number])
        begun.append(Retouching(ensemble, means(ensemble), retouch, subject, rng))
    return begun


def run(outputs: Mapping[str, Value], feeds: Mapping[str, Array]) -> dict[str, Array]:
    graph: Graph = next(iter(outputs.values())).graph
    for name, value in outputs.items():
        value.called(name)
    session = open_session(graph.to_model([*outputs]), threads=1, device="cpu")
    named = {one.name: feeds[one.name] for one in session.get_inputs()}
    return dict(zip(outputs, session.run([*outputs], named), strict=True))


def agree(one: Array, other: Array, share: float) -> None:
    """Hold that two arrays are equal but for a share of the largest value."""
    assert one.shape == other.shape
    assert np.abs(one - other).max() <= share * max(np.abs(other).max(), 1e-6)


def drawn_wildly(search: Retouching, rng: np.random.Generator) -> dict[str, Array]:
    """Return random parameters of which many are beyond their bounds."""
    limits = {"warp": 3.0, "contrast": 0.4, "light": 0.2, "delta": 30.0}
    return {
        name: rng.uniform(-limit, limit, search.parameters[name].shape).astype(np.float32)
        for name, limit in limits.items()
    }


@pytest.mark.parametrize("seed", [0, 1])
def test_planes_gradients_and_bounds_are_numpy_s(ensemble: Ensemble, seed: int) -> None:
    begun, rng = searches_of(ensemble, seed, 1), np.random.default_rng(seed)
    pull = rng.normal(size=(len(begun), 3, SIZE, SIZE)).astype(np.float32)
    for one in begun:
        one.parameters = drawn_wildly(one, rng)
    wild = {f"wild/{name}": value for name, value in faces.parameters(begun).items()}
    for one in begun:
        one.parameters = one.retouch.bounded(one.parameters)[0]
    feeds = {**faces.fixed(begun), **faces.parameters(begun), **wild, "pull": pull}

    graph = empty_graph()
    known = {name: declared(graph, name, shape) for name, shape in faces.SHAPES.items()}
    worn = {name: declared(graph, name, shape) for name, shape in faces.PARAMETERS.items()}
    below = edits.beneath(known, worn["warp"], worn["contrast"], worn["light"])
    planes = edits.with_delta(known, worn["delta"], below)
    found = slopes(planes, declared(graph, "pull", (3, SIZE, SIZE)), list(worn.values()))
    beyond = {name: declared(graph, f"wild/{name}", faces.PARAMETERS[name]) for name in worn}
    outputs = {"out/planes": planes}
    outputs |= {f"slope/{name}": value for name, value in zip(worn, found, strict=True)}
    outputs |= {f"held/{name}": value for name, value in edits.bounded(known, beyond).items()}
    there = run(outputs, feeds)

    def of_face(kind: str, number: int) -> dict[str, Array]:
        rows = {name: there[f"{kind}/{name}"][number] for name in worn}
        return faces.own(begun[number], rows)

    for number, one in enumerate(begun):
        expected, seen = one.retouch.apply(one.parameters, one.retouch.beneath(one.parameters))
        agree(there["out/planes"][number], expected, 1e-5)
        slope, held = of_face("slope", number), of_face("held", number)
        for name, gradient in one.retouch.pullback(seen, pull[number]).items():
            agree(slope[name], gradient, 2e-4)
            agree(held[name], one.parameters[name], 2e-4)
        grid = one.retouch.space.grid
        filling = there["slope/delta"][number, 0].copy()
        filling[:grid, :grid] = 0
        assert not filling.any()


def test_maps_made_of_numbers_are_those_made_of_views() -> None:
    rng = np.random.default_rng(0)
    specs = [FakeExtractor("one", size=112).spec, FakeExtractor("two", size=60).spec]
    drawn = [
        Drawn(degrade(rng), {spec.name: realign(rng, spec) for spec in specs}) for _ in range(24)
    ]
    drawn.append(Drawn(drawn[0].view, {spec.name: plain(spec) for spec in specs}))
    planes = rng.uniform(0, 255, (len(drawn), 3, SIZE, SIZE)).astype(np.float32)
    gradients = {
        spec.name: rng.normal(size=(len(drawn), 3, spec.size, spec.size)).astype(np.float32)
        for spec in specs
    }
    graph = empty_graph()
    made = views.Views(declared(graph, "drawn", (views.width(len(specs)),)), specs)
    outputs = {
        f"chips/{spec.name}": chips
        for spec, chips in zip(specs, made(declared(graph, "planes", (3, SIZE, SIZE))), strict=True)
    }
    pulls = [declared(graph, spec.name, (3, spec.size, spec.size)) for spec in specs]
    outputs["pulled"] = made.pullback(pulls)
    numbers = np.stack([views.numbers(one, [*gradients]) for one in drawn])
    found = run(outputs, {"drawn": numbers, "planes": planes, **gradients})
    for number, one in enumerate(drawn):
        view, pulled = one.view.map(), np.zeros((3, SIZE, SIZE), np.float32)
        for spec in specs:
            transform = one.cuts[spec.name].map().after(view)
            agree(found[f"chips/{spec.name}"][number], transform(planes[number]), 1e-4)
            pulled += transform.pullback(gradients[spec.name][number])
        agree(found["pulled"][number], pulled, 5e-4)


@pytest.mark.parametrize(("steps", "share"), [(1, 1e-3), (4, 1e-2)])
def test_steps_taken_together_are_those_that_each_face_takes(
    ensemble: Ensemble, card: Card, steps: int, share: float
) -> None:
    alone, together = (searches_of(ensemble, 5, steps) for _ in range(2))
    for one in alone:
        while one.left:
            one.descend()
    counted: list[None] = []
    card.descend(together, lambda: counted.append(None))
    assert len(counted) == steps * len(SCALES)
    for one, other in zip(alone, together, strict=True):
        assert other.left == 0
        for name, value in one.parameters.items():
            agree(other.parameters[name], value, share)
        before, after = one.found().amounts, other.found().amounts
        assert after == pytest.approx(before, rel=share)


def cloaked(
    ensemble: Ensemble, card: Card | None, on_step: Callable[[int, int], None] | None = None
) -> tuple[Image, Cloak, list[Subject]]:
    image, found = scene(3)
    subjects = subjects_of(ensemble, image, found, 4)
    subjects[1] = replace(subjects[1], mode=replace(subjects[1].mode, steps=2))
    cloaker = Cloaker(ensemble, means(ensemble), average_landmarks, card)
    return image, cloaker(image, subjects, seed=2, on_step=on_step), subjects


def test_a_cloak_is_as_good_and_within_the_same_bounds(ensemble: Ensemble, card: Card) -> None:
    steps: list[tuple[int, int]] = []
    image, plainly, subjects = cloaked(ensemble, None)
    _, by_card, _ = cloaked(ensemble, card, lambda *now: steps.append(now))
    assert steps == [(number, 10) for number in range(1, 11)]
    seen = [ensemble.embed(one.pixels, [s.face for s in subjects]) for one in (plainly, by_card)]
    for number, subject in enumerate(subjects):
        for name, own in subject.own.items():
            similarity = [cosine(one[number][name], own) for one in seen]
            assert similarity[1] == pytest.approx(similarity[0], abs=0.02)
        space = FaceSpace.of(subject.face)
        retouch = Retouch.of(image, space, average_points(), subject.mode)
        amounts = by_card.worn[number].amounts
        assert amounts == pytest.approx(plainly.worn[number].amounts, rel=0.02)
        assert amounts["delta"] <= retouch.delta.bound
        assert amounts["warp"] <= retouch.warp.bound * (1 + 1e-5)
        assert amounts["contrast"] <= retouch.contrast.bound * (1 + 1e-5)
        assert amounts["light"] <= retouch.light.bound * (1 + 1e-5)


def test_nothing_is_copied_between_the_first_step_and_the_last(
    ensemble: Ensemble, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    for name in ("put", "run_on"):
        original = getattr(card_module, name)

        def noted(*given: Any, name: str = name, original: Any = original) -> Any:
            calls.append(name)
            return original(*given)

        monkeypatch.setattr(card_module, name, noted)
    card.descend(searches_of(ensemble, 1, 2), lambda: None)
    first = calls.index("run_on")
    assert "put" in calls[:first] and set(calls[first:]) == {"run_on"}
    assert len(calls[first:]) == 2 * 2, "two of our graphs a step"


def test_a_device_too_small_for_all_does_them_by_halves(
    ensemble: Ensemble,
    card: Card,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    enough, small = (searches_of(ensemble, 2, 1) for _ in range(2))
    card.descend(enough, lambda: None)

    def cramped(session: Any, values: Any, *rest: Any) -> Any:
        if values["planes"].shape()[0] > room:
            raise MemoryError("Failed to allocate memory for requested buffer")
        return run_on(session, values, *rest)

    room = 1
    counted: list[None] = []
    monkeypatch.setattr(card_module, "run_on", cramped)
    card.descend(small, lambda: counted.append(None))
    assert len(counted) == len(SCALES)
    for one, other in zip(enough, small, strict=True):
        for name, value in one.parameters.items():
            agree(other.parameters[name], value, 1e-3)
    room = 0
    with caplog.at_level("WARNING"):
        _, unable, _ = cloaked(ensemble, card)
    assert "Failed to allocate" in caplog.text
    assert all(one.amounts["warp"] > 0.1 for one in unable.worn), "each face took its own steps"


def test_what_a_listener_raises_ends_it(ensemble: Ensemble, card: Card) -> None:
    def enough(done: int, _total: int) -> None:
        if done == 4:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        cloaked(ensemble, card, enough)


def test_a_card_is_used_where_all_recognisers_run_on_one(
    ensemble: Ensemble, monkeypatch: pytest.MonkeyPatch
) -> None:
    fakes = Ensemble({"fake": FakeExtractor(), **ensemble.extractors})
    cases: list[tuple[bool, bool, Device, bool]] = [
        (True, True, "auto", True),
        (True, True, "cuda", True),
        (True, False, "auto", False),
        (False, True, "cuda", False),
    ]
    for listed, starts, device, expected in cases:
        monkeypatch.setattr(card_module, "has_cuda", lambda _device, listed=listed: listed)
        monkeypatch.setattr(card_module, "starts_cuda", lambda starts=starts: starts)
        assert (Card.of(ensemble, device) is not None) == expected
        assert Card.of(fakes, device) is None


def test_on_a_card_the_edits_are_computed_in_whole_float32(
    ensemble: Ensemble, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def session(*_given: Any, providers: list[Any], **_named: Any) -> Any:
        asked.append(providers[0])
        raise TimeoutError

    monkeypatch.setattr(runtime, "has_cuda", lambda device: device == "cuda")
    monkeypatch.setattr(runtime.require_onnxruntime(), "InferenceSession", session)
    extractors = {n: e for n, e in ensemble.extractors.items() if isinstance(e, OnnxExtractor)}
    with pytest.raises(TimeoutError):
        Card(extractors, "cuda")._turn(("one",))
    assert asked[0] == ("CUDAExecutionProvider", {"use_tf32": "0"})
