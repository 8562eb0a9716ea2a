"""Bring a forward model into the form that the rules read.

ONNX Runtime's basic optimisation folds constants and BatchNormalization and removes Dropout and
Identity (its results stay float32 and standard operators); older models are lifted to opset 16,
which the backward pass is written in; PRelu becomes arithmetic.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from photocloak.engine.autodiff.graph import (
    Graph,
    InvalidModelError,
    Node,
    UnsupportedOperatorError,
)
from photocloak.engine.autodiff.rules.common import slope

if TYPE_CHECKING:
    import onnx

OPSET: Final = 16


def prepare(model: onnx.ModelProto) -> Graph:
    """Return the simplified graph of a model N×… → N×D.

    Raises InvalidModelError where ONNX Runtime refuses the model, UnsupportedOperatorError where it
    cannot be read here.
    """
    graph = Graph(_lifted(simplified(model)))
    graph.rewrite("PRelu", _product)
    return graph


def _product(graph: Graph, node: Node) -> None:
    """Write PRelu as x · slope(x): the backward pass is then one Mul with the same slope.

    ONNX Runtime's PRelu alone costs more than three such passes.
    """
    x, alpha = node.input(0), graph.constant(node.input(1))
    if alpha is None:
        raise node.unsupported("its slope is computed")
    factor = slope(graph, x, graph.shape(x), alpha)
    graph.detached.add(factor)
    graph.op("Mul", x, factor, output=node.outputs[0])


def simplified(model: onnx.ModelProto) -> onnx.ModelProto:
    """Run ONNX Runtime's basic (offline, exact) optimisations."""
    import onnx

    from photocloak.engine.runtime import require_onnxruntime

    onnxruntime = require_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    options.log_severity_level = 3
    with tempfile.TemporaryDirectory(prefix="photocloak-") as folder:
        path = Path(folder, "simplified.onnx")
        options.optimized_model_filepath = str(path)
        try:
            onnxruntime.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime's errors share no other base
            raise InvalidModelError(str(error)) from error
        return onnx.load(path)


def _lifted(model: onnx.ModelProto) -> onnx.ModelProto:
    """Convert to opset 16 where the model is older."""
    from onnx import version_converter

    version = next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
    if version >= OPSET:
        return model
    standard = [o for o in model.opset_import if o.domain in ("", "ai.onnx")]
    del model.opset_import[:]
    model.opset_import.extend(standard)
    try:
        return version_converter.convert_version(model, OPSET)
    except (RuntimeError, ValueError, version_converter.ConvertError) as error:
        raise UnsupportedOperatorError(
            "opset", f"{version} cannot be converted: {error}"
        ) from error
