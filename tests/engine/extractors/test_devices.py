"""Recognisers on the runtimes and devices that are there, or are not."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from photocloak.core import ModelError
from photocloak.engine import runtime
from photocloak.engine.extractors import load_extractor
from photocloak.engine.runtime import TINY, Device, require_onnxruntime
from tests.engine.users_model import (
    FEATURES,
    SIZE,
    random_objective,
    smooth_chips,
    user_spec,
)


def test_onnxruntime_missing_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ModelError, match=r"not installed: `.* -m pip install .onnxruntime>="):
        load_extractor(user_spec(tmp_path, "plain"))


def test_both_variants_of_onnxruntime_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "installed_version", lambda name: "1.30")
    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)  # as in a new process
    with pytest.raises(
        ModelError, match=r"both installed .*pip uninstall -y .*pip install .onnxruntime>="
    ):
        load_extractor(user_spec(tmp_path, "plain"))


def test_cuda_that_is_not_there_warns_and_runs_on_the_cpu(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    if "CUDAExecutionProvider" in require_onnxruntime().get_available_providers():
        pytest.skip("CUDA is there")
    runtime._warn_without_cuda.cache_clear()
    chips = smooth_chips(np.random.default_rng(0), 2, SIZE)
    spec = user_spec(tmp_path, "plain")
    with caplog.at_level(logging.WARNING):
        there = load_extractor(spec, device="cuda").embed(chips)
    assert "onnxruntime-gpu" in caplog.text
    caplog.clear()
    assert (load_extractor(spec, device="auto").embed(chips) == there).all()
    assert not caplog.text


def list_cuda(monkeypatch: pytest.MonkeyPatch, *, fails: bool) -> None:
    """Have ONNX Runtime list CUDA, which then `fails` to start, or is passed over without a word.

    Both happen with onnxruntime-gpu: with a driver that is too old, and without CUDA's libraries.
    """
    onnxruntime = require_onnxruntime()
    state, session = onnxruntime.capi._pybind_state, onnxruntime.InferenceSession
    listed = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: listed)
    monkeypatch.setattr(state, "get_available_providers", lambda: listed)
    create = session._create_inference_session

    def created(self: object, providers: list[str], *rest: object) -> None:
        if fails and "CUDAExecutionProvider" in providers:
            raise RuntimeError("CUDA failure 35: the driver is too old")
        create(self, providers, *rest)

    monkeypatch.setattr(session, "_create_inference_session", created)
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
    if "CUDAExecutionProvider" in require_onnxruntime().get_available_providers():
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
    assert all("pip install 'onnxruntime-gpu>=" in one and "driver" in one for one in said)
    assert capfd.readouterr() == ("", ""), "stdout is data"


def test_a_model_that_is_at_fault_is_not_taken_for_cuda(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    list_cuda(monkeypatch, fails=False)
    with pytest.raises(ModelError, match=r"cannot run the model .*mine\.onnx of mine: .*Nonsense"):
        load_extractor(user_spec(tmp_path, "with Nonsense"), device="auto")


def test_the_tiny_model_is_what_onnx_makes() -> None:
    from onnx import TensorProto, helper

    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "tiny", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], ir_version=8)
    assert model.SerializeToString() == TINY


def test_memory_is_given_back_without_the_onnx_package() -> None:
    program = (
        "import sys; from photocloak.engine.runtime import release_memory; "
        "release_memory(); sys.exit('onnx' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
