"""PyTorch's operators on a device that is not ours: nothing of it is read while a graph runs.

PyTorch's "meta" device stands in for a card: its tensors have shapes and no values, so that
whatever reads one, or mixes one with a tensor of ours, fails.
"""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto
from onnx.reference import ReferenceEvaluator

from photocloak.engine.autodiff import Graph
from tests.engine.autodiff.test_autodiff_rules import CASES, IMAGE, Case, build, ints

pytestmark = pytest.mark.torch

MORE = {
    "Slice with steps": Case(
        "y = Slice(x, a, b, i, s)", IMAGE,
        {"a": ints(-1, 0, 5), "b": ints(-9, 4, 0), "i": ints(2, 1, -1), "s": ints(-2, 3, -1)},
    ),
    "Slice of nothing": Case(
        "y = Slice(x, a, b, i)", IMAGE, {"a": ints(3), "b": ints(3), "i": ints(2)}
    ),
    "a shape that is computed": Case(
        "s = Shape(x) b = Gather(s, i) c = Concat<axis=0>(b, m) y = Reshape(x, c)", IMAGE,
        {"i": ints(0), "m": ints(-1)},
    ),
    "a number that is computed": Case(
        "s = Shape(x) f = Cast<to=1>(s) n = Mul(f, k) c = Unsqueeze(n, i) t = Slice(c, o, e, o) "
        "y = Mul(x, t)", IMAGE,
        {"k": np.ones(4), "i": ints(1), "o": ints(0), "e": ints(1)},
    ),
    "Pad with a number": Case(
        "y = Pad(x, p, v)", IMAGE, {"p": ints(0, 0, 1, 1, 0, 0, 0, 2), "v": np.float64(0.5)}
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", [*CASES, *MORE])
def test_a_graph_runs_without_reading_from_its_device(name: str) -> None:
    import torch

    from photocloak.engine.extractors.torch_operators import evaluate, place

    case = {**CASES, **MORE}[name]
    graph = Graph(build(case, TensorProto.FLOAT))
    constants = {key: torch.from_numpy(one.copy()) for key, one in graph.constants.items()}
    x = np.random.default_rng(0).uniform(case.low, case.high, case.shape).astype(np.float32)
    if name in MORE:
        here = evaluate(graph.nodes, {**constants, "x": torch.from_numpy(x)})["y"]
        expected = ReferenceEvaluator(build(case, TensorProto.FLOAT)).run(None, {"x": x})[0]
        assert np.allclose(here.numpy(), expected)
    away = torch.zeros(case.shape, device="meta").requires_grad_()
    there = evaluate(graph.nodes, {**place(graph.nodes, constants, "meta"), "x": away})["y"]
    assert there.device.type == "meta"
    there.sum().backward()
    assert away.grad is not None and away.grad.shape == case.shape
