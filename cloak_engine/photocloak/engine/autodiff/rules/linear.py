"""Matrix products, Gemm and inference-time BatchNormalization."""

from __future__ import annotations

import numpy as np

from photocloak.engine.autodiff.backward import Tape, rule
from photocloak.engine.autodiff.graph import Graph, Node
from photocloak.engine.autodiff.rules.common import broadcast_shape, unbroadcast


def _transposed(graph: Graph, name: str) -> str:
    """Return the tensor with its last two axes swapped; a constant is swapped here and now."""
    value = graph.constant(name)
    if value is not None:
        return graph.const(np.swapaxes(value, -1, -2), value.dtype)
    axes = list(range(len(graph.shape(name))))
    axes[-2:] = axes[:-3:-1]
    return graph.op("Transpose", name, perm=axes)


@rule("MatMul")
def _matmul(tape: Tape, node: Node, gy: str) -> None:
    graph, (a, b) = tape.graph, node.inputs
    left, right = graph.shape(a), graph.shape(b)
    if len(left) < 2 or len(right) < 2:
        raise node.unsupported("an operand is a vector")
    batch = broadcast_shape(left[:-2], right[:-2])
    if tape.wants(a):
        gradient = graph.op("MatMul", gy, _transposed(graph, b))
        tape.give(a, unbroadcast(graph, gradient, (*batch, *left[-2:]), a))
    if tape.wants(b):
        gradient = graph.op("MatMul", _transposed(graph, a), gy)
        tape.give(b, unbroadcast(graph, gradient, (*batch, *right[-2:]), b))


@rule("Gemm")
def _gemm(tape: Tape, node: Node, gy: str) -> None:
    graph, a = tape.graph, node.input(0)
    if tape.wants(node.input(1)) or (node.input(2) and tape.wants(node.input(2))):
        raise node.unsupported("the matrix or the bias depends on the chips")
    if node.attributes.get("transA", 0):
        raise node.unsupported("transA")
    gradient = graph.op(
        "Gemm",
        gy,
        node.input(1),
        alpha=float(node.attributes.get("alpha", 1.0)),
        transB=1 - node.attributes.get("transB", 0),
    )
    tape.give(a, gradient)


@rule("BatchNormalization")
def _batch_normalization(tape: Tape, node: Node, gy: str) -> None:
    graph, x = tape.graph, node.input(0)
    scale, variance = graph.constant(node.input(1)), graph.constant(node.input(4))
    if scale is None or variance is None or node.attributes.get("training_mode", 0):
        raise node.unsupported("not in inference form")
    factor = scale / np.sqrt(variance + node.attributes.get("epsilon", 1e-5))
    column = factor.reshape(-1, *(1,) * (len(graph.shape(x)) - 2))
    tape.give(x, graph.op("Mul", gy, graph.const(column)))
