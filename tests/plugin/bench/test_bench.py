"""The bench measures what it says, and its photos are photos to the rest of photocloak."""

import json

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from photocloak.engine import Detector, load_specs
from photocloak.engine.autodiff.flops import flops
from photocloak.plugin import Folders, Settings
from photocloak.plugin.bench import photos
from photocloak.plugin.bench.machine import has_torch
from photocloak.plugin.bench.page import page
from photocloak.plugin.bench.reference import load_reference
from photocloak.plugin.bench.run import bench, profile
from photocloak.plugin.bench.timing import in_turns
from photocloak.plugin.bench.whole import Size
from tests.plugin.json_schema import conforms


def test_calls_take_turns_and_the_first_round_does_not_count() -> None:
    order: list[str] = []
    found = in_turns({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 3)
    assert order == ["a", "b"] * 4
    assert set(found) == {"a", "b"}


def test_operations_are_counted() -> None:
    """By hand: 2 for each weight and place; the transpose's places are its input's."""
    rng = np.random.default_rng(0)
    weights = {"w": (8, 3, 3, 3), "t": (8, 4, 2, 2), "g": (4 * 20 * 20, 5)}
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("ConvTranspose", ["r", "t"], ["u"], strides=[2, 2]),
        helper.make_node("Flatten", ["u"], ["f"]),
        helper.make_node("Gemm", ["f", "g"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "counted",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, 20, 20])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [
            numpy_helper.from_array(rng.normal(size=shape).astype(np.float32), name)
            for name, shape in weights.items()
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], ir_version=8)
    by_hand = 2 * (8 * 3 * 9 * 10 * 10 + 8 * 4 * 4 * 10 * 10 + 1600 * 5)
    assert flops(model) == by_hand


@pytest.mark.parametrize("faces", [1, 4])
def test_photos_have_the_faces_they_are_said_to_have(faces: int) -> None:
    image = photos.photo(2, faces)
    assert image.shape[0] * image.shape[1] == pytest.approx(2e6, rel=0.01)
    detector = Detector()
    found = detector(image)
    assert len(found) == faces
    assert min(face.score for face in found) >= detector.high


def test_the_parts_of_a_step_are_all_of_it(folders: Folders) -> None:
    found = profile(folders, turns=2)
    parts = (found.convolution, found.other, found.outside)
    assert sum(parts) == pytest.approx(1)
    assert min(parts) > 0
    assert found.convolution > 0.3
    assert {"Conv", "Mul"} <= set(found.nodes)


def test_what_the_reference_costs() -> None:
    """It is frozen: extractors that came later are none of it."""
    reference = load_reference()
    assert set(reference.extractors) <= set(load_specs())
    torch = dict.fromkeys(reference.extractors, 0.5)
    assert reference.seconds(torch, peak=7.0) == reference.steps * 2.0
    by_peak = reference.seconds(None, peak=2 * reference.operations)
    assert by_peak == pytest.approx(reference.steps / 2)


def test_a_run_gives_all_figures_and_touches_nobody(folders: Folders) -> None:
    size = Size(1, 1)
    found = bench(Settings(), folders, repeats=1, sizes=(size,), largest=size)
    table = json.loads(json.dumps(found.as_json()))
    conforms("figures", table)
    assert set(table["step_ms"]) == set(table["forward_ms"]) == set(load_specs())
    assert all(table["step_ms"][one] > table["forward_ms"][one] > 0 for one in load_specs())
    assert (table["onnx_vs_torch"] is not None) == has_torch() == table["reference_measured"]
    assert 1 < table["step_over_forward"] < 6
    assert sum(table["kernel_share"].values()) == pytest.approx(1, abs=0.01)
    assert 0 < table["peak_fraction"] < 1
    assert 0 < table["cold_start_s"] < table["first_start_s"]
    assert table["seconds_per_face"] == table["photos"][0]["seconds"]
    assert table["reference_speedup"] > 1
    assert 200 < table["peak_memory_mb"] < 3000
    assert table["photos"][0]["per_minute"] > 0
    assert not folders.database.exists()
    lines = "\n".join(found.lines())
    assert all(name in lines for name in load_specs())
    assert lines.splitlines()[0].encode() in page(found)
