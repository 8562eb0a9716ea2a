"""Sums, means and norms over axes; Softmax and LayerNormalization."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from photocloak.engine.autodiff.backward import Tape, rule
from photocloak.engine.autodiff.graph import Graph, Node, Shape

_TINY: Final = 1e-12


def _axes(graph: Graph, node: Node) -> list[int]:
    """Return the reduced axes, which are an input since opset 18 (13 for ReduceSum)."""
    rank = len(graph.shape(node.input(0)))
    value = graph.constant(node.input(1))
    if node.input(1) and value is None:
        raise node.unsupported("its axes are computed")
    listed = node.attributes.get("axes") if value is None else value.tolist()
    if not listed:
        return [] if node.attributes.get("noop_with_empty_axes", 0) else list(range(rank))
    return [a % rank for a in listed]


def _count(node: Node, shape: Shape, axes: list[int]) -> int:
    """Return how many elements a reduction over the axes takes together."""
    lengths = [shape[axis] for axis in axes]
    known = [n for n in lengths if n is not None]
    if len(known) < len(lengths):
        raise node.unsupported("over an axis of unknown length")
    return math.prod(known)


def _kept(graph: Graph, node: Node, tensor: str) -> str:
    """Give a reduced tensor its axes of length 1 back, so that it broadcasts over the input."""
    if node.attributes.get("keepdims", 1) or not _axes(graph, node):
        return tensor
    return graph.op("Unsqueeze", tensor, graph.ints(*sorted(_axes(graph, node))))


def _spread(graph: Graph, node: Node, tensor: str) -> str:
    """Repeat a gradient along the reduced axes; as Mul, through which the batch stays known."""
    x = node.input(0)
    axes, shape = _axes(graph, node), graph.shape(x)
    lengths = [d if i in axes else 1 for i, d in enumerate(shape)]
    known = [d for d in lengths if d is not None]
    kept = _kept(graph, node, tensor)
    if len(known) < len(lengths):
        return graph.op("Expand", kept, graph.op("Shape", x))
    return graph.op("Mul", kept, graph.const(np.ones(known)))


@rule("ReduceSum")
def _reduce_sum(tape: Tape, node: Node, gy: str) -> None:
    graph, x = tape.graph, node.input(0)
    tape.give(x, _spread(graph, node, gy))


@rule("ReduceMean")
def _reduce_mean(tape: Tape, node: Node, gy: str) -> None:
    graph, x = tape.graph, node.input(0)
    count = _count(node, graph.shape(x), _axes(graph, node))
    tape.give(x, _spread(graph, node, graph.op("Mul", gy, graph.const(1.0 / count))))


@rule("ReduceL2")
def _reduce_l2(tape: Tape, node: Node, gy: str) -> None:
    # The norm has no derivative at 0: there the gradient is 0, not NaN.
    graph, x = tape.graph, node.input(0)
    norm = graph.op("Max", _kept(graph, node, node.outputs[0]), graph.const(_TINY))
    share = graph.op("Div", _kept(graph, node, gy), norm)
    tape.give(x, graph.op("Mul", x, share))


@rule("LpNormalization")
def _lp_normalization(tape: Tape, node: Node, gy: str) -> None:
    if node.attributes.get("p", 2) != 2:
        raise node.unsupported("a norm other than L2")
    graph, x, y = tape.graph, node.input(0), node.outputs[0]
    axis = graph.ints(node.attributes.get("axis", -1))
    squares = graph.op("ReduceSum", graph.op("Mul", x, x), axis, keepdims=1)
    norm = graph.op("Max", graph.op("Sqrt", squares), graph.const(_TINY))
    along = graph.op("ReduceSum", graph.op("Mul", gy, y), axis, keepdims=1)
    across = graph.op("Sub", gy, graph.op("Mul", y, along))
    tape.give(x, graph.op("Div", across, norm))


@rule("Softmax")
def _softmax(tape: Tape, node: Node, gy: str) -> None:
    graph, y = tape.graph, node.outputs[0]
    axis = graph.ints(node.attributes.get("axis", -1))
    weighted = graph.op("Mul", gy, y)
    total = graph.op("ReduceSum", weighted, axis, keepdims=1)
    tape.give(node.input(0), graph.op("Sub", weighted, graph.op("Mul", y, total)))


@rule("LayerNormalization")
def _layer_normalization(tape: Tape, node: Node, gy: str) -> None:
    graph, x = tape.graph, node.input(0)
    if tape.wants(node.input(1)):
        raise node.unsupported("its scale depends on the chips")
    shape = graph.shape(x)
    axes = list(range(node.attributes.get("axis", -1) % len(shape), len(shape)))
    share = graph.const(1.0 / _count(node, shape, axes))

    def mean(tensor: str) -> str:
        return graph.op("Mul", graph.op("ReduceSum", tensor, graph.ints(*axes), keepdims=1), share)

    centred = graph.op("Sub", x, mean(x))
    variance = mean(graph.op("Mul", centred, centred))
    epsilon = graph.const(float(node.attributes.get("epsilon", 1e-5)))
    deviation = graph.op("Sqrt", graph.op("Add", variance, epsilon))
    unit = graph.op("Div", centred, deviation)
    g = graph.op("Mul", gy, node.input(1))
    along = graph.op("Mul", unit, mean(graph.op("Mul", g, unit)))
    across = graph.op("Sub", graph.op("Sub", g, mean(g)), along)
    tape.give(x, graph.op("Div", across, deviation))
