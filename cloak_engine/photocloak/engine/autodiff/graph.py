"""A small view of an ONNX graph that reads shapes and constants and appends nodes.

Everything the differentiator needs and nothing else: tensors are names, the batch axis is the one
symbolic dimension, constants are NumPy arrays, nodes are ordinary `onnx.NodeProto`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import onnx

Shape = tuple[int | None, ...]
"""Dimensions of a tensor; None is the batch, the only one that is not known."""

Array = npt.NDArray[Any]

BATCH: Final = "N"

_LARGE: Final = 4096  # elements; above that a constant is weights, not a parameter

PREFIX: Final = "photocloak/"
"""Starts every name made here, so that none can clash with a model's own."""


class UnsupportedOperatorError(Exception):
    """A node on the way from the chips to the embedding that has no derivative here.

    A signal between the engine's parts, not for the user: whoever catches it falls back to PyTorch.
    """

    def __init__(self, operator: str, reason: str = "no rule") -> None:
        super().__init__(f"{operator}: {reason}")
        self.operator = operator
        self.reason = reason


class InvalidModelError(Exception):
    """A model that ONNX Runtime refuses; like the other one a signal, the message is its reason."""


@dataclass(frozen=True)
class Node:
    """One operator: `inputs` and `outputs` are tensor names, "" an omitted optional one."""

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    proto: onnx.NodeProto = field(repr=False, compare=False)

    def input(self, index: int) -> str:
        """Return the name of an input, "" where the node leaves it out."""
        return self.inputs[index] if index < len(self.inputs) else ""

    def unsupported(self, reason: str) -> UnsupportedOperatorError:
        """Return the error to raise where this use of the operator is not covered."""
        return UnsupportedOperatorError(self.op, reason)


