"""The objective as nodes, so that one run gives losses and gradient.

c = f − μ,  ĉ = c / ‖c‖
loss_i = w_distance · ‖f − t‖₂ + w_toward · (1 − ĉ·toward) + w_own · relu(ĉ·own − margin)
"""

from __future__ import annotations

from typing import Final

from photocloak.engine.autodiff.graph import BATCH, PREFIX, Graph

CENTRE, TARGET, TOWARD, OWN, WEIGHTS, MARGIN = (
    f"{PREFIX}{name}" for name in ("centre", "target", "toward", "own", "weights", "margin")
)
"""Graph inputs of the loss: shapes D, N×D, N×D, N×D, N×3 and a scalar; all float32."""

LOSSES: Final = f"{PREFIX}losses"

_TINY: Final = 1e-12


def append_losses(graph: Graph, features: str, size: int) -> str:
    """Append the objective on raw features N×size; return the names of LOSSES' terms (N×3).

    The losses are the terms' sums weighted by WEIGHTS, which are therefore d losses / d terms.
    """
    axis = graph.ints(1)
    centre = graph.add_input(CENTRE, [size])
    target, toward, own = (graph.add_input(name, [BATCH, size]) for name in (TARGET, TOWARD, OWN))
    weights = graph.add_input(WEIGHTS, [BATCH, 3])
    margin = graph.add_input(MARGIN, [])

    def norm(vectors: str) -> str:
        squares = graph.op("Mul", vectors, vectors)
        return graph.op("Sqrt", graph.op("ReduceSum", squares, axis, keepdims=1))

    distance = norm(graph.op("Sub", features, target))
    centred = graph.op("Sub", features, centre)
    direction = graph.op("Div", centred, graph.op("Add", norm(centred), graph.const(_TINY)))

    def cosine(unit: str) -> str:
        return graph.op("ReduceSum", graph.op("Mul", direction, unit), axis, keepdims=1)

    apart = graph.op("Sub", graph.const(1.0), cosine(toward))
    left = graph.op("Relu", graph.op("Sub", cosine(own), margin))
    terms = graph.op("Concat", distance, apart, left, axis=1)
    graph.op("ReduceSum", graph.op("Mul", terms, weights), axis, keepdims=0, output=LOSSES)
    graph.infer_shapes()
    return terms
