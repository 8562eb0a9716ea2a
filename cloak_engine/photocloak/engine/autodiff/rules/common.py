"""What several rules share, each phrased as ONNX Runtime runs it fastest."""

from __future__ import annotations

from typing import Final

import numpy as np

from photocloak.engine.autodiff.graph import Array, Graph, Shape

_EPSILON: Final = 2.0**-10  # 1 − ε is exact, so that the normalisation divides by exactly 1
_HUGE: Final = 1e30


def broadcast_shape(left: Shape, right: Shape) -> Shape:
    """Return the shape two tensors broadcast to; the batch is never broadcast against itself."""
    rank = max(len(left), len(right))
    left, right = (1,) * (rank - len(left)) + left, (1,) * (rank - len(right)) + right
    return tuple(b if a == 1 else a for a, b in zip(left, right, strict=True))


def unbroadcast(graph: Graph, gradient: str, source: Shape, target: str) -> str:
    """Sum a gradient of shape `source` down to the shape of the tensor it belongs to."""
    shape = graph.shape(target)
    lead = len(source) - len(shape)
    ones = [lead + i for i, d in enumerate(shape) if d == 1 and source[lead + i] != 1]
    if ones:
        gradient = graph.op("ReduceSum", gradient, graph.ints(*ones), keepdims=1)
    if lead:
        gradient = graph.op("ReduceSum", gradient, graph.ints(*range(lead)), keepdims=0)
    return gradient


def reshape_like(graph: Graph, tensor: str, like: str) -> str:
    """Reshape to another tensor's shape; only the batch may be unknown."""
    shape = graph.shape(like)
    if shape.count(None) > 1:
        return graph.op("Reshape", tensor, graph.op("Shape", like))
    return graph.op("Reshape", tensor, graph.ints(*(-1 if d is None else d for d in shape)))


def insert_zeros(graph: Graph, tensor: str, size: tuple[int, int], strides: tuple[int, int]) -> str:
    """Follow every sample of N×C×h×w by stride − 1 zeros, down and across: N×C×(h·sy)×(w·sx).

    This turns the transpose of a strided window into that of a dense one. Nearest-neighbour
    enlargement times a mask costs a third of what padding a 6-D reshape does.
    """
    if strides == (1, 1):
        return tensor
    mask = np.zeros((1, 1, size[0] * strides[0], size[1] * strides[1]))
    mask[:, :, :: strides[0], :: strides[1]] = 1.0
    return graph.op("Mul", enlarge(graph, tensor, strides), graph.const(mask))


def enlarge(graph: Graph, tensor: str, factors: tuple[int, int]) -> str:
    """Repeat every sample of N×C×h×w, down and across."""
    return graph.op(
        "Resize",
        tensor,
        "",
        graph.const([1.0, 1.0, *factors]),
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )


def affine(graph: Graph, tensor: str, scale: Array, bias: Array) -> str:
    """Append scale · x + bias; both are one number, or C×1×1 for images N×C×H×W.

    For images as BatchNormalization: ONNX Runtime keeps that in its blocked layout, where Mul and
    Add with broadcasting would cost two reorderings and two passes.
    """
    if scale.ndim != 3:
        product = graph.op("Mul", tensor, graph.const(scale))
        return graph.op("Add", product, graph.const(bias))
    channels = scale.size
    return graph.op(
        "BatchNormalization",
        tensor,
        graph.const(scale.reshape(-1)),
        graph.const(bias.reshape(-1)),
        graph.const(np.zeros(channels)),
        graph.const(np.full(channels, 1.0 - _EPSILON)),
        epsilon=_EPSILON,
    )


def sign(graph: Graph, tensor: str, shape: Shape) -> str:
    """Append −1, 0 or 1 by the sign of the elements.

    For images as the Tanh of hugely scaled values, which stays in the blocked layout and is
    vectorised; ONNX Runtime's Sign is neither, Where and comparisons are slower still.
    """
    channels = shape[1] if len(shape) == 4 else None
    if channels is None:
        return graph.op("Sign", tensor)
    scale = np.full((channels, 1, 1), _HUGE)
    return graph.op("Tanh", affine(graph, tensor, scale, np.zeros_like(scale)))


def slope(graph: Graph, tensor: str, shape: Shape, alpha: Array) -> str:
    """Append 1 where the tensor is positive and α where it is negative; (1 + α)/2 at 0."""
    if len(shape) == 4 and shape[1] is not None:
        alpha = np.broadcast_to(alpha, (shape[1], 1, 1))
    return affine(graph, sign(graph, tensor, shape), (1.0 - alpha) / 2.0, (1.0 + alpha) / 2.0)
