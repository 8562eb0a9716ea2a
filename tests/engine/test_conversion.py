"""Conversions against references written the slow way, on small made-up weights; shipped files."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from photocloak.core import InputError, ModelError, manifest_root
from photocloak.engine.conversion import dlib_resnet, dlib_template, opencv_zoo, tfjs
from photocloak.engine.conversion.__main__ import CONVERSIONS, find
from photocloak.engine.conversion.thresholds import embed, look, separate
from photocloak.engine.conversion.writer import OPSET, GraphWriter, halve, save
from photocloak.engine.extractors.spec import load_specs
from photocloak.engine.extractors.weights import read_model, widen

Array = NDArray[np.float64]
MODELS = manifest_root() / "models"
PLAIN = {
    "Conv",
    "PRelu",
    "Relu",
    "Clip",
    "Add",
    "Sub",
    "MaxPool",
    "AveragePool",
    "GlobalAveragePool",
    "Pad",
    "Flatten",
    "Gemm",
    "MatMul",
}


def run(model: onnx.ModelProto, **feeds: Array) -> list[NDArray[np.float32]]:
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return list(session.run(None, {k: v.astype(np.float32) for k, v in feeds.items()}))


def close(found: NDArray[np.float32], wanted: Array) -> None:
    assert found.shape == wanted.shape
    assert np.abs(wanted).max() > 1e-3  # nothing died on the way
    np.testing.assert_allclose(found, wanted, atol=2e-5 * float(np.abs(wanted).max()))


def conv(x: Array, kernel: Array, stride: int, pads: tuple[int, int], group: int = 1) -> Array:
    """Convolve (N, C, H, W) with (O, C / group, k, k); `pads` before and after, on both axes."""
    x = np.pad(x, ((0, 0), (0, 0), pads, pads))
    k = kernel.shape[-1]
    windows = sliding_window_view(x, (k, k), axis=(2, 3))[:, :, ::stride, ::stride]
    if group > 1:
        return np.asarray(np.einsum("nchwij,cij->nchw", windows, kernel[:, 0], optimize=True))
    return np.asarray(np.einsum("nchwij,ocij->nohw", windows, kernel, optimize=True))


# -- TensorFlow.js -----------------------------------------------------------------------------


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

    def node(self, name: str, stride: int) -> None:
        strides = {"strides": {"list": {"i": ["1", str(stride), str(stride), "1"]}}}
        self._nodes.append({"name": name, "attr": strides})

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


# -- dlib --------------------------------------------------------------------------------------


class FakeDat:
    """Writes tensors as dlib serialises them, with layer names and settings in between."""

    def __init__(self) -> None:
        self._rng = np.random.default_rng(5)
        self.data = b"\x01\x01\x01\x0dloss_metric_2" + b"\x01\x02" * 40 + b"\x03\x15input_rgb_image"

    def tensor(self, values: Array) -> None:
        self.data += b"\x05con_4\x01\x07\x01\x01\x02\x01\x02"
        self.data += b"\x01\x02" + b"".join(
            bytes([4]) + size.to_bytes(4, "little") for size in (len(values), 1, 1, 1)
        )
        self.data += values.astype("<f4").tobytes()

    def convolution(self, filters: int, channels: int, edge: int) -> Callable[..., Array]:
        shape = (filters, channels, edge, edge)
        kernel = self._rng.standard_normal(shape) / np.sqrt(channels) / edge
        bias, gamma, beta = self._rng.standard_normal((3, filters)) * 0.3
        gamma += 1
        self.tensor(np.concatenate([kernel.ravel(), bias]))
        self.tensor(np.concatenate([gamma, beta]))

        def layer(x: Array, stride: int, pad: int) -> Array:
            y = conv(x, kernel, stride, (pad, pad)) + bias[:, None, None]
            return np.asarray(y * gamma[:, None, None] + beta[:, None, None])

        return layer


def grown(x: Array, shape: tuple[int, ...]) -> Array:
    extra = [(0, b - a) for a, b in zip(x.shape, shape, strict=True)]
    return np.asarray(np.pad(x, extra))


@pytest.fixture(scope="module")
def dat() -> tuple[bytes, Array, Array]:
    """A file of dlib's format, chips, and what the network makes of them."""
    file = FakeDat()
    chips = np.random.default_rng(6).uniform(0, 255, (2, 3, 150, 150))
    x = (chips - np.reshape([122.782, 117.001, 104.298], (1, 3, 1, 1))) / 256
    x = np.maximum(file.convolution(32, 3, 7)(x, 2, 0), 0)
    x = sliding_window_view(x, (3, 3), axis=(2, 3))[:, :, ::2, ::2].max(axis=(4, 5))
    kinds = [(32, 3), (-64, 1), (64, 3), (-128, 1), (128, 2), (-256, 1), (256, 2), (-256, 1)]
    for filters in [f for f, times in kinds for _ in range(times)]:
        down, after = filters < 0, abs(filters)
        first = file.convolution(after, x.shape[1], 3)
        y = np.maximum(first(x, 2 if down else 1, 0 if down else 1), 0)
        y = file.convolution(after, after, 3)(y, 1, 1)
        if down:
            x = sliding_window_view(x, (2, 2), axis=(2, 3))[:, :, ::2, ::2].mean(axis=(4, 5))
        shape = tuple(max(a, b) for a, b in zip(x.shape, y.shape, strict=True))
        x = np.maximum(grown(x, shape) + grown(y, shape), 0)
    matrix = np.random.default_rng(7).standard_normal((256, 128))
    file.tensor(matrix.ravel())
    return file.data + b"\x01\x02\x00", chips, x.mean(axis=(2, 3)) @ matrix


