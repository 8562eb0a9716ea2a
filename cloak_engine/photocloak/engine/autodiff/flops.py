"""How much arithmetic a graph's convolutions and matrix products are: what its speed is held to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from photocloak.engine.autodiff.graph import Graph, Node, UnsupportedOperatorError

if TYPE_CHECKING:
    import onnx

PRODUCTS: Final = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})


def flops(model: onnx.ModelProto) -> int:
    """Return additions and multiplications of one row of a batch; other operators count nothing."""
    graph = Graph(model)
    return sum(_of(graph, node) for node in graph.nodes if node.op in PRODUCTS)


def _of(graph: Graph, node: Node) -> int:
    """Count 2 for each weight and place it is applied at; the batch counts 1."""
    weights = graph.shape(node.input(1))
    if None in weights:
        raise UnsupportedOperatorError(node.op, "both factors depend on the batch")
    size = math.prod(d for d in weights if d is not None)
    if node.op in ("Gemm", "MatMul"):
        rows = graph.shape(node.outputs[0])[:-1]
        return 2 * size * math.prod(d or 1 for d in rows)
    place = node.input(0) if node.op == "ConvTranspose" else node.outputs[0]
    return 2 * size * math.prod(d or 1 for d in graph.shape(place)[2:])
