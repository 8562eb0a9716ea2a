"""A recogniser on ONNX Runtime alone: the backward pass is part of the graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

from photocloak.engine.autodiff import GRADIENT, LOSSES, PREFIX, step_graph
from photocloak.engine.binding import OnDevice, Place, run_on
from photocloak.engine.extractors.cache import ModelCache, key_of
from photocloak.engine.extractors.forward import CHIPS, EMBEDDING, check_size
from photocloak.engine.extractors.protocol import Array, Kind, Objective, Step, checked
from photocloak.engine.runtime import Device

if TYPE_CHECKING:
    import onnx

    from photocloak.engine.autodiff import StepGraph
    from photocloak.engine.extractors.spec import ExtractorSpec


class OnnxExtractor:
    """Runs one graph per step: chips and objective in, losses, features and gradient out.

    Sessions are opened on first use: looking for known people needs `embed` alone. Features that
    are compared with each other always come from `embed`'s session, whatever ran before it. Any
    thread may call at any time.

    Raises UnsupportedOperatorError where an operator has no derivative.
    """

    def __init__(
        self,
        spec: ExtractorSpec,
        read: Callable[[], onnx.ModelProto],
        *,
        threads: int,
        device: Device,
        cache: ModelCache,
    ) -> None:
        """Differentiate what `read` gives, a model chips → embedding (see `forward_model`).

        Where the cache has the result already, nothing is read.
        """
        self.spec = spec
        self._read, self._cache = read, cache
        self._threads, self._device = threads, device
        self._differentiated: StepGraph | None = None
        self._sessions: dict[Kind, Any] = {}
        self._opening: dict[Kind, Lock] = {"forward": Lock(), "step": Lock()}
        self._deriving = Lock()
        if not cache.has(key_of(spec, "step", device)):
            self._graph()

    def open(self, kind: Kind, /) -> None:
        """Open a session, or wait for who is at it."""
        self._session(kind)

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

    def pull(self, chips: OnDevice, objective: Mapping[str, OnDevice], place: Place) -> OnDevice:
        """Return a step's gradient, where chips and objective (`Objective.feeds`) lie already."""
        named = {f"{PREFIX}{name}": value for name, value in objective.items()}
        return run_on(self._session("step"), {CHIPS: chips, **named}, [GRADIENT], place)[0]

    def _graph(self) -> StepGraph:
        with self._deriving:
            if self._differentiated is None:
                graph = step_graph(self._read(), CHIPS, EMBEDDING)
                check_size(self.spec, graph.size)
                self._differentiated = graph
            return self._differentiated

    def _session(self, kind: Kind) -> Any:
        """Open a session on first use; once both are, the graph's copy of the weights can go."""
        with self._opening[kind]:
            if kind not in self._sessions:
                self._sessions[kind] = self._cache.open(
                    key_of(self.spec, kind, self._device),
                    lambda: self._graph().step() if kind == "step" else self._graph().forward(),
                    threads=self._threads,
                    device=self._device,
                )
                if len(self._sessions) == 2:
                    self._differentiated = None
            return self._sessions[kind]
