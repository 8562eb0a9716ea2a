"""ONNX operators as torch functions: the table that runs a graph under autograd.

An entry takes a node's attributes and its inputs (None: omitted) and returns its output, or a tuple
of them. This module imports torch; import it only where torch is known to be there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import torch
from torch.nn import functional as f

from photocloak.engine.autodiff.graph import Node

Tensor = Any
Attributes = Mapping[str, Any]
Operator = Callable[..., Any]


def place(nodes: Sequence[Node], constants: Mapping[str, Tensor], device: str) -> dict[str, Tensor]:
    """Return constants where operators want them: numbers on the device, what they read with us.

    That is shapes, axes and places, all integers, and what Pad fills with; from a device each read
    would wait for all that is being computed there.
    """
    read = {name for name, value in constants.items() if value.dtype in (torch.int64, torch.int32)}
    read |= {node.input(2) for node in nodes if node.op == "Pad"}
    return {name: value if name in read else value.to(device) for name, value in constants.items()}


def _together(*inputs: Tensor) -> tuple[Tensor, ...]:
    """Move what is with us to the device where others of the inputs are."""
    far = [one.device for one in inputs if one is not None and one.device.type != "cpu"]
    return tuple(one if one is None else one.to(far[0]) for one in inputs) if far else inputs


def _plain(function: Operator) -> Operator:
    """Adapt a function of the inputs alone."""
    return lambda _attributes, *inputs: function(*_together(*inputs))


def _padded(a: Attributes, x: Tensor, kernel: tuple[int, ...], value: float) -> Tensor:
    """Pad for a window as `pads` or `auto_pad` say; torch's own padding is symmetric only."""
    pads = list(a.get("pads", [0] * 2 * len(kernel)))
    if a.get("auto_pad", b"NOTSET") in (b"SAME_UPPER", b"SAME_LOWER"):
        steps, gaps = a.get("strides", [1] * len(kernel)), a.get("dilations", [1] * len(kernel))
        totals = [
            max(0, (math.ceil(n / s) - 1) * s + (k - 1) * d + 1 - n)
            for n, k, s, d in zip(x.shape[2:], kernel, steps, gaps, strict=True)
        ]
        less, more = [t // 2 for t in totals], [t - t // 2 for t in totals]
        pads = less + more if a["auto_pad"] == b"SAME_UPPER" else more + less
    return f.pad(x, _reversed_pads(pads), value=value) if any(pads) else x


def _reversed_pads(pads: list[int]) -> list[int]:
    """ONNX lists all begins, then all ends; torch lists pairs from the last axis on."""
    half = len(pads) // 2
    return [p for i in reversed(range(half)) for p in (pads[i], pads[half + i])]


def _pad(a: Attributes, x: Tensor, pads: Tensor, value: Tensor = None, *_axes: Tensor) -> Tensor:
    listed = _reversed_pads(pads.tolist())
    while listed and listed[-2:] == [0, 0]:  # torch reflects along the last axes only
        del listed[-2:]
    fill = 0.0 if value is None else float(value)
    return f.pad(x, listed, a.get("mode", b"constant").decode(), fill)


def _conv(a: Attributes, x: Tensor, weight: Tensor, bias: Tensor = None) -> Tensor:
    run = {3: f.conv1d, 4: f.conv2d, 5: f.conv3d}[x.ndim]
    x = _padded(a, x, tuple(weight.shape[2:]), 0.0)
    strides, dilations = a.get("strides", 1), a.get("dilations", 1)
    return run(x, weight, bias, strides, 0, dilations, a.get("group", 1))


def _max_pool(a: Attributes, x: Tensor) -> Tensor:
    x = _padded(a, x, tuple(a["kernel_shape"]), -math.inf)
    ceil = bool(a.get("ceil_mode", 0))
    return f.max_pool2d(
        x, a["kernel_shape"], a.get("strides", 1), 0, a.get("dilations", 1), ceil_mode=ceil
    )


def _average_pool(a: Attributes, x: Tensor) -> Tensor:
    kernel, strides = a["kernel_shape"], a.get("strides", 1)
    ceil = bool(a.get("ceil_mode", 0))
    sums = f.avg_pool2d(_padded(a, x, tuple(kernel), 0.0), kernel, strides, ceil_mode=ceil)
    if a.get("count_include_pad", 0):
        return sums
    inside = _padded(a, torch.ones_like(x[:1, :1]), tuple(kernel), 0.0)
    return sums / f.avg_pool2d(inside, kernel, strides, ceil_mode=ceil)


def _gemm(a: Attributes, x: Tensor, y: Tensor, z: Tensor = None) -> Tensor:
    x, y = (x.T if a.get("transA") else x), (y.T if a.get("transB") else y)
    product = a.get("alpha", 1.0) * (x @ y)
    return product if z is None else product + a.get("beta", 1.0) * z


def _reshape(a: Attributes, x: Tensor, shape: Tensor) -> Tensor:
    keep = not a.get("allowzero", 0)
    return x.reshape([x.shape[i] if n == 0 and keep else n for i, n in enumerate(shape.tolist())])


def _slice(
    _a: Attributes, x: Tensor, starts: Tensor, ends: Tensor, axes: Tensor = None, by: Tensor = None
) -> Tensor:
    which = range(len(starts)) if axes is None else axes.tolist()
    steps = [1] * len(starts) if by is None else by.tolist()
    for axis, start, end, step in zip(which, starts.tolist(), ends.tolist(), steps, strict=True):
        picked, last = range(*slice(start, end, step).indices(x.shape[axis])), x.shape[axis] - 1
        if step < 0:  # which torch does not slice by
            x, picked = x.flip(axis), range(last - picked.start, last - picked.stop, -step)
        along = slice(picked.start, picked.stop, picked.step)
        x = x[(*[slice(None)] * (axis % x.ndim), along)]
    return x


def _split(a: Attributes, x: Tensor, sizes: Tensor = None) -> Tensor:
    axis = a.get("axis", 0)
    if sizes is not None:
        return x.split(sizes.tolist(), axis)
    return x.chunk(a["num_outputs"], axis)


def _gather(a: Attributes, x: Tensor, index: Tensor) -> Tensor:
    axis, (x, index) = a.get("axis", 0) % x.ndim, _together(x, index)
    flat = x.index_select(axis, index.reshape(-1) % x.shape[axis])
    return flat.reshape((*x.shape[:axis], *index.shape, *x.shape[axis + 1 :]))


def _reduction(function: Operator) -> Operator:
    def reduce(a: Attributes, x: Tensor, axes: Tensor = None) -> Tensor:
        listed = a.get("axes") if axes is None else axes.tolist()
        return function(x, tuple(listed or range(x.ndim)), keepdim=bool(a.get("keepdims", 1)))

    return reduce


def _unsqueeze(a: Attributes, x: Tensor, axes: Tensor = None) -> Tensor:
    listed = a["axes"] if axes is None else axes.tolist()
    for axis in sorted(i % (x.ndim + len(listed)) for i in listed):
        x = x.unsqueeze(axis)
    return x


def _squeeze(a: Attributes, x: Tensor, axes: Tensor = None) -> Tensor:
    listed = a.get("axes") if axes is None else axes.tolist()
    return x.squeeze() if listed is None else x.squeeze(tuple(listed))


# onnx.TensorProto.DataType
_TYPES: Final = {
    1: torch.float32,
    6: torch.int32,
    7: torch.int64,
    9: torch.bool,
    10: torch.float16,
    11: torch.float64,
}

_ELEMENTWISE: Final = {
    **{name: getattr(torch, name.lower()) for name in (
        "Abs", "Add", "Ceil", "Cos", "Div", "Erf", "Exp", "Floor", "Log", "MatMul", "Mul", "Neg",
        "Pow", "Reciprocal", "Relu", "Round", "Sigmoid", "Sign", "Sin", "Sqrt", "Sub", "Tanh",
        "Where",
    )},
    "Clip": torch.clamp,
    "Dropout": lambda x, *_: x,
    "GlobalAveragePool": lambda x: x.mean((2, 3), keepdim=True),
    "GlobalMaxPool": lambda x: x.amax((2, 3), keepdim=True),
    "HardSwish": f.hardswish,
    "Identity": lambda x: x,
    "Max": lambda *x: torch.stack(torch.broadcast_tensors(*x)).amax(0),
    "Min": lambda *x: torch.stack(torch.broadcast_tensors(*x)).amin(0),
    "Mish": f.mish,
    "PRelu": lambda x, slope: f.prelu(x, slope.reshape(-1)),
    "Shape": lambda x: torch.tensor(x.shape),
    "Softplus": f.softplus,
    "Softsign": f.softsign,
    "Sum": lambda *x: sum(x[1:], x[0]),
}  # fmt: skip

OPERATORS: Final[dict[str, Operator]] = {
    **{name: _plain(function) for name, function in _ELEMENTWISE.items()},
    "AveragePool": _average_pool,
    "BatchNormalization": lambda a, x, scale, bias, mean, variance: f.batch_norm(
        x, mean, variance, scale, bias, eps=a.get("epsilon", 1e-5)
    ),
    "Cast": lambda a, x: x.to(_TYPES[a["to"]]),
    "Concat": lambda a, *x: torch.cat(_together(*x), a["axis"]),
    "Conv": _conv,
    "Elu": lambda a, x: f.elu(x, a.get("alpha", 1.0)),
    "Expand": lambda _a, x, shape: x.expand(torch.broadcast_shapes(x.shape, shape.tolist())),
    "Flatten": lambda a, x: x.reshape(math.prod(x.shape[: a.get("axis", 1)]), -1),
    "Gather": _gather,
    "Gelu": lambda a, x: f.gelu(x, approximate=a.get("approximate", b"none").decode()),
    "Gemm": _gemm,
    "HardSigmoid": lambda a, x: (a.get("alpha", 0.2) * x + a.get("beta", 0.5)).clamp(0, 1),
    "InstanceNormalization": lambda a, x, scale, bias: f.instance_norm(
        x, weight=scale, bias=bias, eps=a.get("epsilon", 1e-5)
    ),
    "LayerNormalization": lambda a, x, scale, bias=None: f.layer_norm(
        x, x.shape[a.get("axis", -1) :], scale, bias, a.get("epsilon", 1e-5)
    ),
    "LeakyRelu": lambda a, x: f.leaky_relu(x, a.get("alpha", 0.01)),
    "LpNormalization": lambda a, x: f.normalize(x, a.get("p", 2), a.get("axis", -1)),
    "MaxPool": _max_pool,
    "Pad": _pad,
    "ReduceL2": _reduction(lambda x, axes, keepdim: torch.linalg.vector_norm(x, 2, axes, keepdim)),
    "ReduceMax": _reduction(torch.amax),
    "ReduceMean": _reduction(torch.mean),
    "ReduceSum": _reduction(torch.sum),
    "Reshape": _reshape,
    "Slice": _slice,
    "Softmax": lambda a, x: f.softmax(x, a.get("axis", -1)),
    "Split": _split,
    "Squeeze": _squeeze,
    "Transpose": lambda a, x: x.permute(a.get("perm", list(range(x.ndim))[::-1])),
    "Unsqueeze": _unsqueeze,
}  # fmt: skip


def evaluate(nodes: Sequence[Node], values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Run nodes in order and return all tensors by name; `values` are inputs and constants."""
    found = {**values, "": None}
    for node in nodes:
        attributes = {"num_outputs": len(node.outputs), **node.attributes}
        result = OPERATORS[node.op](attributes, *(found[name] for name in node.inputs))
        results = result if isinstance(result, tuple) else (result,)
        found.update(zip(node.outputs, results, strict=False))
    return found
