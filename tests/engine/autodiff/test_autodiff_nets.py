"""Random small recognisers: one step's gradient, losses and features against float64."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from photocloak.engine.autodiff import GRADIENT, LOSSES, PREFIX, step_graph
from photocloak.engine.extractors import Objective
from photocloak.engine.runtime import require_onnxruntime

SIZE, FEATURES = 12, 6


@dataclass
class Net:
    """A network under construction; its weights are float64 and rounded for ONNX Runtime."""

    rng: np.random.Generator
    nodes: list[Any] = field(default_factory=list)
    weights: dict[str, np.ndarray] = field(default_factory=dict)
    last: str = "x"
    shape: tuple[int, int, int] = (3, SIZE, SIZE)

    def weight(self, *shape: int, scale: float = 1.0) -> str:
        name = f"w{len(self.weights)}"
        value = self.rng.normal(size=shape) * scale
        self.weights[name] = value.astype(np.float32).astype(np.float64)
        return name

    def append(self, op: str, *inputs: str, **attributes: Any) -> None:
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, [self.last, *inputs], [name], **attributes))
        self.last = name

    def model(self, kind: int) -> onnx.ModelProto:
        dtype = helper.tensor_dtype_to_np_dtype(kind)
        weights = [numpy_helper.from_array(v.astype(dtype), k) for k, v in self.weights.items()]
        x = helper.make_tensor_value_info("x", kind, ["N", 3, SIZE, SIZE])
        y = helper.make_tensor_value_info(self.last, kind, ["N", FEATURES])
        graph = helper.make_graph(self.nodes, "net", [x], [y], weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@st.composite
def nets(draw: st.DrawFn) -> Net:
    """Draw a stack of convolutions, activations, pools and residual sums, ending in a Gemm."""
    net = Net(np.random.default_rng(draw(st.integers(0, 2**32 - 1))))
    for _ in range(draw(st.integers(1, 5))):
        channels, height, width = net.shape
        kind = draw(st.sampled_from(["conv", "depthwise", "activation", "pool", "residual"]))
        if kind in ("conv", "depthwise") and min(height, width) >= 3:
            out = channels if kind == "depthwise" else draw(st.sampled_from([4, 16, 6]))
            groups = channels if kind == "depthwise" else 1
            stride, kernel = draw(st.integers(1, 2)), draw(st.integers(1, 3))
            pads = draw(st.lists(st.integers(0, kernel // 2), min_size=4, max_size=4))
            inner = channels // groups
            weight = net.weight(out, inner, kernel, kernel, scale=1 / np.sqrt(inner * kernel**2))
            net.append(
                "Conv", weight, net.weight(out, scale=0.3), group=groups, pads=pads,
                strides=[stride] * 2,
            )  # fmt: skip
            size = [
                (n + pads[i] + pads[i + 2] - kernel) // stride + 1
                for i, n in enumerate((height, width))
            ]
            net.shape = (out, size[0], size[1])
        elif kind == "pool" and min(height, width) >= 2:
            pool = draw(st.sampled_from(["MaxPool", "AveragePool"]))
            net.append(pool, kernel_shape=[2, 2], strides=[2, 2])
            net.shape = (channels, height // 2, width // 2)
        elif kind == "residual":
            skip = net.last
            net.append("Conv", net.weight(channels, channels, 1, 1, scale=1 / np.sqrt(channels)))
            net.append("Add", skip)
        else:
            activation = draw(st.sampled_from(["Relu", "PRelu", "Clip", "Sigmoid", "BatchNorm"]))
            if activation == "BatchNorm":
                statistics = [net.weight(channels) for _ in range(4)]
                net.weights[statistics[3]] = net.weights[statistics[3]] ** 2 + 0.5
                net.append("BatchNormalization", *statistics)
            elif activation == "Clip":
                net.weights |= {"zero": np.array(0.0), "top": np.array(1.5)}
                net.append("Clip", "zero", "top")
            elif activation == "PRelu":
                net.append("PRelu", net.weight(channels, 1, 1, scale=0.5))
            else:
                net.append(activation)
    net.append("Flatten")
    net.append("Gemm", net.weight(FEATURES, int(np.prod(net.shape)), scale=0.3), transB=1)
    return net


def objective(rng: np.random.Generator, count: int, *, margin: float = -1.0) -> Objective:
    """Return a random objective with all three terms at work, in float64 for the reference."""
    shapes: list[Any] = [FEATURES, *[(count, FEATURES)] * 3, (count, 3)]
    drawn: list[Any] = [rng.normal(size=shape) for shape in shapes]
    centre, target, toward, own, weights = drawn
    return Objective(
        centre=centre,
        target=target,
        toward=toward / np.linalg.norm(toward, axis=1, keepdims=True),
        own=own / np.linalg.norm(own, axis=1, keepdims=True),
        weights=0.2 + np.abs(weights),
        margin=margin,
    )


def run(model: onnx.ModelProto, chips: np.ndarray, objective: Objective) -> list[np.ndarray]:
    feeds = {f"{PREFIX}{name}": value for name, value in objective.feeds().items()}
    session = require_onnxruntime().InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    features = next(o.name for o in session.get_outputs() if o.name not in (LOSSES, GRADIENT))
    outputs = [LOSSES, features, GRADIENT]
    return list(session.run(outputs, {"x": chips.astype(np.float32), **feeds}))


@settings(max_examples=40, derandomize=True)
@given(nets(), st.integers(1, 3))
def test_a_step_of_any_net_agrees_with_float64(net: Net, count: int) -> None:
    goal = objective(net.rng, count)
    chips = net.rng.normal(size=(count, 3, SIZE, SIZE))
    reference = ReferenceEvaluator(net.model(TensorProto.DOUBLE))

    def losses(at: np.ndarray) -> np.ndarray:
        return goal.pull(np.asarray(reference.run(None, {"x": at})[0]))[0]

    step = step_graph(net.model(TensorProto.FLOAT), "x", net.last).step()
    found, features, gradient = run(step, chips, goal)

    assert features == pytest.approx(reference.run(None, {"x": chips})[0], rel=1e-3, abs=1e-4)
    assert found == pytest.approx(losses(chips), rel=1e-3)
    for _ in range(2):
        u = net.rng.normal(size=chips.shape)
        pushed = (losses(chips + 1e-6 * u) - losses(chips - 1e-6 * u)) / 2e-6
        pulled = (gradient * u).sum((1, 2, 3))
        scale = float(np.linalg.norm(gradient) * np.linalg.norm(u))
        assert pushed == pytest.approx(pulled, abs=1e-3 * scale + 1e-5)


def test_a_satisfied_own_term_pulls_no_more() -> None:
    rng = np.random.default_rng(0)
    features: Any = rng.normal(size=(2, FEATURES))
    only_own: Any = np.array([[0.0, 0.0, 1.0]] * 2)
    losses, gradient = replace(objective(rng, 2, margin=1.0), weights=only_own).pull(features)
    assert (losses == 0).all()
    assert (gradient == 0).all()
    losses, gradient = replace(objective(rng, 2, margin=-1.0), weights=only_own).pull(features)
    assert (losses > 0).all()
    assert (gradient != 0).all()