def test_dlib_is_the_network_of_its_file(tmp_path: Path, dat: tuple[bytes, Array, Array]) -> None:
    data, chips, wanted = dat
    path = tmp_path / "x.dat"
    path.write_bytes(data)
    [found] = run(dlib_resnet.convert(path), chips=chips)
    close(found, wanted)


def test_a_cut_or_longer_dlib_file_is_refused(
    tmp_path: Path, dat: tuple[bytes, Array, Array]
) -> None:
    path = tmp_path / "x.dat"
    path.write_bytes(dat[0][:-9000])
    with pytest.raises(ModelError, match="missing"):
        dlib_resnet.convert(path)
    path.write_bytes(dat[0] + bytes(9000))
    with pytest.raises(ModelError, match="more layers"):
        dlib_resnet.convert(path)


def test_dlib_manifest_has_the_fitted_template() -> None:
    np.testing.assert_allclose(load_specs()["dlib"].template, dlib_template.template(), atol=1e-4)
    apart = np.linalg.norm(dlib_template.template() - dlib_template.mean_face(), axis=1)
    assert apart.max() < 4  # of 150 pixels


# -- OpenCV Zoo --------------------------------------------------------------------------------


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


# -- files -------------------------------------------------------------------------------------


@given(size=st.integers(1, 40), kernel=st.integers(1, 7), stride=st.integers(1, 4))
def test_same_padding_is_the_least_that_covers(size: int, kernel: int, stride: int) -> None:
    top, left, bottom, right = tfjs._same(size, kernel, stride)
    assert (top, bottom) == (left, right)
    assert 0 <= bottom - top <= 1
    out = (size + top + bottom - kernel) // stride + 1
    assert out == -(-size // stride)
    assert top + bottom == 0 or (size + top + bottom - 1 - kernel) // stride + 1 < out


def test_halved_weights_come_back_and_run_either_way(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    graph = GraphWriter("x", "chips", ["N", 2000])
    x = graph.op("MatMul", "chips", rng.standard_normal((2000, 3)))
    graph.op("Add", x, np.array([1.0, 2.0, 1e-9]), output="embedding")
    graph.output("embedding", ["N", 3])
    chips = rng.standard_normal((4, 2000))
    exact = run(graph.model(), chips=chips)[0]
    path = tmp_path / "x.onnx"
    save(graph.model(), path)
    assert path.stat().st_size < 2 * 6000 + 1000
    stored = onnx.load(path)
    plain = run(stored, chips=chips)[0]
    wide = widen(stored)
    assert [n.op_type for n in wide.graph.node] == ["MatMul", "Add"]
    assert {t.data_type for t in wide.graph.initializer} == {TensorProto.FLOAT}
    np.testing.assert_array_equal(plain, run(wide, chips=chips)[0])
    np.testing.assert_allclose(plain, exact, atol=0.2)


def test_a_weight_beyond_float16_is_refused() -> None:
    graph = GraphWriter("x", "chips", ["N", 2000])
    graph.op("Mul", "chips", np.full(2000, 1e5), output="embedding")
    with pytest.raises(ModelError, match="exceeds float16"):
        halve(graph.model())


def test_missing_packages_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"faceres\.json .*MODELS\.md"):
        find(tmp_path, "faceres.json")


def hashes() -> dict[str, str]:
    lines = (MODELS / "SHA256SUMS").read_text().splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def test_every_shipped_file_is_pinned_and_can_be_rebuilt() -> None:
    assert {p.name for p in MODELS.glob("*.onnx")} == set(hashes()) == {c[0] for c in CONVERSIONS}
    assert sum(p.stat().st_size for p in MODELS.glob("*.onnx")) < 40e6


@pytest.mark.parametrize("name", sorted(hashes()))
def test_shipped_file_is_plain(name: str) -> None:
    model = read_model(MODELS / name, hashes()[name])
    assert [o.version for o in model.opset_import] == [OPSET]
    kinds = {t.data_type for t in model.graph.initializer}
    assert kinds <= {TensorProto.FLOAT, TensorProto.INT64}
    assert "Cast" not in {n.op_type for n in model.graph.node}


@pytest.mark.parametrize("name", ["dlib", "hse", "mobileface", "sface"])
def test_shipped_recogniser_has_the_promised_shape(name: str) -> None:
    spec = load_specs()[name]
    model = read_model(spec.model, spec.sha256)
    assert spec.sha256 == hashes()[spec.model.name]
    assert {n.op_type for n in model.graph.node} <= PLAIN
    assert [i.name for i in model.graph.input] == ["chips"]
    chips = np.random.default_rng(0).uniform(0, 255, (3, 3, spec.size, spec.size))
    [found] = run(model, chips=chips)
    assert found.shape == (3, spec.embedding)
    np.testing.assert_allclose(found[1:2], run(model, chips=chips[1:2])[0], rtol=1e-3, atol=1e-3)


def test_shipped_recognisers_tell_people_apart(tmp_path: Path) -> None:
    lab = os.environ.get("PHOTOCLOAK_LAB")
    if not lab:
        pytest.skip("PHOTOCLOAK_LAB is not set: no photos to measure on")
    for person in sorted((Path(lab) / "data/faces/lfw_protect").iterdir())[:24]:
        (tmp_path / person.name).mkdir()
        for photo in sorted(person.iterdir())[:3]:
            (tmp_path / person.name / photo.name).symlink_to(photo)
    sightings = look(tmp_path)
    people = np.array([s.person for s in sightings])
    least = {"dlib": 0.9, "hse": 0.9, "mobileface": 0.6, "sface": 0.97}
    for name, spec in load_specs().items():
        found = separate(embed(spec, sightings), people)
        assert found.true_accepts >= least[name], name
        # Other people than the threshold was measured on: within the spread of so few pairs.
        assert abs(found.threshold - spec.threshold) < 0.08 * (1 - found.different), name
