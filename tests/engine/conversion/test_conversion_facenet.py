"""FaceNet's conversion against a reference written the slow way, on a small made-up graph."""

import tomllib
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from photocloak.core import ModelError, manifest_root
from photocloak.engine.conversion import facenet
from photocloak.engine.conversion.__main__ import STRANGERS, find
from photocloak.engine.conversion.graphdef import read_graph
from photocloak.engine.detection.alignment import ARCFACE
from photocloak.engine.geometry import similarity
from photocloak.engine.runtime import require_onnxruntime

Array = NDArray[np.float64]
MODELS = manifest_root() / "models"
SCOPE = facenet.SCOPE


def varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def tensor(values: NDArray[np.generic], *, packed: bool = False) -> bytes:
    """Encode a TensorProto; `packed` as its typed list, which TensorFlow uses for single values."""
    kind = {"f": 1, "i": 3}[values.dtype.kind]
    shape = b"".join(field(2, field(1, n)) for n in values.shape)
    if packed and kind == 1:
        content = field(5, values.astype("<f4").tobytes())
    elif packed:
        content = field(7, b"".join(varint(int(v)) for v in values.ravel()))
    else:
        content = field(4, values.astype({1: "<f4", 3: "<i4"}[kind]).tobytes())
    return field(1, kind) + field(2, shape) + content


