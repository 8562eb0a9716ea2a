"""The two graphs of a step: LOOK makes the chips of the faces as they are, MOVE follows gradients.

Between the two each recogniser runs its own step, chips and objective to gradient. What enters and
leaves has a name; all of it is float32, (N, …) for N faces.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from photocloak.engine.device import edits, views
from photocloak.engine.device.descents import budget_step, field_step
from photocloak.engine.device.faces import PARAMETERS, SHAPES
from photocloak.engine.device.value import Value, declared, empty_graph, slopes
from photocloak.engine.extractors import ExtractorSpec

if TYPE_CHECKING:
    import onnx

    from photocloak.engine.autodiff import Graph

DRAWN, SHARE = "drawn", "share"
"""Inputs of a step: `views.numbers` of each face, (N, width), and what is left of the first step's
length, (N, 1, 1, 1)."""

CHIPS, GRADIENT, VELOCITY, NEXT = "chips/", "gradient/", "velocity/", "next/"
"""What names begin with: of an extractor's chips and their gradient, of a parameter's velocity,
and of parameters and velocities after the step."""

STATE: Final = tuple(PARAMETERS) + tuple(VELOCITY + name for name in PARAMETERS)
"""What MOVE changes."""


def look(specs: Sequence[ExtractorSpec]) -> onnx.ModelProto:
    """Return the graph: faces, their parameters and DRAWN → CHIPS + the name of each extractor."""
    graph, faces, parameters = _begun()
    planes = _worn(faces, parameters)
    chips = _views(graph, specs)(planes.clip(0.0, 255.0))
    for spec, one in zip(specs, chips, strict=True):
        one.called(CHIPS + spec.name)
    return graph.to_model([CHIPS + spec.name for spec in specs])


def move(specs: Sequence[ExtractorSpec]) -> onnx.ModelProto:
    """Return the graph: the same, STATE, SHARE and each GRADIENT → NEXT + each of STATE.

    Raises UnsupportedOperatorError where an edit's formula has no derivative, which is a bug.
    """
    graph, faces, parameters = _begun()
    planes = _worn(faces, parameters)
    gradients = [declared(graph, GRADIENT + spec.name, (3, spec.size, spec.size)) for spec in specs]
    # Where planes are clipped the gradient goes on, as in `optimisation.methods`.
    seed = _views(graph, specs).pullback(gradients)
    found = slopes(planes, seed, list(parameters.values()))
    share = declared(graph, SHARE, (1, 1, 1))
    moved = {}
    for (name, value), slope in zip(parameters.items(), found, strict=True):
        velocity = declared(graph, VELOCITY + name, PARAMETERS[name])
        if name == "delta":
            step, velocity = budget_step(slope, velocity, faces, share)
        else:
            step, velocity = field_step(slope, velocity, faces[f"{name}_limit"], share)
        moved[name] = value + step
        velocity.called(NEXT + VELOCITY + name)
    for name, value in edits.bounded(faces, moved).items():
        value.called(NEXT + name)
    return graph.to_model([NEXT + name for name in STATE])


def _begun() -> tuple[Graph, dict[str, Value], dict[str, Value]]:
    """Return a graph that knows faces and parameters."""
    graph = empty_graph()
    faces = {name: declared(graph, name, shape) for name, shape in SHAPES.items()}
    return graph, faces, {name: declared(graph, name, PARAMETERS[name]) for name in PARAMETERS}


def _worn(faces: dict[str, Value], parameters: dict[str, Value]) -> Value:
    """Return the planes after all edits, not clipped."""
    others = (parameters[name] for name in ("warp", "contrast", "light"))
    return edits.with_delta(faces, parameters["delta"], edits.beneath(faces, *others))


def _views(graph: Graph, specs: Sequence[ExtractorSpec]) -> views.Views:
    return views.Views(declared(graph, DRAWN, (views.width(len(specs)),)), specs)
