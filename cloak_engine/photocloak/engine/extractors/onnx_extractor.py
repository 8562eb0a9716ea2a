"""A recogniser on ONNX Runtime alone: the backward pass is part of the graph."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from photocloak.engine.autodiff import GRADIENT, LOSSES, PREFIX, step_graph
from photocloak.engine.extractors.forward import CHIPS, EMBEDDING, check_size
from photocloak.engine.extractors.protocol import Array, Objective, Step, checked
from photocloak.engine.extractors.runtime import Device, open_session

if TYPE_CHECKING:
    import onnx

    from photocloak.engine.extractors.spec import ExtractorSpec


class OnnxExtractor:
    """Runs one graph per step: chips and objective in, losses, features and gradient out.

    Sessions are opened on first use: looking for known people needs `embed` alone. Features that
    are compared with each other always come from `embed`'s session, whatever ran before it.

    Raises UnsupportedOperatorError where an operator has no derivative.
    """

    def __init__(
        self, spec: ExtractorSpec, forward: onnx.ModelProto, *, threads: int, device: Device
    ) -> None:
        """Differentiate `forward`, a model chips → embedding (see `forward_model`)."""
        self.spec = spec
        self._graph = step_graph(forward, CHIPS, EMBEDDING)
        check_size(spec, self._graph.size)
        self._open = partial(open_session, threads=threads, device=device)
        self._sessions: dict[str, Any] = {}

    def embed(self, chips: Array, /) -> Array:
        """Return the raw features (N, D)."""
        feeds = {CHIPS: checked(self.spec, chips)}
        features: Array = self._session("forward").run([EMBEDDING], feeds)[0]
        return features

    def step(self, chips: Array, objective: Objective, /) -> Step:
        """Return losses, features and gradient from one run."""
        named = {f"{PREFIX}{name}": value for name, value in objective.feeds().items()}
        feeds = {CHIPS: checked(self.spec, chips), **named}
        return Step(*self._session("step").run([LOSSES, EMBEDDING, GRADIENT], feeds))

    def _session(self, kind: Literal["forward", "step"]) -> Any:
        """Open a session on first use; once both are, the graph's copy of the weights can go."""
        if kind not in self._sessions:
            graph = self._graph
            self._sessions[kind] = self._open(graph.step() if kind == "step" else graph.forward())
            if len(self._sessions) == 2:
                del self._graph
        return self._sessions[kind]
