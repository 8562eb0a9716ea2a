"""SFace and YuNet, converted from quantised files, against references written the slow way."""

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from photocloak.engine.conversion import opencv_zoo
from tests.engine.conversion.slowly import close, run


class Quantised:
    """Writes an ONNX graph whose weights are block-quantised as the OpenCV Zoo's are."""

    def __init__(self) -> None:
        self._rng = np.random.default_rng(8)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def constant(self, values: NDArray[np.generic], name: str) -> str:
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def floats(self, name: str, *shape: int, shift: float = 0.0) -> str:
        values = self._rng.standard_normal(shape) * 0.2 + shift
        return self.constant(values.astype(np.float32), name)

    def weight(self, name: str, shape: tuple[int, ...], block: int) -> str:
        rows, columns = shape[0], int(np.prod(shape[1:]))
        blocks = -(-columns // block)
        q = self._rng.integers(-127, 128, (rows, columns)).astype(np.int8)
        scale = self._rng.uniform(0.5, 2, (rows, blocks)).astype(np.float32) / 127 / columns**0.5
        zero = self._rng.integers(-3, 4, (rows, blocks)).astype(np.int8)
        inputs = [
            self.constant(q, f"{name}_q"),
            self.constant(scale, f"{name}_scale"),
            self.constant(zero, f"{name}_zero"),
        ]
        self.nodes.append(
            helper.make_node("DequantizeLinear", inputs, [f"{name}_d"], axis=1, block_size=block)
        )
        self.constant(np.array(shape, np.int64), f"{name}_shape")
        self.nodes.append(helper.make_node("Reshape", [f"{name}_d", f"{name}_shape"], [name]))
        return name

    def model(self, outputs: list[str], shape: list[int], name: str) -> onnx.ModelProto:
        graph = helper.make_graph(
            self.nodes,
            "x",
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) for o in outputs],
            self.weights,
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def test_sface_is_the_quantised_graph(tmp_path: Path) -> None:
    q = Quantised()

    def add(op: str, *inputs: str, **attributes: object) -> str:
        output = f"n{len(q.nodes)}"
        q.nodes.append(helper.make_node(op, list(inputs), [output], **attributes))
        return output

    def norm(x: str, channels: int) -> str:
        name = f"{x}_bn"
        gamma = q.floats(f"{name}_g", channels, shift=1)
        rest = [q.floats(f"{name}_{i}", channels) for i in "bm"]
        variance = q.floats(f"{name}_v", channels, shift=3)
        return add("BatchNormalization", x, gamma, *rest, variance, epsilon=1e-3)

    def layer(x: str, weight: str, channels: int, **shape: object) -> str:
        x = norm(add("Conv", x, weight, **shape), channels)
        return add("PRelu", x, q.floats(f"{x}_slope", channels, 1, 1))

    wide = {"kernel_shape": [3, 3], "strides": [4, 4], "pads": [1] * 4}
    point = {"kernel_shape": [1, 1], "strides": [1, 1], "pads": [0] * 4, "group": 1}
    q.constant(np.array([127.5], np.float32), "mean")
    q.constant(np.array([0.0078125], np.float32), "scale")
    x = add("Mul", add("Sub", "data", "mean"), "scale")
    x = layer(x, q.weight("w0", (8, 3, 3, 3), 27), 8, group=1, **wide)
    x = layer(x, q.weight("w1", (8, 1, 3, 3), 9), 8, group=8, **wide)
    x = norm(layer(x, q.weight("w2", (12, 8, 1, 1), 3), 12, **point), 12)
    x = add("Flatten", add("Dropout", x))
    q.weight("fc", (128, 12 * 49), 64)
    norm(add("Gemm", x, "fc", q.floats("fc_bias", 128), transB=1), 128)
    original = q.model([q.nodes[-1].output[0]], [1, 3, 112, 112], "data")
    path = tmp_path / "x.onnx"
    onnx.save(original, path)
    chips = np.random.default_rng(0).uniform(0, 255, (2, 3, 112, 112))
    wanted = np.concatenate([run(original, data=chips[i : i + 1])[0] for i in range(2)])
    converted = opencv_zoo.sface(path)
    close(run(converted, chips=chips)[0], wanted.astype(np.float64))
    assert {n.op_type for n in converted.graph.node} == {"Sub", "Conv", "PRelu", "Flatten", "Gemm"}


def test_yunet_keeps_its_heads_and_takes_any_size(tmp_path: Path) -> None:
    q = Quantised()
    q.weight("w", (4, 3, 3, 3), 16)
    q.constant(np.array([1, -1, 4], np.int64), "flat")
    for op, inputs, output, attributes in (
        ("Conv", ["input", "w"], "a", {"strides": [8, 8], "pads": [1] * 4}),
        ("Transpose", ["a"], "b", {"perm": [0, 2, 3, 1]}),
        ("Reshape", ["b", "flat"], "bbox_8", {}),
    ):
        q.nodes.append(helper.make_node(op, inputs, [output], **attributes))
    original = q.model(["bbox_8"], [1, 3, 64, 64], "input")
    original.graph.output[0].CopyFrom(
        helper.make_tensor_value_info("bbox_8", TensorProto.FLOAT, [1, 64, 4])
    )
    onnx.save(original, tmp_path / "x.onnx")
    model = opencv_zoo.yunet(tmp_path / "x.onnx")
    image = np.random.default_rng(0).uniform(0, 255, (1, 3, 64, 64))
    close(run(model, input=image)[0], run(original, input=image)[0].astype(np.float64))
    assert run(model, input=np.zeros((3, 3, 32, 96)))[0].shape == (3, 48, 4)
