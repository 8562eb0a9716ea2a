"""The same graphs under PyTorch's autograd on the same device, eager and compiled."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from benchmarks.gpu.ours import inputs
from photocloak.engine.autodiff.graph import Graph
from photocloak.engine.autodiff.prepare import simplified
from photocloak.engine.extractors import ExtractorSpec
from photocloak.engine.extractors.forward import CHIPS, EMBEDDING, forward_model
from photocloak.engine.extractors.torch_operators import evaluate, place
from photocloak.engine.extractors.weights import read_model


def torch_step(
    spec: ExtractorSpec, batch: int, device: str, *, compiled: bool
) -> Callable[[], object]:
    """Return a step: features, and the gradient of the chips for one of the features.

    The objective is left out, which favours PyTorch by a handful of small operations.
    """
    graph = Graph(simplified(forward_model(read_model(spec.model, spec.sha256), spec)))
    values = {name: torch.from_numpy(np.array(one)) for name, one in graph.constants.items()}
    constants = place(graph.nodes, values, device)
    chips, objective = inputs(spec, batch)
    variable = torch.from_numpy(chips).to(device).requires_grad_()
    pull = torch.from_numpy(objective.own).to(device)

    def features(given: Any) -> Any:
        return evaluate(graph.nodes, {**constants, CHIPS: given})[EMBEDDING]

    run_features = torch.compile(features) if compiled else features

    def run() -> object:
        variable.grad = None
        run_features(variable).backward(pull)
        if device == "cuda":
            torch.cuda.synchronize()
        return variable.grad

    return run


def peak(device: str, edge: int = 4096) -> tuple[Callable[[], object], float]:
    """Return a product of two square matrices in float32, and its 10⁹ operations."""
    left, right = torch.randn(2, edge, edge, device=device)

    def run() -> object:
        product = left @ right
        if device == "cuda":
            torch.cuda.synchronize()
        return product

    return run, 2 * edge**3 / 1e9
