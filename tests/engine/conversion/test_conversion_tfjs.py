"""HSE MobileNet and MobileFace from TensorFlow.js, against references written the slow way."""

import json
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from photocloak.core import ModelError
from photocloak.engine.conversion import tfjs
from tests.engine.conversion.slowly import Array, close, conv, run


class FakeGraph:
    """Writes a TensorFlow.js graph model: nodes with strides, weights in half precision."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self.weights: dict[str, Array] = {}
        self._nodes: list[dict[str, object]] = []

    def weight(self, name: str, *shape: int, scale: float = 1.0, shift: float = 0.0) -> Array:
        values = self._rng.standard_normal(shape) * scale + shift
        self.weights[name] = values.astype(np.float16).astype(np.float64)
        return self.weights[name]

    def node(
        self, name: str, stride: int, *, op: str = "", inputs: Sequence[str] = (), same: bool = True
    ) -> None:
        strides = {"list": {"i": ["1", str(stride), str(stride), "1"]}}
        padding = b64encode(b"SAME" if same else b"VALID").decode()
        attributes = {"strides": strides, "padding": {"s": padding}}
        self._nodes.append({"name": name, "op": op, "input": list(inputs), "attr": attributes})

    def write(self, path: Path) -> Path:
        half = {"dtype": "float16", "original_dtype": "float32"}
        entries = [
            {"name": n, "shape": list(w.shape), "dtype": "float32", "quantization": half}
            for n, w in self.weights.items()
        ]
        groups = [{"paths": ["x.bin"], "weights": entries}]
        path.write_text(
            json.dumps({"modelTopology": {"node": self._nodes}, "weightsManifest": groups})
        )
        data = b"".join(w.astype("<f2").tobytes() for w in self.weights.values())
        path.with_name("x.bin").write_bytes(data)
        return path


def test_hse_is_the_original_graph_fed_with_bgr_less_the_mean(tmp_path: Path) -> None:
    fake = FakeGraph(1)
    fake.weights["a/Cast"] = np.array(6.0)
    chips = np.random.default_rng(0).uniform(0, 255, (2, 3, 224, 224))
    x = (chips - np.reshape([123.68, 116.779, 103.939], (1, 3, 1, 1)))[:, ::-1]
    channels, size = 3, 224
    layers = [
        ("conv1", 4, 2),
        *(
            (f"conv_{k}_{i}", 4, 1 + (k == "dw" and i in (2, 4, 6, 12)))
            for i in range(1, 14)
            for k in ("dw", "pw")
        ),
    ]
    layers[-1] = ("conv_pw_13", 1024, 1)
    for name, filters, stride in layers:
        norm = f"{name}_bn/batchnorm_1"
        depthwise = "dw" in name
        shift = fake.weight(f"{norm}/sub", channels if depthwise else filters, shift=1.0)
        if depthwise:
            hwcm = fake.weight(f"{name}/depthwise_kernel", 3, 3, channels, 1, scale=0.4)
            gain = fake.weight(f"{norm}/mul", channels, shift=1.0)
            fake.node(f"{name}/depthwise", stride)
            kernel, k = hwcm.transpose(2, 3, 0, 1), 3
        else:
            k = 3 if name == "conv1" else 1
            scale = 0.005 if name == "conv1" else 0.7
            gain = np.ones(filters)
            merged = f"{name}/convolution/merged_input"
            kernel = fake.weight(merged, k, k, channels, filters, scale=scale).transpose(3, 2, 0, 1)
            fake.node(f"{norm}/mul_1", stride)
        out = -(-size // stride)
        total = max((out - 1) * stride + k - size, 0)  # TensorFlow's documentation of SAME
        pads = (total // 2, total - total // 2)
        x = conv(x, kernel, stride, pads, channels if depthwise else 1)
        x = x * gain[:, None, None] + shift[:, None, None]
        x = np.maximum(np.minimum(np.maximum(x, 0), 6), 0)
        channels, size = len(shift), out
    [found] = run(tfjs.hse(fake.write(tmp_path / "x.json")), chips=chips)
    close(found, x.mean(axis=(2, 3)))


def test_hse_heads(tmp_path: Path) -> None:
    fake = FakeGraph(2)
    features = np.abs(np.random.default_rng(0).standard_normal((3, 1024)))

    def dense(x: Array, name: str, rows: int, columns: int) -> Array:
        kernel = fake.weight(f"{name}/kernel", rows, columns, scale=0.03)
        return np.asarray(x @ kernel + fake.weight(f"{name}/bias", columns))

    hidden = np.maximum(dense(features, "feats", 1024, 256), 0)
    age = np.exp(dense(hidden, "age_pred", 256, 100))
    sex = 1 / (1 + np.exp(-dense(hidden, "gender_pred", 256, 1)))
    found = run(tfjs.hse_attributes(fake.write(tmp_path / "x.json")), embedding=features)
    close(found[0], age / age.sum(axis=1, keepdims=True))
    close(found[1], sex)


def test_another_activation_is_refused(tmp_path: Path) -> None:
    fake = FakeGraph(3)
    fake.weights["a/Cast"] = np.array(4.0)
    with pytest.raises(ModelError, match="a/Cast is 4"):
        tfjs.hse(fake.write(tmp_path / "x.json"))


def test_mobileface_is_the_original_graph(tmp_path: Path) -> None:
    fake = FakeGraph(4)
    fake.weights["Maximum/x"] = np.array(0.0)
    fake.weights["minusscalar0_second"] = np.array([127.5])
    fake.weights["mulscalar0_second"] = np.array([0.0078125])
    chips = np.random.default_rng(0).uniform(0, 255, (2, 3, 112, 112))

    def prelu(x: Array, name: str) -> Array:
        slope = fake.weight(f"{name}_gamma", x.shape[1], scale=0.5)[:, None, None]
        return np.maximum(0, x) + slope * np.minimum(0, x)

    fake.node("conv1", 2)
    kernel = fake.weight("conv1_weight", 3, 3, 3, 4, scale=0.3).transpose(3, 2, 0, 1)
    x = prelu(conv((chips - 127.5) * 0.0078125, kernel, 2, (1, 1)), "prelu1")
    count = 0
    for stage in range(1, 5):
        unit = f"stage{stage}_unit1"
        pointwise = fake.weight(f"{unit}_conv0_0_weight", 1, 1, 4, 4, scale=0.5)
        x = conv(x, pointwise.transpose(3, 2, 0, 1), 1, (0, 0))
        outputs: list[Array] = []
        for step, (layer, stride) in enumerate((("conv0_1", 2), ("conv1", 1), ("conv2", 1))):
            fake.node("depthwise" if count == 0 else f"depthwise_{count}", stride)
            hwcm = fake.weight(f"{unit}_{layer}_df", 3, 3, 4, 1, scale=0.4)
            x = prelu(conv(x, hwcm.transpose(2, 3, 0, 1), stride, (1, 1), 4), f"{unit}_prelu{step}")
            outputs.append(x)
            count += 1
        x = outputs[0] + outputs[-1]
    flat = x.transpose(0, 2, 3, 1).reshape(2, -1) @ fake.weight("dense/kernel", 64, 256)
    wanted = flat * fake.weight("batchnorm0/mul", 256) + fake.weight("batchnorm0/sub", 256)
    [found] = run(tfjs.mobileface(fake.write(tmp_path / "x.json")), chips=chips)
    close(found, wanted)
