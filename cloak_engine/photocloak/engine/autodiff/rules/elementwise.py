"""Operators that treat each element alone, with NumPy broadcasting."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from photocloak.engine.autodiff.backward import Tape, rule
from photocloak.engine.autodiff.graph import Node
from photocloak.engine.autodiff.rules.common import (
    affine,
    broadcast_shape,
    sign,
    slope,
    unbroadcast,
)

_TINY: Final = 1e-12


def _give(tape: Tape, node: Node, index: int, gradient: str) -> None:
    """Hand an input its gradient, summed over the axes along which it was broadcast."""
    shapes = [tape.graph.shape(name) for name in node.inputs]
    source = shapes[0] if len(shapes) == 1 else broadcast_shape(shapes[0], shapes[1])
    name = node.input(index)
    tape.give(name, unbroadcast(tape.graph, gradient, source, name))


@rule("Identity", "Dropout")
def _identity(tape: Tape, node: Node, gy: str) -> None:
    tape.give(node.input(0), gy)


@rule("Neg")
def _neg(tape: Tape, node: Node, gy: str) -> None:
    tape.give(node.input(0), tape.graph.op("Neg", gy))


@rule("Add")
def _add(tape: Tape, node: Node, gy: str) -> None:
    for index in (0, 1):
        if tape.wants(node.input(index)):
            _give(tape, node, index, gy)


@rule("Sub")
def _sub(tape: Tape, node: Node, gy: str) -> None:
    if tape.wants(node.input(0)):
        _give(tape, node, 0, gy)
    if tape.wants(node.input(1)):
        _give(tape, node, 1, tape.graph.op("Neg", gy))


@rule("Mul")
def _mul(tape: Tape, node: Node, gy: str) -> None:
    for index in (0, 1):
        if tape.wants(node.input(index)):
            _give(tape, node, index, tape.graph.op("Mul", gy, node.input(1 - index)))


@rule("Div")
def _div(tape: Tape, node: Node, gy: str) -> None:
    graph = tape.graph
    scaled = graph.op("Div", gy, node.input(1))
    if tape.wants(node.input(0)):
        _give(tape, node, 0, scaled)
    if tape.wants(node.input(1)):
        _give(tape, node, 1, graph.op("Neg", graph.op("Mul", scaled, node.outputs[0])))


@rule("Pow")
def _pow(tape: Tape, node: Node, gy: str) -> None:
    graph, x = tape.graph, node.input(0)
    exponent = graph.constant(node.input(1))
    if exponent is None or exponent.size != 1:
        raise node.unsupported("the exponent is not a constant number")
    power = float(exponent.reshape(()))
    if power == 2.0:
        slope = graph.op("Mul", x, graph.const(2.0))
    else:
        lower = graph.op("Pow", x, graph.const(power - 1.0))
        slope = graph.op("Mul", lower, graph.const(power))
    tape.give(x, graph.op("Mul", gy, slope))


@rule("Relu")
def _relu(tape: Tape, node: Node, gy: str) -> None:
    # From the output, not the input: ONNX Runtime can then still fuse Conv and Relu.
    graph, y = tape.graph, node.outputs[0]
    tape.give(node.input(0), graph.op("Mul", gy, sign(graph, y, graph.shape(y))))


@rule("LeakyRelu")
def _leaky_relu(tape: Tape, node: Node, gy: str) -> None:
    graph, y = tape.graph, node.outputs[0]
    alpha = float(node.attributes.get("alpha", 0.01))
    if alpha <= 0:
        raise node.unsupported("a slope that is not positive")
    tape.give(node.input(0), graph.op("Mul", gy, slope(graph, y, graph.shape(y), np.array(alpha))))


@rule("Clip")
def _clip(tape: Tape, node: Node, gy: str) -> None:
    # Also from the output, which reaches the bounds exactly where the gradient stops.
    graph, y = tape.graph, node.outputs[0]
    shape = graph.shape(y)
    for name, direction in ((node.input(1), 1.0), (node.input(2), -1.0)):
        if name:
            bound = graph.constant(name)
            if bound is None:
                raise node.unsupported("its bounds are computed")
            channels = (shape[1], 1, 1) if len(shape) == 4 and shape[1] else ()
            scale = np.full(channels, direction)
            inside = affine(graph, y, scale, -scale * bound)
            gy = graph.op("Mul", gy, sign(graph, inside, shape))
    tape.give(node.input(0), gy)


@rule("Max", "Min")
def _extreme(tape: Tape, node: Node, gy: str) -> None:
    if len(node.inputs) != 2:
        raise node.unsupported("not of two")
    graph = tape.graph
    first = graph.op("GreaterOrEqual" if node.op == "Max" else "LessOrEqual", *node.inputs)
    zero = graph.const(0.0)
    for index, arms in enumerate(((gy, zero), (zero, gy))):
        if tape.wants(node.input(index)):
            _give(tape, node, index, graph.op("Where", first, *arms))


@rule("Abs")
def _abs(tape: Tape, node: Node, gy: str) -> None:
    tape.give(node.input(0), tape.graph.op("Mul", gy, tape.graph.op("Sign", node.input(0))))


@rule("Sqrt")
def _sqrt(tape: Tape, node: Node, gy: str) -> None:
    graph = tape.graph
    root = graph.op("Max", node.outputs[0], graph.const(_TINY))
    half = graph.op("Mul", gy, graph.const(0.5))
    tape.give(node.input(0), graph.op("Div", half, root))


@rule("Reciprocal")
def _reciprocal(tape: Tape, node: Node, gy: str) -> None:
    graph, y = tape.graph, node.outputs[0]
    tape.give(node.input(0), graph.op("Neg", graph.op("Mul", gy, graph.op("Mul", y, y))))


@rule("Exp")
def _exp(tape: Tape, node: Node, gy: str) -> None:
    tape.give(node.input(0), tape.graph.op("Mul", gy, node.outputs[0]))


@rule("Log")
def _log(tape: Tape, node: Node, gy: str) -> None:
    tape.give(node.input(0), tape.graph.op("Div", gy, node.input(0)))


@rule("Sigmoid")
def _sigmoid(tape: Tape, node: Node, gy: str) -> None:
    graph, y = tape.graph, node.outputs[0]
    slope = graph.op("Mul", y, graph.op("Sub", graph.const(1.0), y))
    tape.give(node.input(0), graph.op("Mul", gy, slope))


@rule("Tanh")
def _tanh(tape: Tape, node: Node, gy: str) -> None:
    graph, y = tape.graph, node.outputs[0]
    slope = graph.op("Sub", graph.const(1.0), graph.op("Mul", y, y))
    tape.give(node.input(0), graph.op("Mul", gy, slope))


@rule("Erf")
def _erf(tape: Tape, node: Node, gy: str) -> None:
    graph, x = tape.graph, node.input(0)
    bell = graph.op("Exp", graph.op("Neg", graph.op("Mul", x, x)))
    slope = graph.op("Mul", bell, graph.const(2.0 / math.sqrt(math.pi)))
    tape.give(x, graph.op("Mul", gy, slope))


@rule("HardSigmoid")
def _hard_sigmoid(tape: Tape, node: Node, gy: str) -> None:
    graph, y = tape.graph, node.outputs[0]
    inside = graph.op("Mul", y, graph.op("Sub", graph.const(1.0), y))  # positive iff 0 < y < 1
    slope = graph.op("Sign", inside)
    alpha = graph.const(float(node.attributes.get("alpha", 0.2)))
    tape.give(node.input(0), graph.op("Mul", gy, graph.op("Mul", slope, alpha)))


@rule("HardSwish")
def _hard_swish(tape: Tape, node: Node, gy: str) -> None:
    # x·h(x) with h = clip(x/6 + 1/2, 0, 1): h + x/6 where |x| < 3
    graph, x = tape.graph, node.input(0)
    gate = graph.op("HardSigmoid", x, alpha=1.0 / 6.0, beta=0.5)
    inside = graph.op("Sign", graph.op("Mul", gate, graph.op("Sub", graph.const(1.0), gate)))
    ramp = graph.op("Mul", graph.op("Mul", x, graph.const(np.float32(1.0 / 6.0))), inside)
    tape.give(x, graph.op("Mul", gy, graph.op("Add", gate, ramp)))


@rule("Where")
def _where(tape: Tape, node: Node, gy: str) -> None:
    graph, condition = tape.graph, node.input(0)
    source = broadcast_shape(
        graph.shape(condition),
        broadcast_shape(graph.shape(node.input(1)), graph.shape(node.input(2))),
    )
    zero = graph.const(0.0)
    for name, arms in ((node.input(1), (gy, zero)), (node.input(2), (zero, gy))):
        if tape.wants(name):
            picked = graph.op("Where", condition, *arms)
            tape.give(name, unbroadcast(graph, picked, source, name))
