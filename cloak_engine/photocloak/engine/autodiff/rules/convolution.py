"""The input gradient of Conv, phrased so that ONNX Runtime uses its fast kernels.

Stride 1 is a plain Conv with the kernel flipped and its in and out channels swapped. With strides,
a depthwise convolution becomes the same over samples with zeros between them (a grouped
ConvTranspose runs group by group), a dense one becomes ConvTranspose.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from photocloak.engine.autodiff.backward import Tape, rule
from photocloak.engine.autodiff.graph import Array, Graph, Node
from photocloak.engine.autodiff.rules.common import insert_zeros


@dataclass(frozen=True)
class Window:
    """How a convolution or pooling slides: pairs are (vertical, horizontal)."""

    kernel: tuple[int, int]
    strides: tuple[int, int]
    dilations: tuple[int, int]
    begin: tuple[int, int]
    end: tuple[int, int]

    @property
    def span(self) -> tuple[int, int]:
        """Pixels a window covers, less one."""
        (ky, kx), (dy, dx) = self.kernel, self.dilations
        return (ky - 1) * dy, (kx - 1) * dx

    def dense_pads(self, size: tuple[int, int], output: tuple[int, int]) -> list[int]:
        """Return the pads of the stride-1 transpose over `output` with zeros inserted."""
        before = [s - b for s, b in zip(self.span, self.begin, strict=True)]
        after = [
            n + s - b - o * t
            for n, s, b, o, t in zip(size, self.span, before, output, self.strides, strict=True)
        ]
        return before + after


def image_size(graph: Graph, name: str, node: Node) -> tuple[int, int, int]:
    """Return channels, height and width of an N×C×H×W tensor."""
    shape = graph.shape(name)
    if len(shape) != 4 or None in shape[1:]:
        raise node.unsupported(f"shape {shape} where N×C×H×W with known C, H, W is needed")
    channels, height, width = (d for d in shape[1:] if d is not None)
    return channels, height, width


def window(graph: Graph, node: Node, kernel: tuple[int, int]) -> Window:
    """Read strides, dilations and pads; automatic padding is resolved from the shapes."""
    strides = tuple(node.attributes.get("strides", (1, 1)))
    dilations = tuple(node.attributes.get("dilations", (1, 1)))
    pads = tuple(node.attributes.get("pads", (0, 0, 0, 0)))
    mode = node.attributes.get("auto_pad", b"NOTSET")
    if mode in (b"SAME_UPPER", b"SAME_LOWER"):
        _, *size = image_size(graph, node.input(0), node)
        before, after = [], []
        for n, k, s, d in zip(size, kernel, strides, dilations, strict=True):
            total = max(0, (math.ceil(n / s) - 1) * s + (k - 1) * d + 1 - n)
            half = total // 2 if mode == b"SAME_UPPER" else total - total // 2
            before.append(half)
            after.append(total - half)
        pads = (*before, *after)
    return Window(kernel, strides, dilations, pads[:2], pads[2:])


def _swapped(weights: Array, groups: int) -> Array:
    """Flip a kernel O×(I/g)×h×w and swap its channels within each group: I×(O/g)×h×w."""
    out, inner, *size = weights.shape
    grouped = weights.reshape(groups, out // groups, inner, *size)
    swapped = grouped.transpose(0, 2, 1, 3, 4).reshape(groups * inner, out // groups, *size)
    return swapped[:, :, ::-1, ::-1]


@rule("Conv")
def _conv(tape: Tape, node: Node, gy: str) -> None:
    graph, x = tape.graph, node.input(0)
    weights = graph.constant(node.input(1))
    if weights is None or weights.ndim != 4:
        raise node.unsupported("its weights are not a constant 2-D kernel")
    groups = node.attributes.get("group", 1)
    slide = window(graph, node, (weights.shape[2], weights.shape[3]))
    _, *size = image_size(graph, x, node)
    _, *output = image_size(graph, node.outputs[0], node)
    pads = slide.dense_pads((size[0], size[1]), (output[0], output[1]))
    dense = slide.strides == (1, 1)
    if min(pads) >= 0 and (dense or groups > 1):
        spread = insert_zeros(graph, gy, (output[0], output[1]), slide.strides)
        kernel = graph.const(_swapped(weights, groups))
        gradient = graph.op(
            "Conv", spread, kernel, group=groups, pads=pads, dilations=slide.dilations
        )
    else:
        gradient = _conv_transpose(graph, node, gy, slide, size)
    tape.give(x, gradient)


def _conv_transpose(graph: Graph, node: Node, gy: str, slide: Window, size: list[int]) -> str:
    """Append the general form: ConvTranspose with the forward's pads and the missing samples."""
    _, *output = image_size(graph, node.outputs[0], node)
    reach = [
        t * (o - 1) + s + 1 - b - e
        for t, o, s, b, e in zip(
            slide.strides, output, slide.span, slide.begin, slide.end, strict=True
        )
    ]
    return graph.op(
        "ConvTranspose",
        gy,
        node.input(1),
        group=node.attributes.get("group", 1),
        strides=slide.strides,
        dilations=slide.dilations,
        pads=(*slide.begin, *slide.end),
        output_padding=[n - r for n, r in zip(size, reach, strict=True)],
    )
