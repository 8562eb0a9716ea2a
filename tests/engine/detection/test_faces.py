"""When landmarks can carry an alignment, and what pose they show."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from photocloak.engine.detection.faces import SMALLEST, Face, alignable, fit

# ArcFace's template, 112 pixels.
FRONTAL = np.column_stack(
    [[38.2946, 73.5318, 56.0252, 41.5493, 70.7299], [51.6963, 51.5014, 71.7366, 92.3655, 92.2041]]
)
SHAPE = (600, 800, 3)


def face(landmarks: NDArray[np.floating], size: float = 100.0) -> Face:
    x, y = landmarks.mean(axis=0) - size / 2
    return Face((float(x), float(y), size, size), landmarks.astype(np.float32), 0.9)


def moved(scale: float, degrees: float, x: float, y: float) -> NDArray[np.float64]:
    turn = np.radians(degrees)
    matrix = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.asarray((FRONTAL - FRONTAL.mean(axis=0)) @ matrix.T + (x, y))


@given(st.floats(0.2, 20), st.floats(-179, 179), st.floats(-1000, 1000), st.floats(-1000, 1000))
def test_fit_recovers_the_pose(scale: float, degrees: float, x: float, y: float) -> None:
    middle, factor = fit(moved(scale, degrees, x, y))
    assert middle == pytest.approx(complex(x, y), abs=1e-6)
    assert abs(factor) == pytest.approx(112 * scale)
    assert np.degrees(np.angle(factor)) == pytest.approx(degrees, abs=1e-3)


@given(st.floats(-180, 180))
def test_a_face_is_alignable_at_any_tilt(degrees: float) -> None:
    assert alignable(face(moved(1, degrees, 400, 300)), SHAPE)


def test_a_profile_is_alignable() -> None:
    side = moved(1, 0, 400, 300)
    side[:, 0] = 400 + (side[:, 0] - 400) * 0.3
    side[2, 0] += 18
    assert alignable(face(side), SHAPE)


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(moved(1, 0, 400, 300) * (-1, 1) + (800, 0), id="mirrored"),
        pytest.param(moved(1, 0, 400, 300)[[3, 1, 2, 0, 4]], id="shuffled"),
        pytest.param(np.full((5, 2), 300.0), id="one point"),
        pytest.param(moved(0.2, 0, 400, 300), id="much smaller than the box"),
        pytest.param(np.where(np.eye(5, 2) > 0, np.nan, moved(1, 0, 400, 300)), id="nan"),
        pytest.param(moved(1, 0, 400, 300)[:4], id="four points"),
        pytest.param(moved(1, 0, -30, 300), id="outside"),
        pytest.param(moved(1, 0, 400, 640), id="below"),
    ],
)
def test_not_alignable(broken: NDArray[np.float64]) -> None:
    assert not alignable(face(broken), SHAPE)


def test_half_outside_is_alignable() -> None:
    assert alignable(face(moved(1, 0, 2, 300)), SHAPE)


def test_size_counts_the_shorter_side() -> None:
    small = replace(face(moved(0.2, 0, 400, 300)), box=(390, 285, SMALLEST, 30))
    assert alignable(small, SHAPE)
    assert not alignable(replace(small, box=(390, 285, SMALLEST - 0.1, 30)), SHAPE)
