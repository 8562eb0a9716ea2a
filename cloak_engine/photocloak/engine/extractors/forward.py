"""From any recogniser's ONNX file to one form: chips N×3×S×S RGB 0..255 → embedding N×D.

Colour order, mean, scale and axis order of the file's own input are nodes in front of the graph,
so that they are differentiated with it; a batch axis fixed at 1 by the export is opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from photocloak.core import ModelError
from photocloak.engine.autodiff.graph import BATCH, PREFIX

if TYPE_CHECKING:
    import onnx

    from photocloak.engine.extractors.spec import ExtractorSpec

CHIPS: Final = f"{PREFIX}chips"
EMBEDDING: Final = f"{PREFIX}embedding"


def forward_model(model: onnx.ModelProto, spec: ExtractorSpec) -> onnx.ModelProto:
    """Return the model, changed in place, with the input CHIPS and the output EMBEDDING.

    Raises ModelError where the manifest's input or output does not exist.
    """
    from onnx import TensorProto, helper

    graph = model.graph
    weights = {t.name for t in graph.initializer}
    used = {name for node in graph.node for name in node.input}  # exports declare idle inputs too
    inputs = {i.name: i for i in graph.input if i.name in used - weights}
    outputs = {o.name: o for o in graph.output}
    source = inputs[_pick(spec, "input", spec.input, list(inputs))]
    made = {name for node in graph.node for name in node.output}
    result = spec.output if spec.output in made else _pick(spec, "output", spec.output, [*outputs])
    dims = source.type.tensor_type.shape.dim
    if dims and dims[0].dim_value == 1:
        _open_batch(graph)
    channels_last = len(dims) == 4 and dims[3].dim_value == 3 and dims[1].dim_value != 3
    nodes = _normalisation(graph, spec, source.name, channels_last=channels_last)
    nodes += [*graph.node, helper.make_node("Flatten", [result], [EMBEDDING], axis=1)]
    chips = [BATCH, 3, spec.size, spec.size]
    _replace(graph.node, nodes)
    _replace(graph.input, [helper.make_tensor_value_info(CHIPS, TensorProto.FLOAT, chips)])
    _replace(graph.output, [helper.make_tensor_value_info(EMBEDDING, TensorProto.FLOAT, None)])
    del graph.value_info[:]  # written for the export's own batch
    return model


def check_size(spec: ExtractorSpec, size: int | None) -> None:
    """Raise ModelError where the model gives another number of features than its manifest says."""
    if size not in (None, spec.embedding):
        raise ModelError(
            f"The model {spec.model} gives {size} features, its manifest says {spec.embedding}; "
            f"correct `embedding` or `output` in the manifest of {spec.name}."
        )


def _pick(spec: ExtractorSpec, what: str, wanted: str | None, names: list[str]) -> str:
    """Return the wanted input or output, or the only one."""
    if wanted in names:
        return str(wanted)
    if wanted is None and len(names) == 1:
        return names[0]
    problem = "several" if wanted is None and names else "no"
    called = f" {wanted!r}" if wanted else ""
    raise ModelError(
        f"The model {spec.model} has {problem} {what}{called} (there are: {', '.join(names)}); "
        f"correct `{what}` in the manifest of {spec.name}."
    )


def _normalisation(
    graph: onnx.GraphProto, spec: ExtractorSpec, output: str, *, channels_last: bool
) -> list[onnx.NodeProto]:
    """Return nodes for (chips in the model's order − mean) · scale, in the model's layout."""
    from onnx import helper, numpy_helper

    nodes: list[onnx.NodeProto] = []
    last = CHIPS

    def append(op: str, value: np.ndarray | None = None, **attributes: object) -> None:
        nonlocal last
        name = f"{CHIPS}/{len(nodes)}"
        inputs = [last]
        if value is not None:
            graph.initializer.append(numpy_helper.from_array(value, f"{name}_by"))
            inputs.append(f"{name}_by")
        nodes.append(helper.make_node(op, inputs, [name], **attributes))
        last = name

    if spec.order == "bgr":
        append("Gather", np.array([2, 1, 0]), axis=1)
    if any(spec.mean):
        append("Sub", np.array(spec.mean, np.float32).reshape(1, 3, 1, 1))
    if spec.scale != 1.0:
        append("Mul", np.array(spec.scale, np.float32))
    if channels_last:
        append("Transpose", perm=[0, 2, 3, 1])
    nodes.append(helper.make_node("Identity", [last], [output]))
    return nodes


def _open_batch(graph: onnx.GraphProto) -> None:
    """Let a Reshape that was exported with a batch of 1 keep whatever batch it is given."""
    from onnx import numpy_helper

    shapes = {node.input[1] for node in graph.node if node.op_type == "Reshape"}
    constants = [t for t in graph.initializer if t.name in shapes]
    for node in graph.node:
        if node.op_type == "Constant" and node.output[0] in shapes:
            constants += [a.t for a in node.attribute if a.name == "value"]
    for tensor in constants:
        shape = numpy_helper.to_array(tensor).copy()
        if shape.size > 1 and shape[0] == 1:
            shape[0] = 0  # ONNX: as in the input
            tensor.CopyFrom(numpy_helper.from_array(shape, tensor.name))


def _replace(field: Any, values: list[Any]) -> None:
    """Put other values into a repeated field of a protobuf message."""
    del field[:]
    field.extend(values)
