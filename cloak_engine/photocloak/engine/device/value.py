"""Arithmetic that is written down as a graph: what formulas of arrays are made of here.

A value is an array with a batch in front, (N, C, H, W), of faces; constants are broadcast to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from photocloak.engine.autodiff import Graph, differentiate
from photocloak.engine.autodiff.graph import BATCH

Operand: TypeAlias = "Value | npt.NDArray[np.float32] | float"

_OPSET, _IR = 16, 8


@dataclass(frozen=True)
class Value:
    """A tensor of a graph; operators and methods append nodes to it."""

    graph: Graph
    name: str

    __array_ufunc__ = None  # a NumPy array on the left leaves the operation to us

    def op(self, operator: str, *others: Operand, **attributes: Any) -> Value:
        """Append a node of which this is the first input."""
        names = (self._named(other) for other in others)
        return Value(self.graph, self.graph.op(operator, self.name, *names, **attributes))

    def _named(self, other: Operand) -> str:
        return other.name if isinstance(other, Value) else self.graph.const(other)

    def __add__(self, other: Operand) -> Value:
        return self.op("Add", other)

    __radd__ = __add__

    def __mul__(self, other: Operand) -> Value:
        return self.op("Mul", other)

    __rmul__ = __mul__

    def __sub__(self, other: Operand) -> Value:
        return self.op("Sub", other)

    def __rsub__(self, other: Operand) -> Value:
        return self._constant(other) - self

    def __truediv__(self, other: Operand) -> Value:
        return self.op("Div", other)

    def __rtruediv__(self, other: Operand) -> Value:
        return self._constant(other) / self

    def __neg__(self) -> Value:
        return self.op("Neg")

    def __matmul__(self, other: Operand) -> Value:
        return self.op("MatMul", other)

    def __rmatmul__(self, other: Operand) -> Value:
        return self._constant(other) @ self

    def _constant(self, value: Operand) -> Value:
        return Value(self.graph, self._named(value))

    @property
    def turned(self) -> Value:
        """The matrices transposed."""
        return self.op("Transpose", perm=[0, 1, 3, 2])

    def clip(self, low: Operand, high: Operand) -> Value:
        """Return what is within two bounds."""
        return self.op("Max", low).op("Min", high)

    def sum(self, *axes: int) -> Value:
        """Sum over axes, which stay with length 1."""
        name = self.graph.op("ReduceSum", self.name, self.graph.ints(*axes), keepdims=1)
        return Value(self.graph, name)

    def mean(self, *axes: int) -> Value:
        """Average over axes, which stay with length 1."""
        return Value(self.graph, self.graph.op("ReduceMean", self.name, axes=axes, keepdims=1))

    def part(self, axis: int, start: int, end: int) -> Value:
        """Return what lies between two places of an axis."""
        bounds = (self.graph.ints(start), self.graph.ints(end), self.graph.ints(axis))
        return Value(self.graph, self.graph.op("Slice", self.name, *bounds))

    def shaped(self, *shape: int) -> Value:
        """Return (N, …) with another shape behind the batch."""
        name = self.graph.op("Reshape", self.name, self.graph.ints(-1, *shape))
        return Value(self.graph, name)

    def fixed(self) -> Value:
        """Return this, through which no gradient flows."""
        self.graph.detached.add(self.name)
        return self

    def called(self, name: str) -> None:
        """Make this an output of the graph."""
        self.graph.op("Identity", self.name, output=name)


def together(values: Sequence[Value], axis: int = 1) -> Value:
    """Return values one after the other along an axis."""
    return values[0].op("Concat", *values[1:], axis=axis)


def empty_graph() -> Graph:
    """Return a graph without nodes."""
    from onnx import helper

    nothing = helper.make_graph([], "photocloak", [], [])
    opset = helper.make_opsetid("", _OPSET)
    return Graph(helper.make_model(nothing, opset_imports=[opset], ir_version=_IR))


def declared(graph: Graph, name: str, shape: Sequence[int]) -> Value:
    """Declare an input (N, *shape), float32."""
    return Value(graph, graph.add_input(name, [BATCH, *shape]))


def slopes(output: Value, seed: Value, variables: Sequence[Value]) -> list[Value]:
    """Return the gradients with respect to variables for that of the output, which is `seed`."""
    graph = output.graph
    graph.infer_shapes()
    names = differentiate(graph, output.name, seed.name, [one.name for one in variables])
    return [Value(graph, name) for name in names]
