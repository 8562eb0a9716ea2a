"""DSSIM is exactly the convention the claim names, and its gradient is its gradient."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photocloak.engine.budget import Dssim


def _planes(seed: int, edge: int = 24) -> np.ndarray:
    rng = np.random.default_rng(seed)
    ramp = np.add.outer(np.arange(edge), np.arange(edge)) * (200 / (2 * edge))
    return (ramp + rng.uniform(0, 50, (3, edge, edge))).astype(np.float32)


def _by_definition(x: np.ndarray, y: np.ndarray) -> float:
    """Wang et al. 2004, window by window, in float64."""
    taps = np.exp(-0.5 * ((np.arange(11) - 5) / 1.5) ** 2)
    window = np.outer(taps, taps) / taps.sum() ** 2
    values = []
    for a, b in zip(x.astype(float), y.astype(float), strict=True):
        for i in range(a.shape[0] - 10):
            for j in range(a.shape[1] - 10):
                p, q = a[i : i + 11, j : j + 11], b[i : i + 11, j : j + 11]
                mp, mq = (window * p).sum(), (window * q).sum()
                vp, vq = (window * (p - mp) ** 2).sum(), (window * (q - mq) ** 2).sum()
                cov = (window * (p - mp) * (q - mq)).sum()
                values.append(
                    (2 * mp * mq + 2.55**2)
                    * (2 * cov + 7.65**2)
                    / ((mp**2 + mq**2 + 2.55**2) * (vp + vq + 7.65**2))
                )
    return (1 - float(np.mean(values))) / 2


@pytest.mark.parametrize("strength", [1.0, 10.0, 60.0])
def test_dssim_follows_the_definition(strength: float) -> None:
    x = _planes(0)
    y = x + np.random.default_rng(1).normal(0, strength, x.shape).astype(np.float32)
    assert Dssim(x).measure(y) == pytest.approx(_by_definition(x, y), abs=2e-5)


def test_equal_pictures_cost_nothing() -> None:
    x = _planes(2)
    assert Dssim(x).measure(x) == pytest.approx(0, abs=1e-6)


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_gradient_is_the_directional_derivative(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = _planes(seed)
    y = x + rng.normal(0, 12, x.shape).astype(np.float32)
    way = rng.normal(0, 1, x.shape).astype(np.float32)
    dssim = Dssim(x)
    _, gradient = dssim.gradient(y)
    step = 0.5
    slope = (_by_definition(x, y + step * way) - _by_definition(x, y - step * way)) / (2 * step)
    assert float(np.sum(gradient * way)) == pytest.approx(slope, rel=0.03, abs=2e-5)


def test_sensitivity_predicts_the_cost_of_fine_noise() -> None:
    x = _planes(3, 64)
    noise = np.random.default_rng(4).normal(0, 2, x.shape).astype(np.float32)
    dssim = Dssim(x)
    predicted = float(np.sum(dssim.sensitivity() * noise**2))
    assert predicted == pytest.approx(dssim.measure(x + noise), rel=0.15)
