"""FaceMesh, walked back from its outputs, against a reference written the slow way."""

from pathlib import Path

import numpy as np
import pytest

from photocloak.core import ModelError
from photocloak.engine.conversion import facemesh
from tests.engine.conversion.slowly import Array, close, conv, run
from tests.engine.conversion.test_conversion_tfjs import FakeGraph

CHANNELS = 4


class Layers:
    """Writes layers as FaceMesh has them, and computes them; tensors go by their node's name."""

    def __init__(self, crops: Array) -> None:
        self.fake = FakeGraph(11)
        self.made = {"input_1": crops / 255}

    def conv(self, x: str, name: str, *, edge: int, stride: int, out: int, prelu: bool) -> str:
        taken = self.made[x]
        hwio = self.fake.weight(f"{name}/w", edge, edge, taken.shape[1], out, scale=0.5)
        names = [x, f"{name}/w", f"{name}/b", f"{name}/Neg"][: 4 if prelu else 3]
        same = stride == 2
        self.fake.node(name, stride, op="_FusedConv2D", inputs=names, same=same)
        bias = self.fake.weight(f"{name}/b", out)
        # 192 pixels, 3 × 3, stride 2: TensorFlow's SAME pads at the end only.
        y = conv(taken, hwio.transpose(3, 2, 0, 1), stride, (0, 1) if same else (0, 0))
        y = y + bias[:, None, None]
        self.made[name] = self._prelu(y, f"{name}/Neg") if prelu else y
        return name

    def depthwise(self, x: str, name: str, *, stride: int, pads: tuple[int, int]) -> str:
        hwcm = self.fake.weight(f"{name}/w", 3, 3, self.made[x].shape[1], 1, scale=0.4)
        inputs = [x, f"{name}/w"]
        self.fake.node(name, stride, op="DepthwiseConv2dNative", inputs=inputs)
        self.made[name] = conv(
            self.made[x], hwcm.transpose(2, 3, 0, 1), stride, pads, len(hwcm[0, 0])
        )
        return name

    def prelu(self, x: str, name: str) -> str:
        self.fake.node(name, 1, op="Prelu", inputs=[x, f"{name}/Neg"])
        self.made[name] = self._prelu(self.made[x], f"{name}/Neg")
        return name

    def add(self, x: str, y: str, name: str) -> str:
        self.fake.node(name, 1, op="AddV2", inputs=[x, y])
        self.made[name] = self.made[x] + self.made[y]
        return name

    def max_pool(self, x: str, name: str) -> str:
        self.fake.node(name, 2, op="MaxPool", inputs=[x], same=False)
        n, c, h, w = self.made[x].shape
        self.made[name] = self.made[x].reshape(n, c, h // 2, 2, w // 2, 2).max(axis=(3, 5))
        return name

    def pad(self, x: str, name: str, more: int) -> str:
        pads = np.array([[0, 0], [0, 0], [0, 0], [0, more]])
        self.fake.weights[f"{name}/paddings"] = pads.astype(np.float64)
        self.fake.node(name, 1, op="Pad", inputs=[x, f"{name}/paddings"])
        self.made[name] = np.pad(self.made[x], ((0, 0), (0, more), (0, 0), (0, 0)))
        return name

    def alias(self, x: str, name: str, op: str) -> str:
        inputs = [x, "shape"] if op == "Reshape" else [x]
        self.fake.node(name, 1, op=op, inputs=inputs)
        self.made[name] = 1 / (1 + np.exp(-self.made[x])) if op == "Sigmoid" else self.made[x]
        return name

    def _prelu(self, x: Array, name: str) -> Array:
        slope = self.fake.weight(name, 1, 1, x.shape[1], scale=0.5).reshape(-1, 1, 1)
        return np.asarray(np.maximum(x, 0) + slope * np.minimum(x, 0))


@pytest.fixture(scope="module")
def layers() -> Layers:
    """A network with each kind of layer and shortcut of FaceMesh, and all three heads."""
    net = Layers(np.random.default_rng(0).uniform(0, 255, (2, 3, 192, 192)))
    x = net.conv("input_1", "first", edge=3, stride=2, out=CHANNELS, prelu=True)  # 96 pixels
    y = net.depthwise(x, "dw1", stride=1, pads=(1, 1))
    y = net.conv(y, "pw1", edge=1, stride=1, out=CHANNELS, prelu=False)
    x = net.prelu(net.add(x, y, "add1"), "prelu1")
    y = net.depthwise(x, "dw2", stride=2, pads=(0, 1))  # 48 pixels
    y = net.conv(y, "pw2", edge=1, stride=1, out=2 * CHANNELS, prelu=False)
    shortcut = net.pad(net.max_pool(x, "pool"), "pad", CHANNELS)
    x = net.prelu(net.add(shortcut, y, "add2"), "prelu2")
    x = net.depthwise(x, "dw3", stride=4, pads=(0, 0))  # 12 pixels
    x = net.depthwise(x, "dw4", stride=4, pads=(0, 0))  # 3 pixels
    for head, out, name in (("mesh", 1404, "Identity_2"), ("flag", 1, "Identity_1")):
        y = net.conv(x, head, edge=3, stride=3, out=out, prelu=False)
        if head == "flag":
            y = net.alias(y, "sigmoid", "Sigmoid")
        net.alias(net.alias(y, f"{head}/Reshape", "Reshape"), name, "Identity")
    contours = net.conv(x, "contours", edge=3, stride=3, out=5, prelu=False)
    net.alias(contours, "Identity", "Identity")
    return net


def test_facemesh_is_the_original_graph(layers: Layers, tmp_path: Path) -> None:
    model = facemesh.convert(layers.fake.write(tmp_path / "x.json"))
    assert [o.name for o in model.graph.output] == ["points", "presence"]
    assert sum(n.op_type == "Conv" for n in model.graph.node) == 9  # without contours
    points, presence = run(model, crops=layers.made["input_1"] * 255)
    close(points, layers.made["Identity_2"].reshape(2, 468, 3)[..., :2])
    close(presence, layers.made["Identity_1"].reshape(2, 1))


def test_another_operator_is_refused(layers: Layers, tmp_path: Path) -> None:
    net = FakeGraph(12)
    net.node("Identity_2", 1, op="Tanh", inputs=["input_1"])
    with pytest.raises(ModelError, match="not FaceMesh: it has a Tanh"):
        facemesh.convert(net.write(tmp_path / "x.json"))
