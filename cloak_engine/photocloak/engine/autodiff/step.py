"""One model per recogniser: chips and objective → losses, features, d losses / d chips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from photocloak.engine.autodiff.backward import differentiate
from photocloak.engine.autodiff.graph import PREFIX
from photocloak.engine.autodiff.loss import append_losses
from photocloak.engine.autodiff.prepare import prepare

if TYPE_CHECKING:
    import onnx


GRADIENT: Final = f"{PREFIX}gradient"


def step_graph(forward: onnx.ModelProto, chips: str, features: str) -> onnx.ModelProto:
    """Return the model with the outputs LOSSES (N,), features (N, D), GRADIENT (as chips).

    Its inputs are the chips and those of the objective (see `loss`).

    Args:
        forward: a model N×… → N×D with a symbolic batch.
        chips: the name of its input.
        features: the name of its output.

    Raises:
        UnsupportedOperatorError: a node between the two has no derivative.

    """
    graph = prepare(forward)
    size = graph.shape(features)[1]
    if size is None:
        raise ValueError(f"the size of {features} is not known")
    losses = append_losses(graph, features, size)
    graph.infer_shapes()
    gradient = graph.op("Identity", differentiate(graph, losses, chips), output=GRADIENT)
    return graph.to_model([losses, features, gradient])
