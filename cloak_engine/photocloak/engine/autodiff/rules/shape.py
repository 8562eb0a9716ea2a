"""Operators that move elements without changing them."""

from __future__ import annotations

import sys

import numpy as np

from photocloak.engine.autodiff.backward import Tape, rule
from photocloak.engine.autodiff.graph import Graph, Node
from photocloak.engine.autodiff.rules.common import reshape_like, unbroadcast


@rule("Reshape", "Flatten", "Squeeze", "Unsqueeze")
def _reshape(tape: Tape, node: Node, gy: str) -> None:
    tape.give(node.input(0), reshape_like(tape.graph, gy, node.input(0)))


@rule("Expand")
def _expand(tape: Tape, node: Node, gy: str) -> None:
    graph, x = tape.graph, node.input(0)
    tape.give(x, unbroadcast(graph, gy, graph.shape(node.outputs[0]), x))


@rule("Transpose")
def _transpose(tape: Tape, node: Node, gy: str) -> None:
    rank = len(tape.graph.shape(node.input(0)))
    axes = node.attributes.get("perm", list(range(rank))[::-1])
    inverse = [int(i) for i in np.argsort(axes)]
    tape.give(node.input(0), tape.graph.op("Transpose", gy, perm=inverse))


@rule("Concat")
def _concat(tape: Tape, node: Node, gy: str) -> None:
    graph, start = tape.graph, 0
    axis = node.attributes["axis"]
    for name in node.inputs:
        length = graph.shape(name)[axis]
        if length is None:
            raise node.unsupported("along an axis of unknown length")
        if tape.wants(name):
            tape.give(name, _cut(graph, gy, axis, start, start + length))
        start += length


@rule("Split")
def _split(tape: Tape, node: Node, gy: str) -> None:  # noqa: ARG001  all outputs' are collected
    graph, parts = tape.graph, []
    for name in node.outputs:
        gradient = tape.gradient(name)
        parts.append(gradient or graph.op("Mul", name, graph.const(0.0)))
    axis = node.attributes.get("axis", 0)
    tape.give(node.input(0), graph.op("Concat", *parts, axis=axis))


@rule("Slice")
def _slice(tape: Tape, node: Node, gy: str) -> None:
    graph, x = tape.graph, node.input(0)
    shape = graph.shape(x)
    starts, ends, axes, steps = (graph.constant(node.input(i)) for i in range(1, 5))
    if starts is None or ends is None or (node.input(3) and axes is None):
        raise node.unsupported("its bounds are computed")
    if steps is not None and (steps != 1).any():
        raise node.unsupported("a step other than 1")
    before, after = [0] * len(shape), [0] * len(shape)
    which = range(len(starts)) if axes is None else axes.tolist()
    for axis, start, end in zip(which, starts.tolist(), ends.tolist(), strict=True):
        length = shape[axis]
        if length is None:
            raise node.unsupported("along an axis of unknown length")
        first, last, _ = slice(start, end).indices(length)
        before[axis], after[axis] = first, length - last
    tape.give(x, graph.op("Pad", gy, graph.ints(*before, *after)))


@rule("Pad")
def _pad(tape: Tape, node: Node, gy: str) -> None:
    graph, x = tape.graph, node.input(0)
    if node.attributes.get("mode", b"constant") != b"constant":
        raise node.unsupported("a mode other than constant")
    pads = graph.constant(node.input(1))
    if pads is None or node.input(3):
        raise node.unsupported("its pads are computed or have axes")
    before, after = pads.reshape(2, -1).tolist()
    axes = [i for i in range(len(before)) if before[i] or after[i]]
    ends = [-after[i] if after[i] else sys.maxsize for i in axes]
    bounds = (graph.ints(*(before[i] for i in axes)), graph.ints(*ends), graph.ints(*axes))
    tape.give(x, graph.op("Slice", gy, *bounds) if axes else gy)


@rule("Gather")
def _gather(tape: Tape, node: Node, gy: str) -> None:
    """Only the two shapes that networks use: one element, and a permutation (RGB to BGR)."""
    graph, x = tape.graph, node.input(0)
    index, axis = graph.constant(node.input(1)), node.attributes.get("axis", 0)
    shape = graph.shape(x)
    axis, length = axis % len(shape), shape[axis]
    if index is None or length is None:
        raise node.unsupported("its indices are computed")
    index = index % length
    if index.ndim == 0:
        before, after = [0] * len(shape), [0] * len(shape)
        before[axis], after[axis] = int(index), length - 1 - int(index)
        row = graph.op("Unsqueeze", gy, graph.ints(axis))
        tape.give(x, graph.op("Pad", row, graph.ints(*before, *after)))
    elif index.ndim == 1 and sorted(index.tolist()) == list(range(length)):
        inverse = graph.ints(*np.argsort(index).tolist())
        tape.give(x, graph.op("Gather", gy, inverse, axis=axis))
    else:
        raise node.unsupported("neither one element nor a permutation")


def _cut(graph: Graph, tensor: str, axis: int, start: int, end: int) -> str:
    """Append tensor[start:end] along one axis."""
    return graph.op("Slice", tensor, graph.ints(start), graph.ints(end), graph.ints(axis))