class FakeGraph:
    """Writes a frozen graph."""

    def __init__(self) -> None:
        self._rng = np.random.default_rng(5)
        self.nodes: list[bytes] = []

    def node(self, op: str, name: str, *inputs: str, **attributes: bytes) -> str:
        data = field(1, name.encode()) + field(2, op.encode())
        data += b"".join(field(3, i.encode()) for i in inputs)
        for key, value in attributes.items():
            data += field(5, field(1, key.encode()) + field(2, value))
        self.nodes.append(field(1, data))
        return name

    def constant(self, name: str, values: NDArray[np.generic], *, packed: bool = False) -> str:
        return self.node("Const", name, value=field(8, tensor(values, packed=packed)))

    def weight(self, name: str, *shape: int, scale: float = 1.0, shift: float = 0.0) -> Array:
        values = (self._rng.standard_normal(shape) * scale + shift).astype(np.float32)
        self.constant(name, values)
        return values.astype(np.float64)

    def conv(
        self, layer: str, x: tuple[str, Array], edge: tuple[int, int], filters: int, **how: int
    ) -> tuple[str, Array]:
        """Append convolution and bias; return the node's name and what it gives (N, H, W, C)."""
        source, values = x
        stride, same = how.get("stride", 1), bool(how.get("same", 1))
        channels = values.shape[-1]
        spread = 1 / np.sqrt(edge[0] * edge[1] * channels)
        kernel = self.weight(f"{layer}/weights", *edge, channels, filters, scale=spread)
        bias = self.weight(f"{layer}/Conv2D_bn_offset", filters)
        strides = field(1, field(3, b"".join(map(varint, (1, stride, stride, 1)))))
        padding = field(2, b"SAME" if same else b"VALID")
        conv = self.node(
            "Conv2D",
            f"{layer}/Conv2D",
            source,
            f"{layer}/weights",
            strides=strides,
            padding=padding,
        )
        self.node("BiasAdd", f"{layer}/bias", conv, f"{layer}/Conv2D_bn_offset")
        pads = [(k // 2, k // 2) if same else (0, 0) for k in edge]
        values = np.pad(values, ((0, 0), *pads, (0, 0)))
        windows = sliding_window_view(values, edge, axis=(1, 2))[:, ::stride, ::stride]
        return f"{layer}/bias", np.einsum("nhwcij,ijco->nhwo", windows, kernel) + bias

    def relu(self, x: tuple[str, Array]) -> tuple[str, Array]:
        return self.node("Relu", f"{x[0]}/Relu", x[0]), np.maximum(x[1], 0)

    def write(self, path: Path) -> Path:
        path.write_bytes(b"".join(self.nodes[::-1]))  # a graph has no order
        return path


def small_facenet(chips: Array) -> tuple[FakeGraph, Array]:
    """Return a graph with every operator of FaceNet's, and its features of the chips."""
    fake = FakeGraph()
    fake.node("Placeholder", "input")
    # Stretched about the middle, between the two nearest pixels.
    at = (np.arange(160) - 79.5) * 0.823 + 79.5
    low = np.floor(at).astype(int)
    stretched = chips[..., low] * (low + 1 - at) + chips[..., low + 1] * (at - low)
    x = ("input:0", (stretched.transpose(0, 2, 3, 1) - 127.5) / 128.0)
    x = fake.relu(fake.conv(f"{SCOPE}/Conv2d_1a_3x3", x, (3, 3), 4, stride=2, same=0))
    kernel = field(1, field(3, b"".join(map(varint, (1, 3, 3, 1)))))
    strides = field(1, field(3, b"".join(map(varint, (1, 2, 2, 1)))))
    fake.node("MaxPool", "pool", x[0], ksize=kernel, strides=strides, padding=field(2, b"VALID"))
    windows = sliding_window_view(x[1], (3, 3), axis=(1, 2))[:, ::2, ::2]
    x = ("pool", windows.max(axis=(4, 5)))
    one = fake.relu(fake.conv("one", x, (1, 3), 5))
    two = fake.relu(fake.conv("two", x, (3, 1), 3))
    fake.constant("axis", np.array(3), packed=True)
    fake.node("ConcatV2", "concat", one[0], two[0], "axis")
    up = fake.conv("up", ("concat", np.concatenate([one[1], two[1]], axis=3)), (1, 1), 4)
    factor = field(8, tensor(np.array(0.17, np.float32), packed=True))
    fake.node("Const", "factor", "^concat", value=factor)
    fake.node("Mul", "scaled", "factor", up[0])
    fake.node("Add", "sum", x[0], "scaled")
    x = fake.relu(("sum", x[1] + np.float32(0.17) * up[1]))
    fake.node("AvgPool", facenet.LAST, x[0])
    flat = x[1].mean(axis=(1, 2))
    weights = fake.weight(f"{SCOPE}/Bottleneck/weights", 4, 512)
    norm = f"{SCOPE}/Bottleneck/BatchNorm"
    beta, mean = (fake.weight(f"{norm}/{name}", 512) for name in ("beta", "moving_mean"))
    variance = np.abs(fake.weight(f"{norm}/moving_variance", 512, scale=0.1, shift=1.0))
    return fake, (flat @ weights - mean) / np.sqrt(variance + 1e-3) + beta


def test_facenet_is_the_frozen_graph_fed_with_stretched_faces(tmp_path: Path) -> None:
    chips = np.random.default_rng(0).uniform(0, 255, (2, 3, 160, 160))
    fake, wanted = small_facenet(chips)
    model = facenet.convert(fake.write(tmp_path / "graph_final.pb"))
    onnx.checker.check_model(model, full_check=True)
    session = require_onnxruntime().InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    [found] = session.run(None, {"chips": chips.astype(np.float32)})
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, atol=2e-5 * float(np.abs(wanted).max()))
    # What the graph multiplies, shifts and normalises is inside the kernels.
    kinds = [n.op_type for n in model.graph.node]
    assert kinds.count("Conv") == 4
    assert not {"Mul", "Sub", "Div", "BatchNormalization"} & set(kinds)


def test_a_graph_of_another_network_is_refused(tmp_path: Path) -> None:
    fake, _ = small_facenet(np.zeros((1, 3, 160, 160)))
    fake.nodes = [n.replace(b"Bottleneck/weights", b"Bottleneck/weighty") for n in fake.nodes]
    with pytest.raises(ModelError, match=r"graph\.pb is not FaceNet: .*Bottleneck/weights"):
        facenet.convert(fake.write(tmp_path / "graph.pb"))


def test_an_operator_of_another_network_is_refused(tmp_path: Path) -> None:
    fake, _ = small_facenet(np.zeros((1, 3, 160, 160)))
    fake.nodes = [n.replace(field(2, b"Relu"), field(2, b"Tanh")) for n in fake.nodes]
    with pytest.raises(ModelError, match=r"graph\.pb is not FaceNet: .*Tanh"):
        facenet.convert(fake.write(tmp_path / "graph.pb"))


def test_a_truncated_graph_is_refused(tmp_path: Path) -> None:
    fake, _ = small_facenet(np.zeros((1, 3, 160, 160)))
    path = fake.write(tmp_path / "cut.pb")
    data = path.read_bytes()

    @given(end=st.integers(0, len(data) - 1))
    def check(end: int) -> None:
        path.write_bytes(data[:end])
        with pytest.raises(ModelError, match=r"cut\.pb is not"):
            facenet.convert(path)

    check()


def test_tensors_are_read_in_each_of_their_forms(tmp_path: Path) -> None:
    fake, rng = FakeGraph(), np.random.default_rng(0)
    wanted = {
        "content": rng.standard_normal((2, 3, 4)).astype(np.float32),
        "integers": np.array([[3, 300], [70000, 2**31 - 1]]),
        "single": np.array(0.17, np.float32),
    }
    for name, values in wanted.items():
        fake.constant(name, values)
        fake.constant(f"{name} packed", values, packed=True)
    # One value that stands for many equal ones.
    shape = b"".join(field(2, field(1, n)) for n in (2, 3))
    one = field(1, 1) + field(2, shape) + field(5, np.float32(1.5).tobytes())
    fake.node("Const", "repeated", value=field(8, one))
    nodes = read_graph(fake.write(tmp_path / "graph.pb"))
    for name, values in wanted.items():
        for form in (name, f"{name} packed"):
            value = nodes[form].value
            assert value is not None
            np.testing.assert_array_equal(value, values)
    np.testing.assert_array_equal(nodes["repeated"].value, np.full((2, 3), 1.5))


def test_the_template_is_upright_and_undistorted() -> None:
    """A chip of another angle or aspect would be stretched along the wrong axis."""
    matrix = similarity(ARCFACE, facenet.template())
    np.testing.assert_allclose(matrix[:, :2], np.eye(2) * 160 / 112 / 1.13, atol=1e-9)


def test_what_is_not_shipped_can_be_measured_with() -> None:
    folder = Path(__file__).parents[2] / "lab/converted"
    described = [tomllib.loads(path.read_text()) for path in folder.glob("*.toml")]
    assert {one["model"] for one in described} == {name for name, _, _ in STRANGERS}
    assert not {one["model"] for one in described} & {p.name for p in MODELS.iterdir()}
    for one in described:
        if not one["name"].startswith("facenet"):
            continue
        assert (one["width"], one["height"]) == (facenet.SIZE, facenet.SIZE)
        np.testing.assert_allclose(one["template"], facenet.template(), atol=1e-4)


def test_each_file_is_found_by_the_folder_it_is_in(tmp_path: Path) -> None:
    """Both packages call theirs graph_final.pb."""
    for _, source, _ in STRANGERS:
        (tmp_path / "package" / source).parent.mkdir(parents=True)
        (tmp_path / "package" / source).touch()
    for _, source, _ in STRANGERS:
        assert find(tmp_path, source) == tmp_path / "package" / source
