"""Every operator's rule against central differences of the operator in float64.

⟨J u, v⟩ = ⟨u, Jᵀ v⟩ with J u measured on onnx's own reference implementation, Jᵀ v from the rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper, parser
from onnx.reference import ReferenceEvaluator

from photocloak.engine.autodiff import Graph, UnsupportedOperatorError, differentiate
from photocloak.engine.autodiff.backward import _RULES
from photocloak.engine.autodiff.prepare import prepare
from photocloak.engine.runtime import require_onnxruntime

RNG = np.random.default_rng(7)


class Case(NamedTuple):
    nodes: str
    shape: tuple[int, ...]
    constants: Mapping[str, Any] = MappingProxyType({})
    low: float = -2.0
    high: float = 2.0
    step: float = 1e-6
    tolerance: float = 2e-5


def weights(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


IMAGE = (2, 4, 7, 6)
CASES = {
    "Conv": Case("y = Conv(x, w, b)", IMAGE, {"w": weights(5, 4, 3, 3), "b": weights(5)}),
    "Conv 1x1": Case("y = Conv(x, w)", IMAGE, {"w": weights(5, 4, 1, 1)}),
    "Conv padded": Case("y = Conv<pads=[1,0,2,1]>(x, w)", IMAGE, {"w": weights(5, 4, 3, 3)}),
    "Conv far pads": Case("y = Conv<pads=[2,3,3,2]>(x, w)", IMAGE, {"w": weights(5, 4, 2, 2)}),
    "Conv stride": Case(
        "y = Conv<pads=[1,1,1,1], strides=[2,2]>(x, w)", IMAGE, {"w": weights(5, 4, 3, 3)}
    ),
    "Conv strides left over": Case(
        "y = Conv<strides=[3,2]>(x, w)", (2, 4, 9, 8), {"w": weights(5, 4, 2, 3)}
    ),
    "Conv 1x1 stride": Case("y = Conv<strides=[2,2]>(x, w)", IMAGE, {"w": weights(5, 4, 1, 1)}),
    "Conv dilated": Case(
        "y = Conv<dilations=[2,1], pads=[2,1,2,1]>(x, w)", IMAGE, {"w": weights(5, 4, 3, 3)}
    ),
    "Conv dilated stride": Case(
        "y = Conv<dilations=[2,2], strides=[2,2]>(x, w)", IMAGE, {"w": weights(5, 4, 3, 2)}
    ),
    "Conv grouped": Case("y = Conv<group=2>(x, w)", IMAGE, {"w": weights(6, 2, 3, 3)}),
    "Conv grouped stride": Case(
        "y = Conv<group=2, strides=[2,2], pads=[1,1,1,1]>(x, w)", IMAGE, {"w": weights(6, 2, 3, 3)}
    ),
    "Conv depthwise": Case(
        "y = Conv<group=4, pads=[1,1,1,1]>(x, w)", IMAGE, {"w": weights(4, 1, 3, 3)}
    ),
    "Conv depthwise stride": Case(
        "y = Conv<group=4, pads=[0,0,1,1], strides=[2,2]>(x, w)", IMAGE, {"w": weights(4, 1, 3, 3)}
    ),
    "Conv depthwise strides left over": Case(
        "y = Conv<group=4, strides=[3,3]>(x, w)", (2, 4, 9, 8), {"w": weights(4, 1, 2, 2)}
    ),
    "Conv SAME_UPPER": Case(
        'y = Conv<auto_pad="SAME_UPPER", strides=[2,2]>(x, w)', IMAGE, {"w": weights(5, 4, 3, 3)}
    ),
    "Conv SAME_LOWER": Case(
        'y = Conv<auto_pad="SAME_LOWER", strides=[2,2]>(x, w)', IMAGE, {"w": weights(5, 4, 3, 3)}
    ),
    "MaxPool": Case("y = MaxPool<kernel_shape=[3,3], strides=[2,2]>(x)", IMAGE),
    "MaxPool overlapping": Case(
        "y = MaxPool<kernel_shape=[3,3], strides=[1,1], pads=[1,1,1,1]>(x)", IMAGE
    ),
    "AveragePool tiles": Case("y = AveragePool<kernel_shape=[2,2], strides=[2,2]>(x)", IMAGE),
    "AveragePool": Case(
        "y = AveragePool<kernel_shape=[3,2], strides=[2,1], pads=[1,0,1,1]>(x)", IMAGE
    ),
    "AveragePool with its pads": Case(
        "y = AveragePool<kernel_shape=[3,3], strides=[2,2], pads=[1,1,1,1], count_include_pad=1>"
        "(x)",
        IMAGE,
    ),
    "GlobalAveragePool": Case("y = GlobalAveragePool(x)", IMAGE),
    "Relu": Case("y = Relu(x)", IMAGE),
    "Relu of vectors": Case("y = Relu(x)", (3, 5)),
    "LeakyRelu": Case("y = LeakyRelu<alpha=0.3>(x)", IMAGE),
    "PRelu": Case("y = PRelu(x, a)", IMAGE, {"a": weights(4, 1, 1)}),
    "PRelu one slope": Case("y = PRelu(x, a)", IMAGE, {"a": weights(1)}),
    "PRelu of vectors": Case("y = PRelu(x, a)", (3, 5), {"a": weights(5)}),
    "Clip": Case("y = Clip(x, l, h)", IMAGE, {"l": np.float64(-0.5), "h": np.float64(0.7)}),
    "Clip above": Case("y = Clip(x, , h)", (3, 5), {"h": np.float64(0.7)}),
    "Add": Case("y = Add(x, k)", IMAGE, {"k": weights(4, 1, 1)}),
    "Add spread": Case("y = Add(k, x)", (2, 1, 6), {"k": weights(4, 1, 5, 6)}),
    "Add twice": Case("y = Add(x, x)", IMAGE),
    "Sub": Case("t = Relu(x) y = Sub(t, x)", IMAGE),
    "Sub from": Case("y = Sub(k, x)", (2, 1, 6), {"k": weights(2, 4, 6)}),
    "Mul": Case("t = Tanh(x) y = Mul(t, x)", IMAGE),
    "Mul spread": Case("y = Mul(x, k)", (2, 4, 1, 1), {"k": weights(4, 3, 2)}),
    "Div": Case("t = Exp(x) y = Div(x, t)", IMAGE),
    "Div by spread": Case("y = Div(k, x)", (2, 1), {"k": weights(2, 5)}, 0.5, 2.0),
    "Neg": Case("y = Neg(x)", IMAGE),
    "Identity": Case("y = Identity(x)", IMAGE),
    "Dropout": Case("y = Dropout(x)", IMAGE),
    "Pow": Case("y = Pow(x, k)", IMAGE, {"k": np.float64(2.0)}),
    "Pow 1.5": Case("y = Pow(x, k)", IMAGE, {"k": np.float64(1.5)}, 0.2, 2.0),
    "Abs": Case("y = Abs(x)", IMAGE),
    "Max": Case("y = Max(x, k)", IMAGE, {"k": weights(4, 1, 1)}),
    "Max of two": Case("t = Tanh(x) y = Max(t, x)", IMAGE),
    "Min": Case("y = Min(k, x)", (2, 1, 6), {"k": weights(4, 6)}),
    "Sqrt": Case("y = Sqrt(x)", IMAGE, {}, 0.2, 2.0),
    "Reciprocal": Case("y = Reciprocal(x)", IMAGE, {}, 0.5, 2.0),
    "Exp": Case("y = Exp(x)", IMAGE),
    "Log": Case("y = Log(x)", IMAGE, {}, 0.2, 2.0),
    "Sigmoid": Case("y = Sigmoid(x)", IMAGE),
    "Tanh": Case("y = Tanh(x)", IMAGE),
    # the reference computes Erf in float32
    "Erf": Case("y = Erf(x)", IMAGE, step=1e-3, tolerance=2e-4),
    "HardSigmoid": Case("y = HardSigmoid<alpha=0.4>(x)", IMAGE),
    "HardSwish": Case("y = HardSwish(x)", IMAGE, {}, -5.0, 5.0),
    "Where": Case("z = Neg(x) y = Where(c, x, z)", (3, 5), {"c": RNG.random((3, 5)) > 0.5}),
    "MatMul": Case("y = MatMul(x, w)", (3, 5), {"w": weights(5, 4)}),
    "MatMul right": Case("y = MatMul(w, x)", (2, 5, 3), {"w": weights(4, 5)}),
    "MatMul both": Case("t = Transpose<perm=[0,2,1]>(x) y = MatMul(x, t)", (2, 5, 3)),
    "Gemm": Case(
        "y = Gemm<transB=1, alpha=0.5>(x, w, b)", (3, 5), {"w": weights(4, 5), "b": weights(4)}
    ),
    "Gemm plain": Case("y = Gemm(x, w)", (3, 5), {"w": weights(5, 4)}),
    "BatchNormalization": Case(
        "y = BatchNormalization<epsilon=0.01>(x, s, b, m, v)",
        IMAGE,
        {"s": weights(4), "b": weights(4), "m": weights(4), "v": weights(4) ** 2},
    ),
    "BatchNormalization of vectors": Case(
        "y = BatchNormalization(x, s, b, m, v)",
        (3, 4),
        {"s": weights(4), "b": weights(4), "m": weights(4), "v": weights(4) ** 2},
    ),
    "Reshape": Case("y = Reshape(x, s)", IMAGE, {"s": ints(0, -1)}),
    "Reshape computed": Case(
        "s = Shape(x) n = Gather(s, i) m = Unsqueeze(n, o) c = Concat<axis=0>(m, r)"
        " y = Reshape(x, c)",
        IMAGE,
        {"i": np.int64(0), "o": ints(0), "r": ints(-1)},
    ),
    "Flatten": Case("y = Flatten(x)", IMAGE),
    "Squeeze": Case("y = Squeeze(x, a)", (2, 4, 1, 1), {"a": ints(2, 3)}),
    "Unsqueeze": Case("y = Unsqueeze(x, a)", (2, 4), {"a": ints(2, 3)}),
    "Expand": Case("y = Expand(x, s)", (2, 1, 4), {"s": ints(2, 3, 4)}),
    "Transpose": Case("y = Transpose<perm=[0,2,3,1]>(x)", IMAGE),
    "Concat": Case("t = Neg(x) y = Concat<axis=1>(t, x)", IMAGE),
    "Split": Case("a, b = Split<axis=1>(x) t = Tanh(b) y = Mul(a, t)", IMAGE),
    "Split, one part unused": Case("a, y = Split<axis=1>(x)", IMAGE),
    "Slice": Case(
        "y = Slice(x, s, e, a)", IMAGE, {"s": ints(1, -3), "e": ints(9, -1), "a": ints(2, 3)}
    ),
    "Pad": Case("y = Pad(x, p)", IMAGE, {"p": ints(0, 2, 1, 0, 0, 0, 3, 1)}),
    "Gather": Case("y = Gather<axis=1>(x, i)", IMAGE, {"i": np.int64(2)}),
    "Gather permutation": Case("y = Gather<axis=1>(x, i)", IMAGE, {"i": ints(2, 0, 3, 1)}),
    "ReduceSum": Case("y = ReduceSum(x, a)", IMAGE, {"a": ints(1, -1)}),
    "ReduceSum dropped": Case("y = ReduceSum<keepdims=0>(x, a)", IMAGE, {"a": ints(3, 1)}),
    "ReduceMean": Case("y = ReduceMean<axes=[2,3], keepdims=0>(x)", IMAGE),
    "ReduceL2": Case("y = ReduceL2<axes=[1]>(x)", IMAGE),
    "LpNormalization": Case("y = LpNormalization<axis=1>(x)", (3, 5)),
    "Softmax": Case("y = Softmax<axis=1>(x)", IMAGE),
    "LayerNormalization": Case(
        "y = LayerNormalization<axis=-2>(x, s, b)",
        (2, 3, 5),
        {"s": weights(3, 5), "b": weights(3, 5)},
    ),
}  # fmt: skip


def build(case: Case, kind: int) -> onnx.ModelProto:
    """Return the case as a model whose batch is symbolic, computing in one floating type."""
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    text = case.nodes.replace(") ", ")\n")
    nodes = [parser.parse_node(line) for line in text.splitlines()]
    constants = [
        numpy_helper.from_array(
            np.asarray(v, dtype) if np.asarray(v).dtype.kind == "f" else np.asarray(v), k
        )
        for k, v in case.constants.items()
    ]
    graph = helper.make_graph(
        nodes,
        "case",
        [helper.make_tensor_value_info("x", kind, ["N", *case.shape[1:]])],
        [helper.make_tensor_value_info("y", kind, None)],
        constants,
    )
    opset = helper.make_opsetid("", 17)
    return helper.make_model(graph, opset_imports=[opset], ir_version=8)


def pull(graph: Graph, v: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return Jᵀ v at x as ONNX Runtime computes it."""
    [gradient] = differentiate(graph, "y", graph.const(v), ["x"])
    session = require_onnxruntime().InferenceSession(
        graph.to_model([gradient]).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    feeds = {i.name: x.astype(np.float32) for i in session.get_inputs()}  # none if J is constant
    return np.asarray(session.run(None, feeds)[0])


@pytest.mark.parametrize("lowered", [False, True], ids=["as it is", "prepared"])
@pytest.mark.parametrize("name", CASES)
def test_rule_agrees_with_central_differences(name: str, lowered: bool) -> None:
    case = CASES[name]
    lowered |= name.startswith("PRelu")  # which is always rewritten
    model = build(case, TensorProto.FLOAT)
    graph = prepare(model) if lowered else Graph(model)
    rng = np.random.default_rng(1)
    x = rng.uniform(case.low, case.high, case.shape)
    reference = ReferenceEvaluator(build(case, TensorProto.DOUBLE))

    def forward(at: np.ndarray) -> np.ndarray:
        return np.asarray(reference.run(None, {"x": at})[0])

    v = rng.normal(size=forward(x).shape)
    pulled = pull(graph, v, x)

    assert pulled.shape == x.shape
    for _ in range(4):
        u = rng.normal(size=x.shape)
        h = case.step
        pushed = (forward(x + h * u) - forward(x - h * u)) / (2 * h)
        scale = float(np.linalg.norm(pulled) * np.linalg.norm(u))
        assert np.vdot(pushed, v) == pytest.approx(
            np.vdot(u, pulled), abs=case.tolerance * scale + 1e-6
        )


def test_every_rule_has_a_case() -> None:
    covered = {
        parser.parse_node(line).op_type
        for case in CASES.values()
        for line in case.nodes.replace(") ", ")\n").splitlines()
    }
    assert set(_RULES) - covered == set()


@pytest.mark.parametrize(
    ("nodes", "constants", "operator"),
    [
        ("y = Elu(x)", {}, "Elu"),
        ('y = Pad<mode="reflect">(x, p)', {"p": ints(0, 0, 1, 1, 0, 0, 1, 1)}, "Pad"),
        ("y = MaxPool<kernel_shape=[2,2], ceil_mode=1, strides=[2,2]>(x)", {}, "MaxPool"),
        ("y = Gather<axis=1>(x, i)", {"i": ints(0, 0)}, "Gather"),
        ("y = Conv(x, x)", {}, "Conv"),
    ],
)
def test_what_has_no_rule_is_named(nodes: str, constants: dict[str, Any], operator: str) -> None:
    graph = Graph(build(Case(nodes, IMAGE, constants), TensorProto.FLOAT))
    with pytest.raises(UnsupportedOperatorError) as caught:
        differentiate(graph, "y", "y", ["x"])
    assert caught.value.operator == operator


def test_norm_has_no_nan_at_zero() -> None:
    graph = Graph(build(Case("y = ReduceL2<axes=[1]>(x)", (2, 3)), TensorProto.FLOAT))
    assert (pull(graph, np.ones((2, 1)), np.zeros((2, 3))) == 0).all()
