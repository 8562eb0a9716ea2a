"""SFace and YuNet of the OpenCV Zoo, from ONNX files with block-quantised int8 weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from photocloak.core import ModelError
from photocloak.engine.conversion.writer import GraphWriter, as_model

Array = NDArray[np.float64]
Tensors = dict[str, NDArray[np.generic]]


def sface(path: Path) -> onnx.ModelProto:
    """Return SFace: chips (N, 3, 112, 112) RGB 0..255 to embedding (N, 128).

    A chain in which every affine map (scale, batch normalisation) folds into the convolution or
    the fully connected layer next to it. Only the mean stays: zero padding comes after it.
    """
    nodes, tensors = _dequantised(onnx.load(path))
    chain = _Chain(GraphWriter("sface", "chips", ["N", 3, 112, 112]))
    for node in nodes:
        values = [np.asarray(tensors[i], np.float64) for i in node.input if i in tensors]
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        match node.op_type:
            case "Sub":
                chain.subtract(values[0])
            case "Mul":
                chain.affine(np.broadcast_to(values[0], 3), np.zeros(3))
            case "Conv":
                chain.convolution(
                    values[0],
                    stride=attributes["strides"][0],
                    pads=attributes["pads"],
                    group=attributes["group"],
                )
            case "BatchNormalization":
                gamma, beta, mean, variance = values
                scale = gamma / np.sqrt(variance + attributes["epsilon"])
                chain.affine(scale, beta - mean * scale)
            case "PRelu":
                chain.prelu(values[0])
            case "Gemm":
                chain.dense(values[0], values[1])
            case "Constant" | "Dropout" | "Flatten":
                pass  # Dropout is the identity here; `dense` flattens
            case other:
                raise ModelError(f"{path} is not SFace 2021dec: it has a {other} node.")
    return chain.finish()


class _Chain:
    """Writes a chain of layers, folding each affine map into the layer before or after it."""

    def __init__(self, graph: GraphWriter) -> None:
        self._graph = graph
        self._x = "chips"
        # What the next layer's input must still be multiplied by and shifted by, per channel …
        self._scale, self._shift = np.ones(3), np.zeros(3)
        # … and the last layer, not yet written because a normalisation may follow.
        self._layer: _Layer | None = None

    def subtract(self, mean: Array) -> None:
        self._x = self._graph.op("Sub", self._x, mean.reshape(1, 1, 1, 1))

    def affine(self, scale: Array, shift: Array) -> None:
        if self._layer is None:
            self._scale, self._shift = self._scale * scale, self._shift * scale + shift
        else:
            self._layer = self._layer.then(scale, shift)

    def convolution(self, kernel: Array, *, stride: int, pads: Sequence[int], group: int) -> None:
        self._write()
        if self._shift.any() or (group > 1 and not (self._scale == 1).all()):
            raise ModelError("A shift before a padded convolution cannot be folded.")
        if group == 1:
            kernel = kernel * self._scale[:, None, None]
        bias = np.zeros(len(kernel))
        self._layer = _Layer(kernel, bias, {"stride": stride, "pads": pads, "group": group})

    def dense(self, weight: Array, bias: Array) -> None:
        """`weight` is (out, channels · height · width)."""
        self._write()
        area = weight.shape[1] // len(self._scale)
        scale, shift = np.repeat(self._scale, area), np.repeat(self._shift, area)
        self._x = self._graph.op("Flatten", self._x)
        self._layer = _Layer(weight * scale, bias + weight @ shift, {})

    def prelu(self, slope: Array) -> None:
        self._write()
        self._x = self._graph.op("PRelu", self._x, slope)
        self._scale, self._shift = np.ones(len(slope)), np.zeros(len(slope))

    def finish(self) -> onnx.ModelProto:
        self._write(output="embedding")
        self._graph.output("embedding", ["N", 128])
        return self._graph.model()

    def _write(self, output: str = "") -> None:
        layer, self._layer = self._layer, None
        if layer is None:
            return
        if layer.weight.ndim == 4:
            self._x = self._graph.conv(self._x, layer.weight, layer.bias, **layer.layout)
        else:
            self._x = self._graph.op("Gemm", self._x, layer.weight.T, layer.bias, output=output)
        self._scale, self._shift = np.ones(len(layer.bias)), np.zeros(len(layer.bias))


@dataclass(frozen=True)
class _Layer:
    """A convolution (4-D weight) or a fully connected layer (2-D), output channels first."""

    weight: Array
    bias: Array
    layout: dict[str, Any]

    def then(self, scale: Array, shift: Array) -> "_Layer":
        """Return this layer followed by an affine map of its output channels."""
        wide = scale.reshape(-1, *[1] * (self.weight.ndim - 1))
        return _Layer(self.weight * wide, self.bias * scale + shift, self.layout)


def yunet(path: Path) -> onnx.ModelProto:
    """Return YuNet: input (N, 3, H, W) BGR 0..255, H and W multiples of 32; outputs as before.

    Outputs are cls, obj (N, cells, 1), bbox (N, cells, 4) and kps (N, cells, 10), each at strides
    8, 16 and 32. The original's fixed sizes are freed.
    """
    source = onnx.load(path)
    nodes, tensors = _dequantised(source)
    for node in nodes:
        if node.op_type == "Reshape":  # the heads' [1, -1, k]; 0 keeps the batch
            shape = tensors[node.input[1]].copy()
            shape[0] = 0
            tensors[node.input[1]] = shape
    used = {name for node in nodes for name in node.input}
    image = helper.make_tensor_value_info("input", onnx.TensorProto.FLOAT, ["N", 3, "H", "W"])
    outputs = [
        helper.make_tensor_value_info(
            o.name,
            onnx.TensorProto.FLOAT,
            ["N", f"cells_{o.name.rsplit('_')[-1]}", o.type.tensor_type.shape.dim[2].dim_value],
        )
        for o in source.graph.output
    ]
    weights = [
        numpy_helper.from_array(np.array(value, order="C"), name)
        for name, value in tensors.items()
        if name in used
    ]
    return as_model(helper.make_graph(nodes, "yunet", [image], outputs, weights))


def _dequantised(model: onnx.ModelProto) -> tuple[list[onnx.NodeProto], Tensors]:
    """Return the nodes without the weights' DequantizeLinear and Reshape, and all constants."""
    tensors: Tensors = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    nodes = []
    for node in model.graph.node:
        if node.op_type == "DequantizeLinear":
            tensors[node.output[0]] = _values(node, [tensors[name] for name in node.input])
        elif node.op_type == "Reshape" and node.input[0] in tensors:
            shape = [int(i) for i in tensors[node.input[1]]]
            tensors[node.output[0]] = tensors[node.input[0]].reshape(shape)
        else:
            nodes.append(node)
    return nodes, tensors


def _values(node: onnx.NodeProto, inputs: Sequence[NDArray[np.generic]]) -> NDArray[np.generic]:
    """Return (q − zero point) · scale, where each scale serves a block along one axis."""
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    quantised, scale, zero = (np.asarray(i, np.float64) for i in inputs)
    block = attributes.get("block_size", 0)
    if block:
        axis = attributes["axis"]
        keep = range(quantised.shape[axis])
        scale = np.repeat(scale, block, axis).take(keep, axis)
        zero = np.repeat(zero, block, axis).take(keep, axis)
    elif scale.size > 1:
        raise ModelError(f"{node.output[0]} is quantised per axis; only blocks are known here.")
    return ((quantised - zero) * scale).astype(np.float32)
