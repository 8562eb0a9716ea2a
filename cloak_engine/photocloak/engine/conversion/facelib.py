"""facelib's MobileNet v1, from a TensorFlow Lite file.

A chain of layers. Kernels are OHWI (depthwise 1HWO) there and tensors NHWC; here everything is
NCHW. Padding and every affine map (scale, batch normalisation) fold into the layer after them;
only the mean stays, for the zero padding comes after it.

The graph takes 0..255 and subtracts the mean itself. The package scales before that once more
(facelib/facerec/feature_extraction), which ruins the features, so that step is left out.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import tflite
from numpy.typing import NDArray

from photocloak.core import ModelError
from photocloak.engine.conversion.writer import GraphWriter, Pads, same_padding

Array = NDArray[np.float64]

SIZE = 112
_DTYPES = {tflite.TensorType.FLOAT32: "<f4", tflite.TensorType.INT32: "<i4"}
_OPTIONS = {"CONV_2D": tflite.Conv2DOptions, "DEPTHWISE_CONV_2D": tflite.DepthwiseConv2DOptions}


def convert(path: Path) -> onnx.ModelProto:
    """Return the network: chips (N, 3, 112, 112) RGB 0..255 to embedding (N, 128).

    Raises ModelError where the file is damaged or another network.
    """
    try:
        return _translate(list(_layers(path.read_bytes())))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, struct.error) as error:
        raise ModelError(f"{path} is not facelib's MobileNet, or damaged ({error!r}).") from error


@dataclass(frozen=True, eq=False)
class _Layer:
    """One operator of the chain.

    Attributes:
        op: TensorFlow Lite's name of it.
        size: edge of the square that it takes; 1 behind the pooling.
        values: its constants, in the order of its inputs.
        options: stride, padding and activation of a convolution.

    """

    op: str
    size: int
    values: list[Array]
    options: Any


def _layers(data: bytes) -> Iterator[_Layer]:
    """Yield the operators, each of which takes what the one before it gives."""
    model = tflite.Model.GetRootAs(data, 0)
    graph = model.Subgraphs(0)
    x = graph.Inputs(0)
    for i in range(graph.OperatorsLength()):
        operator = graph.Operators(i)
        if operator.Inputs(0) != x:
            raise ValueError(f"operator {i} breaks the chain")
        x = operator.Outputs(0)
        op = tflite.opcode2name(model.OperatorCodes(operator.OpcodeIndex()).DeprecatedBuiltinCode())
        options = None
        if op in _OPTIONS:
            options, table = _OPTIONS[op](), operator.BuiltinOptions()
            options.Init(table.Bytes, table.Pos)
        taken = graph.Tensors(operator.Inputs(0)).ShapeAsNumpy()
        inputs = (graph.Tensors(operator.Inputs(k)) for k in range(1, operator.InputsLength()))
        values = [_constant(model, tensor) for tensor in inputs]
        yield _Layer(op, int(taken[1]) if len(taken) == 4 else 1, values, options)


def _constant(model: tflite.Model, tensor: tflite.Tensor) -> Array:
    shape = tensor.ShapeAsNumpy() if tensor.ShapeLength() else ()
    data = model.Buffers(tensor.Buffer()).DataAsNumpy().tobytes()
    return np.frombuffer(data, _DTYPES[tensor.Type()]).reshape(shape).astype(np.float64)


def _translate(layers: list[_Layer]) -> onnx.ModelProto:
    graph = GraphWriter("facelib", "chips", ["N", 3, SIZE, SIZE])
    x, pads = "chips", (0, 0, 0, 0)
    # What the next layer's input must still be multiplied by and shifted by.
    scale, shift = np.ones(()), np.zeros(())
    for layer in layers:
        match layer.op:
            case "SUB":
                x = graph.op("Sub", x, layer.values[0].reshape(1, 1, 1, 1))
            case "MUL":
                scale, shift = scale * layer.values[0], shift * layer.values[0]
            case "ADD":
                shift = shift + layer.values[0]
            case "PAD":
                (top, bottom), (left, right) = layer.values[0][1:3].astype(int).tolist()
                pads = top, left, bottom, right
            case "CONV_2D" | "DEPTHWISE_CONV_2D":
                x = _convolution(graph, x, layer, pads, scale.item())
                pads, scale = (0, 0, 0, 0), np.ones(())
            case "MEAN":
                x = graph.op("Flatten", graph.op("GlobalAveragePool", x))
            case "FULLY_CONNECTED":
                weights, bias = layer.values
                matrix, bias = scale[:, None] * weights.T, bias + shift @ weights.T
                graph.op("Gemm", x, matrix, bias, output="embedding")
            case other:
                raise KeyError(other)
    graph.output("embedding", ["N", 128])
    return graph.model()


def _convolution(graph: GraphWriter, x: str, layer: _Layer, pads: Pads, scale: float) -> str:
    kernel, bias = layer.values
    depthwise = layer.op == "DEPTHWISE_CONV_2D"
    kernel = kernel.transpose((3, 0, 1, 2) if depthwise else (0, 3, 1, 2)) * scale
    stride = layer.options.StrideH()
    if layer.options.Padding() == tflite.Padding.SAME:
        pads = same_padding(layer.size, kernel.shape[-1], stride)
    group = len(kernel) if depthwise else 1
    x = graph.conv(x, kernel, bias, stride=stride, pads=pads, group=group)
    if layer.options.FusedActivationFunction() != tflite.ActivationFunctionType.RELU6:
        raise ValueError("a convolution without ReLU6")
    return graph.op("Clip", x, np.array(0.0), np.array(6.0))
