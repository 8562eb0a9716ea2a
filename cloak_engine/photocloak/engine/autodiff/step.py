"""Two models per recogniser: the features alone, and one whole step of the objective."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from photocloak.engine.autodiff.backward import differentiate
from photocloak.engine.autodiff.graph import PREFIX, Graph, UnsupportedOperatorError
from photocloak.engine.autodiff.loss import LOSSES, WEIGHTS, append_losses
from photocloak.engine.autodiff.prepare import prepare

if TYPE_CHECKING:
    import onnx

GRADIENT: Final = f"{PREFIX}gradient"


@dataclass(frozen=True)
class StepGraph:
    """What a forward model becomes; models are written out when asked for, to hold weights once.

    Attributes:
        size: number of features, D.

    """

    size: int
    _graph: Graph
    _features: str

    def forward(self) -> onnx.ModelProto:
        """Return the model chips → features."""
        return self._graph.to_model([self._features])

    def step(self) -> onnx.ModelProto:
        """Return the model chips, objective → LOSSES (N,), features (N, D), GRADIENT (as chips).

        The objective's inputs are named in `loss`.
        """
        return self._graph.to_model([LOSSES, self._features, GRADIENT])


def step_graph(model: onnx.ModelProto, chips: str, features: str) -> StepGraph:
    """Differentiate the objective on a model's features with respect to its chips.

    Args:
        model: N×… → N×D with a symbolic batch.
        chips: the name of its input.
        features: the name of its output.

    Raises:
        UnsupportedOperatorError: a node between the two has no derivative.
        InvalidModelError: ONNX Runtime refuses the model.

    """
    graph = prepare(model)
    size = graph.shape(features)[1]
    if size is None:
        raise UnsupportedOperatorError("shape inference", f"the size of {features} is unknown")
    terms = append_losses(graph, features, size)
    [gradient] = differentiate(graph, terms, WEIGHTS, [chips])
    graph.op("Identity", gradient, output=GRADIENT)
    return StepGraph(size, graph, features)
