"""Linear maps between pixel grids; a pullback is the adjoint: ⟨J u, v⟩ = ⟨u, Jᵀ v⟩."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from photocloak.engine.geometry import Separable, bilinear, gaussian, invert, resampling, similarity

seeds = st.integers(0, 2**32 - 1)


def _inner(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sum(a.astype(np.float64) * b))


@given(seeds, st.floats(0.3, 3), st.floats(-np.pi, np.pi), st.floats(-40, 40), st.floats(-40, 40))
def test_between_pixels_is_between_their_values_and_outside_is_zero(
    seed: int, scale: float, angle: float, dx: float, dy: float
) -> None:
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (17, 23, 3), np.uint8)
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    matrix = np.array([[c, -s, dx], [s, c, dy]])
    rows, columns = np.divmod(np.arange(13 * 13), 13)
    x, y = matrix @ np.stack([columns, rows, np.ones(13 * 13)])
    of_columns = np.maximum(0, 1 - np.abs(x[:, None] - np.arange(23)))
    of_rows = np.maximum(0, 1 - np.abs(y[:, None] - np.arange(17)))
    expected = np.einsum("pr,pc,rck->pk", of_rows, of_columns, image).reshape(13, 13, 3)
    assert_allclose(bilinear(image, matrix, 13), expected, atol=1e-3)


@given(seeds, st.floats(0.2, 4), st.floats(-6, 6), st.sampled_from([0.0, 0.5, 1.0]))
def test_separable_pullback_is_the_adjoint(
    seed: int, scale: float, offset: float, support: float
) -> None:
    rng = np.random.default_rng(seed)
    rows = resampling(9, 21, scale, offset, support=support)
    columns = resampling(12, 17, scale, -offset, support=support)[::-1] @ gaussian(17, 0.8)
    look = Separable(rows, columns)
    u = rng.normal(size=(3, 21, 17)).astype(np.float32)
    v = rng.normal(size=(3, 9, 12)).astype(np.float32)
    assert _inner(look(u), v) == pytest.approx(_inner(u, look.pullback(v)), rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("sigma", [0.4, 2.0, 30.0])
def test_what_is_left_out_beside_the_band_is_zero(sigma: float) -> None:
    rng = np.random.default_rng(1)
    rows = gaussian(150, sigma)
    columns = resampling(112, 170, 1.5, -9.0)[::-1].copy()
    columns[40:80] = 0
    u = rng.normal(size=(3, 150, 170)).astype(np.float32)
    v = rng.normal(size=(3, 150, 112)).astype(np.float32)
    look = Separable(rows, columns)
    assert_allclose(look(u), rows @ u @ columns.T, atol=1e-5)
    assert_allclose(look.pullback(v), rows.T @ v @ columns, atol=1e-5)


@given(seeds)
def test_composition_is_one_after_the_other(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first = Separable(gaussian(16, 1.0), resampling(12, 16, 1.3, 0.2))
    second = Separable(resampling(7, 16, 2.0, 0.5), gaussian(12, 0.5))
    u = rng.normal(size=(3, 16, 16)).astype(np.float32)
    assert_allclose(second.after(first)(u), second(first(u)), atol=1e-5)


def test_similarity_recovers_a_known_transform() -> None:
    points = np.array([[0, 0], [10, 1], [4, 7], [1, 12], [9, 11]], float)
    matrix = np.array([[0.6, -0.8, 3.0], [0.8, 0.6, -2.0]]) * 1.7
    moved = points @ matrix[:, :2].T + matrix[:, 2]
    assert_allclose(similarity(points, moved), matrix, atol=1e-9)
    assert_allclose(similarity(moved, points), invert(matrix), atol=1e-9)


def test_similarity_never_mirrors() -> None:
    points = np.array([[0, 0], [10, 0], [5, 5]], float)
    assert np.linalg.det(similarity(points, points * [-1, 1])[:, :2]) > 0


@pytest.mark.parametrize("away", [100.0, -1e6, 1e6])
def test_a_picture_where_it_is_and_one_far_away(away: float) -> None:
    image = np.arange(5 * 5 * 3, dtype=np.uint8).reshape(5, 5, 3)
    assert_allclose(bilinear(image, np.eye(2, 3), 5), image)
    assert not bilinear(image, np.array([[1, 0, away], [0, 1, away]]), 5).any()
