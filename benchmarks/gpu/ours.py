"""A recogniser's step on ONNX Runtime with everything on the device: nothing is copied per step."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from photocloak.engine.autodiff import GRADIENT, PREFIX, step_graph
from photocloak.engine.extractors import ExtractorSpec, Objective
from photocloak.engine.extractors.forward import CHIPS, EMBEDDING, forward_model
from photocloak.engine.extractors.weights import read_model
from photocloak.engine.runtime import Device, require_onnxruntime, session_from_file

_NAME = "step"


def inputs(spec: ExtractorSpec, batch: int) -> tuple[np.ndarray, Objective]:
    """Return made-up chips (N, 3, S, S) and an objective for each."""
    rng = np.random.default_rng(0)
    chips = rng.uniform(0, 255, (batch, 3, spec.size, spec.size)).astype(np.float32)
    directions = rng.standard_normal((4, batch, spec.embedding)).astype(np.float32)
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    centre, target, toward, own = directions
    weights = np.tile(np.array([0, 1, 6], np.float32), (batch, 1))
    return chips, Objective(centre[0], target, toward, own, weights, margin=-0.4)


def step_model(spec: ExtractorSpec, folder: Path) -> Path:
    """Write the step's graph, forward and backward, and return its file."""
    graph = step_graph(forward_model(read_model(spec.model, spec.sha256), spec), CHIPS, EMBEDDING)
    path = folder / f"{spec.name}.onnx"
    path.write_bytes(graph.step().SerializeToString())
    return path


def bound_step(session: Any, spec: ExtractorSpec, batch: int, device: str) -> Callable[[], object]:
    """Return a run of the step whose inputs lie on the device, and whose gradient stays there."""
    chips, objective = inputs(spec, batch)
    feeds = {CHIPS: chips} | {PREFIX + name: one for name, one in objective.feeds().items()}
    binding, values = session.io_binding(), require_onnxruntime().OrtValue
    for one in session.get_inputs():
        value = values.ortvalue_from_numpy(feeds[one.name], device, 0)
        binding.bind_ortvalue_input(one.name, value)
    binding.bind_output(GRADIENT, device, 0)

    def run() -> object:
        binding.synchronize_inputs()
        session.run_with_iobinding(binding)
        binding.synchronize_outputs()
        return binding

    return run


def placement(path: Path, spec: ExtractorSpec, device: Device, folder: Path) -> Counter[str]:
    """Return how many of the step's nodes run on which provider, and the copies between them."""
    session = session_from_file(path, threads=1, device=device, profile=folder / _NAME)
    where = "cuda" if "CUDAExecutionProvider" in session.get_providers() else "cpu"
    bound_step(session, spec, 1, where)()
    return ran_on([session])


def ran_on(sessions: Iterable[Any]) -> Counter[str]:
    """End the profiles of sessions; return runs of nodes by provider, and copies between these."""
    found: Counter[str] = Counter(copies=0)
    for session in sessions:
        events = json.loads(Path(session.end_profiling()).read_text("utf-8"))
        nodes = [one for one in events if one["name"].endswith("_kernel_time")]
        found.update(one["args"].get("provider", "unknown") for one in nodes)
        found["copies"] += sum(one["args"]["op_name"].startswith("Memcpy") for one in nodes)
    return found
