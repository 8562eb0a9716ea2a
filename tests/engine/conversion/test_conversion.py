"""Files that conversions write: half precision, pinned hashes, what ships."""

import os
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto

from photocloak.core import InputError, ModelError, manifest_root
from photocloak.engine.conversion.__main__ import CONVERSIONS, find
from photocloak.engine.conversion.thresholds import detect_photos, embed, separate
from photocloak.engine.conversion.writer import OPSET, GraphWriter, halve, same_padding, save
from photocloak.engine.extractors.spec import load_specs
from photocloak.engine.extractors.weights import read_model, widen
from tests.engine.conversion.slowly import run

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


@given(size=st.integers(1, 40), kernel=st.integers(1, 7), stride=st.integers(1, 4))
def test_same_padding_is_the_least_that_covers(size: int, kernel: int, stride: int) -> None:
    top, left, bottom, right = same_padding(size, kernel, stride)
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
    assert sum(p.stat().st_size for p in MODELS.glob("*.onnx")) < 50e6


@pytest.mark.parametrize("name", sorted(hashes()))
def test_shipped_file_is_plain(name: str) -> None:
    model = read_model(MODELS / name, hashes()[name])
    assert [o.version for o in model.opset_import] == [OPSET]
    kinds = {t.data_type for t in model.graph.initializer}
    assert kinds <= {TensorProto.FLOAT, TensorProto.INT64}
    assert "Cast" not in {n.op_type for n in model.graph.node}


@pytest.mark.parametrize("name", ["dlib", "facelib", "hse", "mobileface", "mobilefacenet", "sface"])
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
    detected = detect_photos(tmp_path)
    people = np.array([s.person for s in detected])
    least = {
        "dlib": 0.9,
        "facelib": 0.9,
        "hse": 0.9,
        "mobileface": 0.6,
        "mobilefacenet": 0.95,
        "sface": 0.97,
    }
    for name, spec in load_specs().items():
        found = separate(embed(spec, detected), people)
        assert found.true_accepts >= least[name], name
        # Other people than the threshold was measured on: within the spread of so few pairs.
        assert abs(found.threshold - spec.threshold) < 0.08 * (1 - found.different), name
