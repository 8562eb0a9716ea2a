"""Reverse-mode differentiation over ONNX nodes.

`differentiate` walks the nodes backwards and asks a table for the vector-Jacobian product of each:
a rule gets the gradients of a node's outputs, appends nodes that compute those of its inputs, and
hands them back with `Tape.give`. Rules live in `photocloak.engine.autodiff.rules`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from photocloak.engine.autodiff.graph import Graph, Node, UnsupportedOperatorError

Rule = Callable[["Tape", Node, str], None]

_RULES: Final[dict[str, Rule]] = {}
_SEVERAL_OUTPUTS: Final = frozenset({"Split"})  # whose rules collect the other gradients themselves


def rule(*operators: str) -> Callable[[Rule], Rule]:
    """Register a function as the derivative of operators: `f(tape, node, gradient of output 0)`."""

    def register(function: Rule) -> Rule:
        for operator in operators:
            _RULES[operator] = function
        return function

    return register


class Tape:
    """What a rule works with: the graph to append to, and where gradients are collected."""

    def __init__(self, graph: Graph, active: set[str]) -> None:
        self.graph = graph
        self._active = active
        self._gradients: dict[str, list[str]] = {}

    def wants(self, name: str) -> bool:
        """Tell whether the tensor depends on the variable, so that its gradient is worth having."""
        return name in self._active

    def give(self, name: str, gradient: str) -> None:
        """Add to a tensor's gradient; several users of a tensor each give theirs."""
        if self.wants(name):
            self._gradients.setdefault(name, []).append(gradient)

    def gradient(self, name: str) -> str:
        """Return the tensor's complete gradient, "" where nothing flowed into it."""
        parts = self._gradients.get(name, [])
        while len(parts) > 1:
            parts[:2] = [self.graph.op("Add", *parts[:2])]
        return parts[0] if parts else ""


def differentiate(graph: Graph, output: str, seed: str, variables: Sequence[str]) -> list[str]:
    """Append the nodes of seedᵀ · d output / d variable; return their results, shaped as each.

    Raises UnsupportedOperatorError, naming the operator, where a node on the way has no rule.
    """
    import photocloak.engine.autodiff.rules  # noqa: F401  registers the table

    active = set(variables)
    for node in graph.nodes:
        if active.intersection(node.inputs):
            active.update(name for name in node.outputs if name not in graph.detached)
    tape = Tape(graph, active)
    tape.give(output, seed)
    for node in reversed(list(graph.nodes)):
        gradients = [tape.gradient(name) for name in node.outputs]
        if not any(gradients):
            continue
        if node.op not in _RULES:
            raise UnsupportedOperatorError(node.op)
        if len(gradients) > 1 and any(gradients[1:]) and node.op not in _SEVERAL_OUTPUTS:
            raise node.unsupported("a second output is used")
        _RULES[node.op](tape, node, gradients[0])
    found = [tape.gradient(variable) for variable in variables]
    for variable, gradient in zip(variables, found, strict=True):
        if not gradient:
            raise UnsupportedOperatorError("graph", f"{output} does not depend on {variable}")
    return found
