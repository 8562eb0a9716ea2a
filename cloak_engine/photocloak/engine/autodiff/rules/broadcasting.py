"""What several rules share: undoing NumPy broadcasting, and zeros between samples."""

from __future__ import annotations

from collections.abc import Sequence

from photocloak.engine.autodiff.graph import Graph, Shape


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


def insert_zeros(graph: Graph, tensor: str, shape: Sequence[int], strides: Sequence[int]) -> str:
    """Follow every sample of N×C×h×w (`shape` is C, h, w) by stride − 1 zeros in both directions: N×C×(h·sy)×(w·sx).

    This turns the transpose of a strided window into that of a dense one.
    """
    if all(s == 1 for s in strides):
        return tensor
    (channels, height, width), (sy, sx) = shape, strides
    split = graph.op("Reshape", tensor, graph.ints(-1, height, 1, width, 1))
    zeros = graph.ints(0, 0, 0, 0, 0, 0, 0, sy - 1, 0, sx - 1)
    padded = graph.op("Pad", split, zeros)
    return graph.op("Reshape", padded, graph.ints(-1, channels, height * sy, width * sx))