class Graph:
    """A graph under construction.

    Attributes:
        nodes: in topological order.
        inputs, outputs, constants: by name.
        detached: tensors that count as constant when the graph is differentiated.

    """

    def __init__(self, model: onnx.ModelProto) -> None:
        from onnx import numpy_helper

        graph = model.graph
        self._opset = [o for o in model.opset_import if o.domain in ("", "ai.onnx")]
        self._ir_version = model.ir_version
        self.constants: dict[str, Array] = {
            t.name: numpy_helper.to_array(t) for t in graph.initializer
        }
        self.inputs = {i.name: i for i in graph.input if i.name not in self.constants}
        self.outputs = [o.name for o in graph.output]
        self._shapes: dict[str, Shape] = {}
        self._pool: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self.nodes: list[Node] = []
        self.detached: set[str] = set()
        self._count = 0
        for proto in graph.node:
            self._append(proto)
        self.infer_shapes()

    def _append(self, proto: onnx.NodeProto) -> None:
        from onnx import helper, numpy_helper

        attributes = {a.name: helper.get_attribute_value(a) for a in proto.attribute}
        if proto.domain not in ("", "ai.onnx"):
            raise UnsupportedOperatorError(f"{proto.domain}.{proto.op_type}")
        if proto.op_type == "Constant":
            (value,) = attributes.values()
            if "value" in attributes:
                array = numpy_helper.to_array(value)
            else:  # value_float, value_ints, …
                array = np.asarray(value)
                array = array.astype(np.float32) if array.dtype.kind == "f" else array
            self.constants[proto.output[0]] = array
            return
        self.nodes.append(
            Node(proto.op_type, tuple(proto.input), tuple(proto.output), attributes, proto)
        )

    # -- reading ---------------------------------------------------------------------------------

    def shape(self, name: str) -> Shape:
        """Return a tensor's shape; raises UnsupportedOperatorError where it cannot be known."""
        if name in self.constants:
            return self.constants[name].shape
        if name not in self._shapes:
            raise UnsupportedOperatorError("shape inference", f"unknown shape of {name}")
        return self._shapes[name]

    def constant(self, name: str) -> Array | None:
        """Return the value of a constant tensor, None where it is computed or omitted."""
        return self.constants.get(name)

    # -- writing ---------------------------------------------------------------------------------

    def add_input(self, name: str, shape: Sequence[int | str]) -> str:
        """Declare a float32 graph input."""
        from onnx import TensorProto, helper

        self.inputs[name] = helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))
        self._shapes[name] = tuple(d if isinstance(d, int) else None for d in shape)
        return name

    def const(self, value: npt.ArrayLike, dtype: npt.DTypeLike = np.float32) -> str:
        """Return the name of a constant with this value; equal small ones share one."""
        array = np.ascontiguousarray(value, dtype).reshape(np.shape(value))
        name = f"{PREFIX}constant_{len(self.constants)}"
        if array.size <= _LARGE:
            key = (array.dtype.str, array.shape, array.tobytes())
            name = self._pool.setdefault(key, name)
        self.constants[name] = array
        return name

    def ints(self, *values: int) -> str:
        """Return the name of a 1-D int64 constant (axes, shapes, pads)."""
        return self.const(values, np.int64)

    def op(self, op: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Append a node with one output and return the output's name."""
        return self.ops(op, *inputs, outputs=(output,), **attributes)[0]

    def ops(self, op: str, *inputs: str, outputs: Sequence[str], **attributes: Any) -> list[str]:
        """Append a node with several outputs ("" lets the graph choose the name)."""
        from onnx import helper

        names = []
        for name in outputs:
            self._count += not name
            names.append(name or f"{PREFIX}{op}_{self._count}")
        self._append(helper.make_node(op, inputs, names, **attributes))
        return names

    # -- whole graph -----------------------------------------------------------------------------

    def rewrite(self, operator: str, replace: Callable[[Graph, Node], None]) -> None:
        """Let a function append other nodes, with the same outputs, in place of an operator."""
        nodes, self.nodes = self.nodes, []
        for node in nodes:
            if node.op == operator:
                replace(self, node)
            else:
                self.nodes.append(node)
        self.infer_shapes()

    def infer_shapes(self) -> None:
        """Infer the shapes of all tensors appended so far."""
        from onnx import shape_inference

        consumed = {name for node in self.nodes for name in node.inputs}
        ends = [o for n in self.nodes for o in n.outputs if o and o not in consumed]
        skeleton = self.to_model(ends, largest=_LARGE)
        inferred = shape_inference.infer_shapes(skeleton, data_prop=True).graph
        for info in (*inferred.value_info, *inferred.input, *inferred.output):
            kind = info.type.tensor_type
            if kind.HasField("shape"):
                self._shapes[info.name] = tuple(
                    d.dim_value if d.HasField("dim_value") else None for d in kind.shape.dim
                )

    def to_model(self, outputs: Sequence[str], *, largest: float = math.inf) -> onnx.ModelProto:
        """Return the graph as a model; only what the outputs need is in it.

        Constants of more elements than `largest` become inputs: shapes do not depend on weights.
        """
        from onnx import TensorProto, helper, numpy_helper

        needed, kept = set(outputs), []
        for node in reversed(self.nodes):
            if needed.intersection(node.outputs):
                needed.update(node.inputs)
                kept.append(node.proto)
        inputs = [info for name, info in self.inputs.items() if name in needed]
        initialisers = []
        for name in needed.intersection(self.constants):
            value = self.constants[name]
            if value.size <= largest:
                initialisers.append(numpy_helper.from_array(value, name))
            else:
                kind = helper.np_dtype_to_tensor_dtype(value.dtype)
                inputs.append(helper.make_tensor_value_info(name, kind, value.shape))
        graph = helper.make_graph(
            kept[::-1],
            "photocloak",
            inputs,
            [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) for o in outputs],
            initialisers,
        )
        return helper.make_model(graph, opset_imports=self._opset, ir_version=self._ir_version)
