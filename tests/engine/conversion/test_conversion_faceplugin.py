"""Faceplugin's MobileFaceNet: what is made of its file gives what the file gives."""

import tomllib
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from photocloak.core import ModelError
from photocloak.engine.conversion import faceplugin
from photocloak.engine.detection.alignment import ARCFACE
from tests.engine.conversion.slowly import close, run


def small_faceplugin() -> onnx.ModelProto:
    """Return a graph with every operator of the file's."""
    rng = np.random.default_rng(3)
    shapes = {"a": (5, 3, 3, 3), "b": (5, 1, 3, 3), "c": (512, 5, 1, 1), "s": (5, 1, 1)}
    shapes |= {"a0": (5,), "b0": (5,), "c0": (512,)}
    weights = {n: rng.standard_normal(s).astype(np.float32) * 0.3 for n, s in shapes.items()}
    big = {"kernel_shape": [3, 3], "strides": [10, 10], "pads": [1, 1, 1, 1], "group": 1}
    wide = big | {"strides": [1, 1], "group": 5}
    last = big | {"kernel_shape": [1, 1], "strides": [12, 12], "pads": [0] * 4}
    nodes = [
        helper.make_node("Conv", ["input", "a", "a0"], ["1"], **big),
        helper.make_node("PRelu", ["1", "s"], ["2"]),
        helper.make_node("Conv", ["2", "b", "b0"], ["3"], **wide),
        helper.make_node("Add", ["3", "2"], ["4"]),
        helper.make_node("Conv", ["4", "c", "c0"], ["5"], **last),
        helper.make_node("Reshape", ["5", "shape"], ["output"]),
    ]
    graph = helper.make_graph(
        nodes,
        "x",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, 112, 112])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 512])],
        [
            *(numpy_helper.from_array(values, name) for name, values in weights.items()),
            numpy_helper.from_array(np.array([1, -1]), "shape"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 9)], ir_version=8)


def test_faceplugin_is_the_original_fed_with_bgr(tmp_path: Path) -> None:
    original = small_faceplugin()
    onnx.save(original, tmp_path / "x.onnx")
    chips = np.random.default_rng(0).uniform(0, 255, (1, 3, 112, 112))
    [wanted] = run(original, input=(chips[:, ::-1] - 127.5) / 127.5)
    [found] = run(faceplugin.convert(tmp_path / "x.onnx"), chips=chips)
    close(found, wanted.astype(np.float64))


def test_an_operator_of_another_network_is_refused(tmp_path: Path) -> None:
    original = small_faceplugin()
    original.graph.node[3].op_type = "Mul"
    onnx.save(original, tmp_path / "x.onnx")
    with pytest.raises(ModelError, match=r"x\.onnx is not Faceplugin's .*Mul"):
        faceplugin.convert(tmp_path / "x.onnx")


def test_it_can_be_measured_with() -> None:
    path = Path(__file__).parents[2] / "lab/converted/faceplugin.toml"
    described = tomllib.loads(path.read_text())
    assert (described["width"], described["height"]) == (112, 112)
    np.testing.assert_allclose(described["template"], ARCFACE, atol=1e-4)
