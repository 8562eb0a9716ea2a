"""Landmarks: they follow the face, and where there is none they say so."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from photocloak.core import ModelError, manifest_root
from photocloak.engine.detection import landmarks as module
from photocloak.engine.detection.alignment import ARCFACE, SIZE, FaceSpace, Image
from photocloak.engine.detection.detector import Detector
from photocloak.engine.detection.faces import Face, alignable
from photocloak.engine.detection.landmarks import Landmarker, five_of, load_landmarker

ASTRONAUT = Path(__file__).parents[2] / "data" / "astronaut.png"


@pytest.fixture(scope="module")
def landmarker() -> Landmarker:
    return load_landmarker()


@pytest.fixture(scope="module")
def photo() -> Image:
    with Pillow.open(ASTRONAUT) as image:
        return np.asarray(image.convert("RGB"))


@pytest.fixture(scope="module")
def face(photo: Image) -> Face:
    return Detector(threads=1)(photo)[0]


def moved(face: Face, matrix: np.ndarray) -> Face:
    """Return the face as it lies where photo pixels went by `matrix`, (2, 3)."""
    points = face.landmarks @ matrix[:, :2].T + matrix[:, 2]
    return replace(face, landmarks=points.astype(np.float32))


def test_a_face_has_certain_landmarks(landmarker: Landmarker, photo: Image, face: Face) -> None:
    found = landmarker(photo, face)
    assert found.points.shape == (468, 2)
    assert found.points.dtype == np.float32
    assert found.certain
    assert found.presence > 0.99
    assert found.deviation < 8
    again = landmarker(photo, face)
    np.testing.assert_array_equal(found.points, again.points)


def test_landmarks_turn_and_grow_with_the_photo(
    landmarker: Landmarker, photo: Image, face: Face
) -> None:
    before = landmarker(photo, face).points
    turned = np.ascontiguousarray(np.rot90(photo, 2))
    height, width = photo.shape[:2]
    upside_down = np.array([[-1.0, 0, width - 1], [0, -1, height - 1]])
    np.testing.assert_allclose(
        landmarker(turned, moved(face, upside_down)).points, before, atol=0.05
    )
    large = np.asarray(
        Pillow.fromarray(photo).resize((3 * width, 3 * height), Pillow.Resampling.BICUBIC)
    )
    grown = np.array([[3.0, 0, 1], [0, 3, 1]])
    after = landmarker(large, moved(face, grown)).points
    assert np.linalg.norm(after - before, axis=1).mean() < 1.5


def test_where_no_face_is_the_average_is_given(
    landmarker: Landmarker, photo: Image, face: Face
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, photo.shape, np.uint8)
    for image in (noise, np.zeros_like(photo), photo[:, :, ::-1] // 255):
        found = landmarker(image, face)
        assert not found.certain
        assert found.presence < 0.5
        np.testing.assert_array_equal(found.points, landmarker.average)


def test_where_the_detector_saw_another_face_the_average_is_given(
    landmarker: Landmarker, photo: Image, face: Face
) -> None:
    """The network finds the face next to the place that it is shown."""
    step = 0.3 * SIZE * FaceSpace.of(face).native / SIZE
    for shift in ([step, 0], [0, step], [-step, 0]):
        beside = replace(face, landmarks=(face.landmarks + shift).astype(np.float32))
        found = landmarker(photo, beside)
        assert found.deviation > module.LARGEST_DEVIATION or found.presence < 0.5
        assert not found.certain
        np.testing.assert_array_equal(found.points, landmarker.average)


def test_a_face_at_the_edge_and_beyond_is_no_error(
    landmarker: Landmarker, photo: Image, face: Face
) -> None:
    far = replace(face, landmarks=face.landmarks + np.float32(1e4))
    assert not landmarker(photo, far).certain
    x = int(face.landmarks[2, 0])
    half = np.ascontiguousarray(photo[:, x:])
    cut = moved(face, np.array([[1.0, 0, -x], [0, 1, 0]]))
    assert np.isfinite(landmarker(half, cut).points).all()


def test_the_average_is_a_face_in_the_face_space(landmarker: Landmarker) -> None:
    wanted = ARCFACE * (SIZE / 112)
    assert landmarker.average.shape == (468, 2)
    assert landmarker.average.dtype == np.float32
    assert np.linalg.norm(five_of(landmarker.average) - wanted, axis=1).max() < 8


def test_a_broken_manifest_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = manifest_root()
    for part in ("landmarks", "models"):
        (tmp_path / part).mkdir()
    for name in ("landmarks/facemesh.toml", "landmarks/average.csv", "models/facemesh.onnx"):
        shutil.copy(root / name, tmp_path / name)
    monkeypatch.setattr(module, "manifest_root", lambda: tmp_path)
    load = load_landmarker.__wrapped__
    assert load().average.shape == (468, 2)
    (tmp_path / "landmarks/average.csv").write_text("1,2\n")
    with pytest.raises(ModelError, match=r"facemesh\.toml.*average.*reinstall"):
        load()
    (tmp_path / "landmarks/average.csv").unlink()
    with pytest.raises(ModelError, match=r"facemesh\.toml.*reinstall"):
        load()


def test_lab_faces_are_outlined(lab: Path, landmarker: Landmarker) -> None:
    """Nearly all main faces are certain, and most agree to a twelfth of the eyes' distance."""
    detector = Detector(threads=1)
    deviations = []
    for path in sorted((lab / "data/faces/lfw_protect").rglob("*.jpg"))[::60]:
        with Pillow.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
        main = detector(pixels)[0]
        assert alignable(main, pixels.shape)
        found = landmarker(pixels, main)
        deviations.append(found.deviation if found.certain else np.inf)
    assert len(deviations) > 15
    assert np.isfinite(deviations).mean() >= 0.9
    assert np.median(deviations) < 6
