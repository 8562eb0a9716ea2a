"""Pooling: the gradient goes to the winner (max) or is shared out (average)."""

from __future__ import annotations

import numpy as np

from photocloak.engine.autodiff.backward import Tape, rule
from photocloak.engine.autodiff.graph import Array, Node
from photocloak.engine.autodiff.rules.common import enlarge, insert_zeros, reshape_like
from photocloak.engine.autodiff.rules.convolution import Window, image_size, window


@rule("GlobalAveragePool")
def _global_average_pool(tape: Tape, node: Node, gy: str) -> None:
    graph, x = tape.graph, node.input(0)
    _, height, width = image_size(graph, x, node)
    share = np.full((1, 1, height, width), 1.0 / (height * width))
    tape.give(x, graph.op("Mul", gy, graph.const(share)))


@rule("AveragePool")
def _average_pool(tape: Tape, node: Node, gy: str) -> None:
    graph, x = tape.graph, node.input(0)
    _pooling_checks(node)
    slide = window(graph, node, tuple(node.attributes["kernel_shape"]))
    _, *size = image_size(graph, x, node)
    _, height, width = image_size(graph, node.outputs[0], node)
    pads = slide.dense_pads((size[0], size[1]), (height, width))
    if min(pads) < 0 or slide.dilations != (1, 1):
        raise node.unsupported("pads beyond the window, or dilations")
    inside = bool(node.attributes.get("count_include_pad", 0))
    counts = _counts(slide, size, (height, width), padding=inside)
    share = graph.op("Mul", gy, graph.const(1.0 / counts))
    if slide.kernel == slide.strides and not any(slide.begin + slide.end):
        gradient = _tiled(tape, share, slide, size, (height, width))
    else:
        # A sum over all windows that hold a pixel: an average of zero-padded samples, times k².
        spread = insert_zeros(graph, share, (height, width), slide.strides)
        mean = graph.op(
            "AveragePool", spread, kernel_shape=slide.kernel, pads=pads, count_include_pad=1
        )
        gradient = graph.op("Mul", mean, graph.const(float(np.prod(slide.kernel))))
    tape.give(x, gradient)


def _tiled(tape: Tape, share: str, slide: Window, size: list[int], output: tuple[int, int]) -> str:
    """Windows that tile the image: repeat each sample over its window, zeros over the rest."""
    graph = tape.graph
    repeated = enlarge(graph, share, slide.kernel)
    rest = [n - o * k for n, o, k in zip(size, output, slide.kernel, strict=True)]
    return graph.op("Pad", repeated, graph.ints(*[0] * 6, *rest)) if any(rest) else repeated


def _counts(slide: Window, size: list[int], output: tuple[int, int], *, padding: bool) -> Array:
    """Return by how much each window was divided, 1×1×h×w."""
    axes = []
    for n, o, k, t, b in zip(size, output, slide.kernel, slide.strides, slide.begin, strict=True):
        first = np.arange(o) * t - b
        covered = np.minimum(first + k, n) - np.maximum(first, 0)
        axes.append(np.full(o, k) if padding else covered)
    return np.outer(axes[0], axes[1])[None, None].astype(np.float32)


@rule("MaxPool")
def _max_pool(tape: Tape, node: Node, gy: str) -> None:
    graph, x = tape.graph, node.input(0)
    _pooling_checks(node)
    # A second MaxPool for the indices, so that the first keeps its fast kernel.
    _, winners = graph.ops("MaxPool", x, outputs=("", ""), **node.attributes)
    flat = graph.ints(-1)
    zeros = graph.op("ConstantOfShape", graph.op("Shape", graph.op("Reshape", x, flat)))
    scattered = graph.op(
        "ScatterElements",
        zeros,
        graph.op("Reshape", winners, flat),
        graph.op("Reshape", gy, flat),
        axis=0,
        reduction="add",
    )
    tape.give(x, reshape_like(graph, scattered, x))


def _pooling_checks(node: Node) -> None:
    if node.attributes.get("ceil_mode", 0):
        raise node.unsupported("ceil_mode")
