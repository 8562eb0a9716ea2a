"""Writing the shipped ONNX files: NCHW, plain operators, large weights in half precision."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from photocloak.core import ModelError

Array = NDArray[Any]
Pads = tuple[int, int, int, int]
"""Top, left, bottom, right."""

OPSET = 17
IR_VERSION = 8
LARGE = 1024
"""Elements from which a weight is stored as float16; smaller ones cost nothing as float32."""


class GraphWriter:
    """An ONNX graph under construction; tensors are names, weights NumPy arrays."""

    def __init__(self, name: str, source: str, shape: Sequence[int | str]) -> None:
        """Begin a graph with one float32 input `source` of `shape` (a str is a free dimension)."""
        self._name = name
        self._inputs = [helper.make_tensor_value_info(source, TensorProto.FLOAT, list(shape))]
        self._outputs: list[onnx.ValueInfoProto] = []
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []

    def constant(self, value: Array) -> str:
        """Add an initialiser (float arrays become float32) and return its name."""
        name = f"w{len(self._weights)}"
        if value.dtype.kind == "f":
            value = value.astype(np.float32)
        self._weights.append(numpy_helper.from_array(np.array(value, order="C"), name))
        return name

    def op(self, op: str, *inputs: str | Array, output: str = "", **attributes: Any) -> str:
        """Append a node with one output; arrays among its inputs become initialisers."""
        names = [i if isinstance(i, str) else self.constant(i) for i in inputs]
        output = output or f"t{len(self._nodes)}"
        self._nodes.append(helper.make_node(op, names, [output], **attributes))
        return output

    def conv(
        self,
        x: str,
        kernel: Array,
        bias: Array | None = None,
        *,
        stride: int = 1,
        pads: Sequence[int] = (0, 0, 0, 0),
        group: int = 1,
    ) -> str:
        """Append a convolution; `kernel` is (out, in / group, h, w), pads top left bottom right."""
        parameters = [kernel] if bias is None else [kernel, bias]
        return self.op(
            "Conv",
            x,
            *parameters,
            kernel_shape=list(kernel.shape[2:]),
            strides=[stride, stride],
            pads=list(pads),
            group=group,
        )

    def output(self, name: str, shape: Sequence[int | str]) -> None:
        """Declare a float32 output."""
        self._outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape)))

    def model(self) -> onnx.ModelProto:
        """Return the finished float32 model."""
        graph = helper.make_graph(
            self._nodes, self._name, self._inputs, self._outputs, self._weights
        )
        return as_model(graph)


def same_padding(size: int, kernel: int, stride: int) -> Pads:
    """Return TensorFlow's SAME padding for one square edge: the odd pixel goes to the end."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    begin, end = total // 2, total - total // 2
    return begin, begin, end, end


def as_model(graph: onnx.GraphProto) -> onnx.ModelProto:
    """Wrap a graph as a model of the opset that all shipped files have."""
    return helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="photocloak",
    )


def halve(model: onnx.ModelProto) -> onnx.ModelProto:
    """Store, in place, each large float32 weight as float16 behind a Cast, so any runtime runs it.

    `photocloak.engine.extractors.weights.widen` is the way back.
    """
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < LARGE:
            continue
        values = numpy_helper.to_array(tensor)
        if np.abs(values).max() > np.finfo(np.float16).max:
            raise ModelError(f"Weight {tensor.name} exceeds float16; store it in float32 instead.")
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def save(model: onnx.ModelProto, path: Path) -> None:
    """Check the model and write it with halved weights; the same model gives the same bytes."""
    halve(model)
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString(deterministic=True))
