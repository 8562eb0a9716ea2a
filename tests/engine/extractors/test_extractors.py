"""Recognisers from manifests, shipped or a user's, on ONNX Runtime and on PyTorch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from photocloak.core import ModelError
from photocloak.engine.extractors import (
    Extractor,
    FakeExtractor,
    Objective,
    load_extractor,
    load_specs,
)
from tests.engine.users_model import (
    FEATURES,
    SIZE,
    random_objective,
    smooth_chips,
    user_spec,
)


def assert_step_is_a_gradient(extractor: Extractor, *, tolerance: float = 1e-3) -> None:
    """Compare a step with embed() and with central differences of the objective on it."""
    rng = np.random.default_rng(5)
    size, features = extractor.spec.size, extractor.spec.embedding
    chips = smooth_chips(rng, 3, size)
    goal = random_objective(rng, 3, features)
    step = extractor.step(chips, goal)
    assert step.embeddings == pytest.approx(extractor.embed(chips), rel=1e-4, abs=1e-4)
    assert step.losses == pytest.approx(goal.pull(step.embeddings)[0], rel=1e-5, abs=1e-5)
    assert step.gradient.shape == chips.shape
    assert {a.dtype for a in (step.losses, step.embeddings, step.gradient)} == {np.dtype("f4")}
    for _ in range(3):
        u = rng.normal(size=chips.shape).astype(np.float32)
        after, before = (goal.pull(extractor.embed(chips + h * u))[0] for h in (0.05, -0.05))
        pushed = (after.astype(np.float64) - before) / 0.1
        pulled = (step.gradient * u).sum((1, 2, 3))
        scale = np.sqrt((step.gradient**2).sum((1, 2, 3))) * np.sqrt((u**2).sum((1, 2, 3)))
        assert np.abs(pushed - pulled) == pytest.approx(0, abs=float(tolerance * scale.max()))


def test_the_fake_is_exact_and_the_same_everywhere() -> None:
    extractor = FakeExtractor(size=10, embedding=6, seed=4)
    assert_step_is_a_gradient(extractor, tolerance=1e-4)
    again, other = (FakeExtractor(size=10, embedding=6, seed=s) for s in (4, 5))
    chips = smooth_chips(np.random.default_rng(0), 1, 10)
    assert (again.embed(chips) == extractor.embed(chips)).all()
    assert np.abs(other.embed(chips) - extractor.embed(chips)).max() > 0.05


def test_chips_of_the_wrong_size_are_refused() -> None:
    with pytest.raises(ValueError, match=r"fake takes chips of shape \(N, \(3, 16, 16\)\)"):
        FakeExtractor().embed(np.zeros((1, 3, 8, 8), np.float32))


@pytest.mark.parametrize("nodes", ["plain", "channels last"])
@pytest.mark.parametrize("opset", [11, 15, 21])
def test_a_users_model_is_normalised_and_differentiated(
    tmp_path: Path, nodes: str, opset: int
) -> None:
    spec = user_spec(tmp_path, nodes, opset=opset)
    extractor = load_extractor(spec, threads=1)
    assert type(extractor).__name__ == "OnnxExtractor"
    assert_step_is_a_gradient(extractor)
    chips = smooth_chips(np.random.default_rng(0), 3, SIZE)
    data = (chips[:, ::-1] - np.array([10, 20, 30]).reshape(1, 3, 1, 1)) / 128
    data = data.transpose(0, 2, 3, 1) if nodes == "channels last" else data
    plain = ReferenceEvaluator(onnx.load(spec.model))
    expected = [plain.run(None, {"data": one[None].astype(np.float32)})[0][0] for one in data]
    assert extractor.embed(chips) == pytest.approx(np.array(expected), rel=1e-4, abs=1e-4)


@pytest.mark.torch
@pytest.mark.parametrize("nodes", ["plain", "with Elu", "channels last"])
def test_a_users_model_gives_the_same_on_pytorch(tmp_path: Path, nodes: str) -> None:
    from photocloak.engine.extractors.forward import forward_model
    from photocloak.engine.extractors.torch_extractor import TorchExtractor
    from photocloak.engine.extractors.weights import read_model

    spec = user_spec(tmp_path, nodes)
    chosen = load_extractor(spec, threads=1)
    assert isinstance(chosen, TorchExtractor) == (nodes == "with Elu")
    forward = forward_model(read_model(spec.model, spec.sha256), spec)
    slow = TorchExtractor(spec, forward, threads=1, device="auto")
    assert_step_is_a_gradient(slow)
    rng = np.random.default_rng(2)
    chips, goal = smooth_chips(rng, 2, SIZE), random_objective(rng, 2, FEATURES)
    one, other = chosen.step(chips, goal), slow.step(chips, goal)
    assert one.gradient == pytest.approx(other.gradient, rel=1e-4, abs=1e-6)
    assert one.embeddings == pytest.approx(other.embeddings, rel=1e-4, abs=1e-5)


def test_without_pytorch_one_sentence_names_operator_model_and_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    spec = user_spec(tmp_path, "with Elu")
    with pytest.raises(ModelError) as caught:
        load_extractor(spec)
    message = str(caught.value)
    assert "Elu" in message
    assert str(spec.model) in message
    assert "-m pip install 'torch>=2.4'" in message
    assert "\n" not in message


@pytest.mark.torch
def test_an_operator_that_pytorch_lacks_too_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"mine\.onnx .*cannot differentiate \(Bernoulli\)"):
        load_extractor(user_spec(tmp_path, "with Bernoulli"))


def test_a_model_that_onnxruntime_refuses_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"cannot run the model .*mine\.onnx of mine: .*Nonsense"):
        load_extractor(user_spec(tmp_path, "with Nonsense"))


@pytest.mark.parametrize("extra", ['input = "nothing"', 'output = "nothing"'])
def test_an_input_or_output_that_does_not_exist_is_named(tmp_path: Path, extra: str) -> None:
    with pytest.raises(ModelError, match=r"has no (in|out)put 'nothing' \(there are: (data|y)\)"):
        load_extractor(user_spec(tmp_path, "plain", extra=extra))


def test_an_inner_tensor_can_be_the_output(tmp_path: Path) -> None:
    spec = user_spec(tmp_path, "plain", extra='output = "f"')
    chips = smooth_chips(np.random.default_rng(0), 2, SIZE)
    with pytest.raises(ModelError, match="gives 64 features, its manifest says 5"):
        load_extractor(spec).embed(chips)


@pytest.mark.parametrize("name", load_specs())
def test_shipped_recognisers_do_not_care_about_the_batch(name: str) -> None:
    extractor = load_extractor(load_specs()[name], threads=1)
    rng = np.random.default_rng(1)
    chips = smooth_chips(rng, 8, extractor.spec.size)
    goal = random_objective(rng, 8, extractor.spec.embedding)
    together = extractor.step(chips, goal)
    alone = extractor.step(
        chips[5:6],
        Objective(
            goal.centre,
            goal.target[5:6],
            goal.toward[5:6],
            goal.own[5:6],
            goal.weights[5:6],
            goal.margin,
        ),
    )
    largest = np.abs(alone.gradient).max()
    assert together.embeddings[5:6] == pytest.approx(alone.embeddings, rel=1e-3, abs=1e-3)
    assert np.abs(together.gradient[5:6] - alone.gradient).max() < 2e-2 * largest


@pytest.mark.parametrize("name", load_specs())
def test_shipped_recognisers_step_down_their_gradient(name: str) -> None:
    extractor = load_extractor(load_specs()[name], threads=1)
    rng = np.random.default_rng(2)
    chips = smooth_chips(rng, 1, extractor.spec.size)
    goal = random_objective(rng, 1, extractor.spec.embedding)
    step = extractor.step(chips, goal)
    move = np.float32(0.02) * np.sign(step.gradient)
    lost = step.losses - goal.pull(extractor.embed(chips - move))[0]
    assert lost == pytest.approx(np.vdot(move, step.gradient), rel=0.15)


def test_importing_the_engine_imports_no_runtime() -> None:
    code = (
        "import sys, photocloak.engine.extractors\n"
        "print(*({'onnx', 'onnxruntime', 'torch'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not ran.stdout.strip()
