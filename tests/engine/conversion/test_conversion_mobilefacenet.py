"""MobileFaceNet, put together from a damaged graph, against a reference written the slow way."""

from pathlib import Path

import numpy as np

from photocloak.engine.conversion import mobilefacenet
from tests.engine.conversion.slowly import Array, close, conv, run
from tests.engine.conversion.test_conversion_tfjs import FakeGraph

NET, LOGITS = "MobileFaceNet/MobileFaceNet", "MobileFaceNet/Logits"
CHANNELS = 4


class Layers:
    """Writes MobileFaceNet's layers and computes them as its author's script does."""

    def __init__(self) -> None:
        self.fake = FakeGraph(9)

    def conv(self, x: Array, name: str, kernel: int = 1, out: int = CHANNELS) -> Array:
        shape = (kernel, kernel, x.shape[1], out)
        hwio = self.fake.weight(f"{name}/Conv2D_weights", *shape, scale=0.5)
        stride = 2 if kernel == 3 else 1
        self.fake.node(f"{name}/BatchNorm/FusedBatchNorm", stride)
        bias = self.fake.weight(f"{name}/Conv2D_bn_offset", out)
        # 112 pixels, stride 2: TensorFlow's SAME pads at the end only.
        y = conv(x, hwio.transpose(3, 2, 0, 1), stride, (0, kernel // 2))
        return np.asarray(y + bias[:, None, None])

    def depthwise(self, x: Array, name: str, stride: int, kernel: int, same: bool) -> Array:
        shape = (kernel, kernel, CHANNELS, 1)
        hwcm = self.fake.weight(f"{name}/depthwise_weights", *shape, scale=1 / kernel)
        self.fake.node(f"{name}/depthwise", stride)
        bias = self.fake.weight(f"{name}/depthwise_bn_offset", CHANNELS)
        total = max((-(-x.shape[-1] // stride) - 1) * stride + kernel - x.shape[-1], 0)
        pads = (total // 2, total - total // 2) if same else (0, 0)
        y = conv(x, hwcm.transpose(2, 3, 0, 1), stride, pads, CHANNELS)
        return np.asarray(y + bias[:, None, None])

    def prelu(self, x: Array, name: str) -> Array:
        slope = -2 * self.fake.weight(f"{name}/mul", CHANNELS, scale=0.25)[:, None, None]
        return np.maximum(x, 0) + slope * np.minimum(x, 0)

    def block(self, x: Array, name: str, stride: int) -> Array:
        y = self.prelu(self.conv(x, f"{name}/Conv"), f"{name}/Conv")
        y = self.depthwise(y, f"{name}/SeparableConv2d", stride, 3, True)
        y = self.conv(self.prelu(y, f"{name}/SeparableConv2d"), f"{name}/Conv_1")
        return y + x if stride == 1 else y


def test_mobilefacenet_is_the_network_as_it_was_trained(tmp_path: Path) -> None:
    layers = Layers()
    chips = np.random.default_rng(0).uniform(0, 255, (2, 3, 112, 112))
    x = layers.prelu(layers.conv((chips - 127.5) / 128, f"{NET}/Conv2d_0", 3), f"{NET}/Conv2d_0")
    name = f"{NET}/SeparableConv2d"
    x = layers.conv(layers.prelu(layers.depthwise(x, name, 1, 3, True), name), f"{NET}/Conv")
    for stage, blocks in ((2, 5), (3, 1), (4, 6), (5, 1), (6, 2)):
        for i in range(blocks):
            halves = i == 0 and stage in (2, 3, 5)
            x = layers.block(x, f"{NET}/Conv2d_{stage}_InvResBlock_{i}", 2 if halves else 1)
    x = layers.prelu(layers.conv(x, f"{NET}/Conv2d_7"), f"{NET}/Conv2d_7")
    x = layers.depthwise(x, f"{LOGITS}/SeparableConv2d", 1, 7, False)
    x = layers.conv(layers.conv(x, f"{LOGITS}/Conv", out=6), f"{LOGITS}/LinearConv1x1", out=192)
    model = mobilefacenet.convert(layers.fake.write(tmp_path / "x.json"))
    close(run(model, chips=chips)[0], x[:, :, 0, 0])
