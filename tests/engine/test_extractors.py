"""Recognisers from manifests, shipped or a user's, on the runtimes that are there or are not."""

from __future__ import annotations

import hashlib
import logging
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper, parser
from onnx.reference import ReferenceEvaluator

from photocloak.core import ModelError
from photocloak.engine.extractors import (
    Extractor,
    ExtractorSpec,
    FakeExtractor,
    Objective,
    load_extractor,
    load_specs,
    read_spec,
    runtime,
)
from photocloak.engine.extractors.runtime import Device

Array = npt.NDArray[np.float32]

SIZE, FEATURES = 8, 5
NODES = {
    "plain": """n = Sub(data, mean)
        c = Conv<pads=[1,1,1,1], strides=[2,2]>(n, w)
        r = Relu(c)
        f = Reshape(r, shape)
        y = Gemm<transB=1>(f, g)""",
    "with Elu": """c = Conv<pads=[1,1,1,1], strides=[2,2]>(data, w)
        r = Elu(c)
        f = Reshape(r, shape)
        y = Gemm<transB=1>(f, g)""",
    "with Bernoulli": "c = Bernoulli(data) r = Conv<strides=[2,2], pads=[1,1,1,1]>(c, w)\n"
    "f = Reshape(r, shape) y = Gemm<transB=1>(f, g)",
    "with Nonsense": "y = Nonsense(data)",
    "channels last": """t = Transpose<perm=[0,3,1,2]>(data)
        c = Conv<pads=[1,1,1,1], strides=[2,2]>(t, w)
        r = Relu(c)
        f = Reshape(r, shape)
        y = Gemm<transB=1>(f, g)""",
}
MANIFEST = """
name = "mine"
title = "A user's own"
model = "mine.onnx"
sha256 = "{sha256}"
size = {size}
template = [[2, 3], [5, 3], [4, 4], [3, 6], [5, 6]]
embedding = {features}
threshold = 0.4
licence = "MIT"
origin = "a test"
order = "bgr"
mean = [10, 20, 30]
scale = 0.0078125
"""


def user_spec(folder: Path, nodes: str, *, opset: int = 15, extra: str = "") -> ExtractorSpec:
    """Write a model as exporters do, with a batch fixed at 1, and its manifest."""
    rng = np.random.default_rng(3)
    dims = [1, SIZE, SIZE, 3] if nodes == "channels last" else [1, 3, SIZE, SIZE]
    floats = {
        "mean": rng.normal(size=(1, 3, 1, 1)),
        "w": rng.normal(size=(4, 3, 3, 3)),
        "g": rng.normal(size=(FEATURES, 64)) / 4,
    }
    lines = NODES[nodes].replace(") ", ")\n").splitlines()
    graph = helper.make_graph(
        [parser.parse_node(line) for line in lines],
        "mine",
        [helper.make_tensor_value_info("data", TensorProto.FLOAT, dims)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, FEATURES])],
        [
            *(numpy_helper.from_array(v.astype(np.float32), k) for k, v in floats.items()),
            numpy_helper.from_array(np.array([1, -1]), "shape"),
        ],
    )
    versions = [helper.make_opsetid("", opset)]
    model = helper.make_model(graph, opset_imports=versions, ir_version=8)
    data = model.SerializeToString()
    (folder / "mine.onnx").write_bytes(data)
    manifest = folder / "mine.toml"
    sha256 = hashlib.sha256(data).hexdigest()
    text = MANIFEST.format(sha256=sha256, size=SIZE, features=FEATURES) + extra
    manifest.write_text(text, encoding="utf-8")
    return read_spec(manifest)


def random_objective(rng: np.random.Generator, count: int, features: int) -> Objective:
    def directions() -> Array:
        drawn = rng.normal(size=(count, features))
        unit: Array = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
        return unit

    return Objective(
        centre=(rng.normal(size=features) / 10).astype(np.float32),
        target=rng.normal(size=(count, features)).astype(np.float32),
        toward=directions(),
        own=directions(),
        weights=rng.uniform(0.2, 2, size=(count, 3)).astype(np.float32),
        margin=-1.0,
    )


