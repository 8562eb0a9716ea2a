"""The face space: aligned crops, and a cloak that touches nothing outside its square."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photocloak.engine.detection.alignment import ARCFACE, SIZE, FaceSpace, chip
from photocloak.engine.detection.faces import Face


def _face(scale: float, angle: float, x: float, y: float) -> Face:
    c, s = np.cos(angle), np.sin(angle)
    landmarks = (ARCFACE - 56) @ np.array([[c, s], [-s, c]]) * scale + [x, y]
    box = (x - 56 * scale, y - 56 * scale, 112 * scale, 112 * scale)
    return Face(box=box, landmarks=landmarks.astype(np.float32), score=0.9)


def _smooth(height: int, width: int) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    planes = [rows * 200 / height, columns * 200 / width, (rows + columns) * 100 / (height + width)]
    return np.stack(planes, axis=-1).astype(np.uint8)


@settings(max_examples=25)
@given(
    st.floats(0.3, 4), st.floats(-0.6, 0.6), st.floats(-50, 450), st.floats(-50, 350),
    st.integers(0, 99),
)  # fmt: skip
def test_pixels_outside_the_square_never_change(
    scale: float, angle: float, x: float, y: float, seed: int
) -> None:
    image = _smooth(300, 400)
    space = FaceSpace.of(_face(scale, angle, x, y))
    delta = np.random.default_rng(seed).normal(0, 20, (3, space.grid, space.grid))
    out = space.add(image, delta.astype(np.float32))
    assert out.shape == image.shape
    rows, columns = np.nonzero((out != image).any(axis=2))
    inverse = np.linalg.inv(np.vstack([space.matrix, [0, 0, 1]]))[:2]
    inside = inverse @ np.stack([columns, rows, np.ones_like(rows)])
    margin = 2.1 * SIZE / space.grid
    assert (inside > -margin).all()
    assert (inside < SIZE - 1 + margin).all()


def test_a_zero_cloak_changes_no_pixel() -> None:
    image = _smooth(300, 400)
    space = FaceSpace.of(_face(1.0, 0.1, 200, 150))
    assert np.array_equal(space.add(image, np.zeros((3, space.grid, space.grid), "f4")), image)


def test_a_large_face_wears_the_spline() -> None:
    """Catmull and Rom's curve, which kinks nowhere, through a coarse δ."""
    image = np.full((900, 900, 3), 120, np.uint8)
    space = FaceSpace.of(_face(10.0, 0.0, 450, 450))
    middle, spread = 100.3, 3.0
    points = np.exp(-(((np.arange(space.grid) - middle) / spread) ** 2))
    delta = np.repeat(100 * np.outer(points, points)[None], 3, axis=0).astype(np.float32)
    out = space.add(image, delta)[..., 0].astype(float) - 120

    def spline(at: np.ndarray) -> np.ndarray:
        t = np.abs(at[:, None] - np.arange(space.grid))
        near, far = (1.5 * t - 2.5) * t * t + 1, ((2.5 - 0.5 * t) * t - 4) * t + 2
        curve: np.ndarray = np.where(t < 1, near, np.where(t < 2, far, 0)) @ points
        return curve

    scale = space.matrix[0, 0] * (SIZE - 1) / (space.grid - 1)
    x, y = ((np.arange(900) - space.matrix[axis, 2]) / scale for axis in (0, 1))
    assert np.abs(out - 100 * np.outer(spline(y), spline(x))).max() < 1.5


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("angle", [0.0, 0.4])
def test_what_is_added_arrives_in_the_crop(scale: float, angle: float) -> None:
    """W (x + U δ) ≈ W x + δ for a smooth δ, at every size of face."""
    image = np.full((800, 800, 3), 120, np.uint8)
    space = FaceSpace.of(_face(scale, angle, 400, 400))
    bump = np.outer(np.hanning(space.grid), np.hanning(space.grid))
    delta = np.stack([bump * 30, -bump * 20, bump * 10]).astype(np.float32)
    arrived = space.crop(space.add(image, delta)) - space.crop(image)
    refine = space.refine()
    assert np.abs(arrived - refine @ delta @ refine.T).max() < 1.5


def test_small_faces_get_a_grid_of_their_own_resolution() -> None:
    assert FaceSpace.of(_face(0.5, 0, 100, 100)).grid == 56
    assert FaceSpace.of(_face(9.0, 0, 100, 100)).grid == SIZE


@pytest.mark.parametrize("scale", [0.7, 1.0, 6.3])
def test_a_chip_shows_the_right_place(scale: float) -> None:
    image = _smooth(900, 900)
    face = _face(scale, 0.3, 450, 450)
    crop = chip(image, face, ARCFACE, 112)
    for (u, v), (x, y) in zip(ARCFACE, face.landmarks, strict=True):
        got = crop[round(v), round(u)]
        assert np.abs(got - image[round(float(y)), round(float(x))]).max() < 4


def test_a_face_beyond_the_edge_is_no_error() -> None:
    face = _face(1.0, 0, 5000, 5000)
    assert chip(_smooth(50, 50), face, ARCFACE, 112).shape == (112, 112, 3)
