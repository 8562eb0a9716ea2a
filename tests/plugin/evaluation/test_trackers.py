"""A stranger's model is a TOML file and an ONNX file: what it sees is what the file says."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, save

from photocloak.core import ConfigError, ModelError
from photocloak.engine.detection.alignment import ARCFACE
from photocloak.engine.detection.faces import Face
from photocloak.plugin.evaluation.trackers import read_trackers

TEMPLATE = f"template = {ARCFACE.tolist()}\n"


def describe(folder: Path, more: str, *, width: int = 112, height: int = 112) -> Path:
    """Put a model there that returns its own input, and its description."""
    model = folder / "models" / "same.onnx"
    model.parent.mkdir(exist_ok=True)
    shape = ["n", 3, height, width]
    graph = helper.make_graph(
        [helper.make_node("Flatten", ["data"], ["features"], axis=1)],
        "same",
        [helper.make_tensor_value_info("data", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, None)],
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]), model)
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    (folder / "same.toml").write_text(
        f'name = "same"\ntitle = "Itself"\nmodel = "same.onnx"\nsha256 = "{digest}"\n'
        f"width = {width}\nheight = {height}\n{more}"
    )
    return model.parent


def head(turn: float) -> tuple[np.ndarray, Face]:
    """Return a photo with a white dot on each landmark of a tilted face, and the face."""
    points = (ARCFACE - 56) * 2
    c, s = np.cos(turn), np.sin(turn)
    points = points @ np.array([[c, s], [-s, c]]) + (200, 180)
    y, x = np.mgrid[:360, :400]
    dots = sum(np.exp(-((x - px) ** 2 + (y - py) ** 2) / 18) for px, py in points)
    image = np.rint(np.clip(dots, 0, 1) * 255).astype(np.uint8)
    return np.repeat(image[..., None], 3, axis=2), Face(
        (100, 80, 200, 200), points.astype(np.float32), 0.9
    )


def test_a_template_puts_the_landmarks_where_it_says(tmp_path: Path) -> None:
    (spec,) = read_trackers(describe(tmp_path, TEMPLATE), tmp_path)
    chip = spec.tracker().cut(*head(0.4))
    assert chip.shape == (112, 112, 3)
    for x, y in ARCFACE:
        assert chip[round(y), round(x), 0] > 150


def test_an_upright_crop_is_not_turned_and_as_high_as_it_says(tmp_path: Path) -> None:
    folder = describe(tmp_path, "upright = 2.8\n", width=120, height=160)
    (spec,) = read_trackers(folder, tmp_path)
    image, face = head(0.4)
    chip = spec.tracker().cut(image, face)
    assert chip.shape == (160, 120, 3)
    way = np.linalg.norm(face.landmarks[:2].mean(axis=0) - face.landmarks[3:].mean(axis=0))
    scale = 2.8 * way / 160
    seen = (face.landmarks - face.landmarks.mean(axis=0)) / scale + (59.5, 79.5)
    for x, y in seen:
        assert chip[round(y), round(x), 0] > 150


def test_colours_mean_and_scale(tmp_path: Path) -> None:
    text = TEMPLATE + 'order = "bgr"\nmean = 10.0\nscale = 0.5\n'
    (spec,) = read_trackers(describe(tmp_path, text), tmp_path)
    chips = np.full((2, 112, 112, 3), (30, 20, 10), np.float32)
    features = spec.tracker().embed(chips).reshape(2, 3, 112, 112)
    assert features[1, :, 5, 5].tolist() == [0, 5, 10]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("", "template"),
        (TEMPLATE + "upright = 2.0\n", "template"),
        ("template = [[1, 2]]\n", "five"),
        (TEMPLATE + "colour = 1\n", "colour"),
        (TEMPLATE + 'order = "gbr"\n', "order"),
    ],
)
def test_a_wrong_description_says_what_is_wrong(tmp_path: Path, more: str, message: str) -> None:
    models = describe(tmp_path, more)
    with pytest.raises(ConfigError, match=message):
        read_trackers(models, tmp_path)


def test_another_model_than_the_described_one_is_refused(tmp_path: Path) -> None:
    models = describe(tmp_path, TEMPLATE)
    (models / "same.onnx").write_bytes(b"other")
    (spec,) = read_trackers(models, tmp_path)
    with pytest.raises(ModelError, match="pins"):
        spec.tracker().embed(np.zeros((1, 112, 112, 3), np.float32))


def test_a_folder_without_descriptions(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no TOML"):
        read_trackers(tmp_path, tmp_path)


def test_the_labs_trackers_are_described(lab: Path) -> None:
    """What is described is there, and takes a face; nothing is measured with them here."""
    here = Path(__file__).parents[2] / "lab" / "trackers"
    for spec in read_trackers(lab / "data/trackers", here):
        tracker = spec.tracker()
        assert not tracker.seen
        image, face = head(0.1)
        features = tracker.embed(tracker.cut(image, face)[None])
        assert features.shape[0] == 1
        assert np.isfinite(features).all()
