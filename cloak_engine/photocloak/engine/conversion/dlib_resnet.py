"""dlib's face recognition ResNet-29 v1, from its `.dat` file.

The file is dlib's serialised network: layers in forward order, each tensor as a version byte pair
01 02, four variable-length integers (samples, channels, rows, columns) and little-endian float32.
Layers that have parameters are 29 pairs of a convolution (filters, then biases, flat) and an
affine (the batch normalisation: all gammas, then all betas), then the fully connected layer.
"""

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from photocloak.core import ModelError
from photocloak.engine.conversion.writer import GraphWriter

Array = NDArray[np.float64]

SIZE = 150
MEAN = (122.782, 117.001, 104.298)
SCALE = 256.0
SAME = (1, 1, 1, 1)
LARGEST_GAP = 1024
"""Bytes of names and settings that may lie between two tensors."""
# (filters, down) of the fourteen residual blocks: dlib's dnn_face_recognition_ex.cpp.
BLOCKS = (
    *[(32, False)] * 3,
    (64, True),
    *[(64, False)] * 3,
    (128, True),
    *[(128, False)] * 2,
    (256, True),
    *[(256, False)] * 2,
    (256, True),
)


def convert(path: Path) -> onnx.ModelProto:
    """Return the network: chips (N, 3, 150, 150) RGB 0..255 to embedding (N, 128)."""
    layers = _Layers(path)
    graph = GraphWriter("dlib", "chips", ["N", 3, SIZE, SIZE])
    kernel, bias = layers.convolution(32, 3, 7)
    # No padding follows, so that mean and scale fold into the first convolution exactly.
    kernel /= SCALE
    bias -= (kernel * np.reshape(MEAN, (1, 3, 1, 1))).sum(axis=(1, 2, 3))
    x = graph.op("Relu", graph.conv("chips", kernel, bias, stride=2))
    x = graph.op("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2])
    size, channels = (((SIZE - 7) // 2 + 1) - 3) // 2 + 1, 32
    for filters, down in BLOCKS:
        if down:
            x, size = _down(graph, layers, x, size, (channels, filters))
        else:
            x = _residual(graph, layers, x, filters)
        channels = filters
    x = graph.op("Flatten", graph.op("GlobalAveragePool", x))
    graph.op("MatMul", x, layers.matrix(channels, 128), output="embedding")
    graph.output("embedding", ["N", 128])
    layers.finish()
    return graph.model()


def _residual(graph: GraphWriter, layers: "_Layers", x: str, filters: int) -> str:
    """Append a residual block that keeps the size."""
    y = graph.conv(x, *layers.convolution(filters, filters, 3), pads=SAME)
    y = graph.conv(graph.op("Relu", y), *layers.convolution(filters, filters, 3), pads=SAME)
    return graph.op("Relu", graph.op("Add", y, x))


def _down(
    graph: GraphWriter, layers: "_Layers", x: str, size: int, channels: tuple[int, int]
) -> tuple[str, int]:
    """Append a residual block that halves the size; return its output and the new size."""
    before, after = channels
    y = graph.conv(x, *layers.convolution(after, before, 3), stride=2)
    y = graph.conv(graph.op("Relu", y), *layers.convolution(after, after, 3), pads=SAME)
    x = graph.op("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
    # dlib's add_prev pads the smaller of both sides with zeros, at the end of each axis.
    main, shortcut = (size - 3) // 2 + 1, size // 2
    size = max(main, shortcut)
    y = _padded(graph, y, 0, size - main)
    x = _padded(graph, x, after - before, size - shortcut)
    return graph.op("Relu", graph.op("Add", y, x)), size


def _padded(graph: GraphWriter, x: str, channels: int, edge: int) -> str:
    if channels == 0 and edge == 0:
        return x
    return graph.op("Pad", x, np.array([0, 0, 0, 0, 0, channels, edge, edge], np.int64))


class _Layers:
    """The parameters of the file, in forward order."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._data = path.read_bytes()
        self._at = 0

    def _next(self, count: int) -> Array:
        """Return the next tensor of `count` numbers, flat, stepping over names and settings."""
        at, limit = self._at, self._at + LARGEST_GAP
        while (at := self._data.find(b"\x01\x02", at, limit)) >= 0:
            size, start = _size(self._data, at + 2)
            if size == count and start + 4 * count <= len(self._data):
                self._at = start + 4 * count
                return np.frombuffer(self._data, "<f4", count, start).astype(np.float64)
            at += 1
        raise ModelError(f"{self._path} is not dlib's ResNet v1: a layer of {count} is missing.")

    def convolution(self, filters: int, channels: int, edge: int) -> tuple[Array, Array]:
        """Return kernel and bias of the next convolution with its affine folded in."""
        count = filters * channels * edge * edge
        flat = self._next(count + filters)
        gamma, beta = np.split(self._next(2 * filters), 2)
        kernel = flat[:count].reshape(filters, channels, edge, edge)
        return kernel * gamma[:, None, None, None], flat[count:] * gamma + beta

    def matrix(self, rows: int, columns: int) -> Array:
        """Return the fully connected layer as (rows, columns)."""
        return self._next(rows * columns).reshape(rows, columns)

    def finish(self) -> None:
        """Raise ModelError unless the file ends here."""
        if len(self._data) - self._at > LARGEST_GAP:
            raise ModelError(f"{self._path} has more layers than dlib's ResNet v1.")


def _size(data: bytes, at: int) -> tuple[int, int]:
    """Return the element count that four variable-length integers give, and the offset after."""
    count = 1
    for _ in range(4):
        width = data[at] if at < len(data) else 0
        if not 1 <= width <= 4:
            return 0, at
        count *= int.from_bytes(data[at + 1 : at + 1 + width], "little")
        at += 1 + width
    return count, at