def smooth_chips(rng: np.random.Generator, count: int, size: int) -> Array:
    """Return chips that look more like photos than like noise."""
    coarse = rng.uniform(30, 220, size=(count, 3, 8, 8))
    fine = np.repeat(np.repeat(coarse, -(-size // 8), axis=2), -(-size // 8), axis=3)
    chips = fine[:, :, :size, :size] + rng.normal(size=(count, 3, size, size)) * 8
    return np.clip(chips, 0, 255).astype(np.float32)


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
    assert "pip install 'photocloak[torch]'" in message
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


def test_onnxruntime_missing_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ModelError, match=r"not installed: pip install 'photocloak\[cpu\]'"):
        load_extractor(user_spec(tmp_path, "plain"))


def test_both_variants_of_onnxruntime_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "version", lambda name: "1.30")
    with pytest.raises(ModelError, match=r"both installed .*photocloak\[cpu\]"):
        load_extractor(user_spec(tmp_path, "plain"))


def test_cuda_that_is_not_there_warns_and_runs_on_the_cpu(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("CUDA is there")
    runtime._warn_without_cuda.cache_clear()
    chips = smooth_chips(np.random.default_rng(0), 2, SIZE)
    spec = user_spec(tmp_path, "plain")
    with caplog.at_level(logging.WARNING):
        there = load_extractor(spec, device="cuda").embed(chips)
    assert "photocloak[gpu]" in caplog.text
    caplog.clear()
    assert (load_extractor(spec, device="auto").embed(chips) == there).all()
    assert not caplog.text


def list_cuda(monkeypatch: pytest.MonkeyPatch, *, fails: bool) -> None:
    """Have ONNX Runtime list CUDA, which then `fails` to start, or is passed over without a word.

    Both happen with onnxruntime-gpu: with a driver that is too old, and without CUDA's libraries.
    """
    import onnxruntime
    from onnxruntime.capi import _pybind_state as state
    from onnxruntime.capi.onnxruntime_inference_collection import InferenceSession

    listed = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: listed)
    monkeypatch.setattr(state, "get_available_providers", lambda: listed)
    create = InferenceSession._create_inference_session

    def created(self: object, providers: list[str], *rest: object) -> None:
        if fails and "CUDAExecutionProvider" in providers:
            raise RuntimeError("CUDA failure 35: the driver is too old")
        create(self, providers, *rest)

    monkeypatch.setattr(InferenceSession, "_create_inference_session", created)
    runtime._warn_without_cuda.cache_clear()


@pytest.mark.parametrize("fails", [True, False])
@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize(("device", "warnings"), [("cuda", 1), ("auto", 0)])
def test_cuda_that_is_listed_and_does_not_start_gives_the_cpus_results(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    *,
    fails: bool,
    kept: bool,
    device: Device,
    warnings: int,
) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("CUDA is there")
    rng, spec = np.random.default_rng(0), user_spec(tmp_path, "plain")
    chips, goal = smooth_chips(rng, 2, SIZE), random_objective(rng, 2, FEATURES)
    plain = load_extractor(spec, threads=1)
    list_cuda(monkeypatch, fails=fails)
    with caplog.at_level(logging.WARNING):
        other = load_extractor(
            spec, threads=1, device=device, cache=tmp_path / "kept" if kept else None
        )
        assert (other.embed(chips) == plain.embed(chips)).all()
        one, two = other.step(chips, goal), plain.step(chips, goal)
    assert (one.gradient == two.gradient).all()
    assert (one.losses == two.losses).all()
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == warnings, "once, for all models"
    assert all("pip install 'photocloak[gpu]'" in one and "driver" in one for one in said)
    assert capfd.readouterr() == ("", ""), "stdout is data"


def test_a_model_that_is_at_fault_is_not_taken_for_cuda(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    list_cuda(monkeypatch, fails=False)
    with pytest.raises(ModelError, match=r"cannot run the model .*mine\.onnx of mine: .*Nonsense"):
        load_extractor(user_spec(tmp_path, "with Nonsense"), device="auto")


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
