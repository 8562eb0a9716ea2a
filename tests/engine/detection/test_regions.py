"""Regions: where they lie, how soft they are, and that no points make them fail."""

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photocloak.engine.detection.alignment import SIZE
from photocloak.engine.detection.landmarks import load_landmarker
from photocloak.engine.detection.regions import OUTLINES, Region, mask
from photocloak.engine.geometry import Array

REGIONS: tuple[Region, ...] = get_args(Region)


@pytest.fixture(scope="module")
def average() -> Array:
    return load_landmarker().average


def middle(region: Array) -> Array:
    """Return the centre of mass, x and y."""
    at = np.arange(SIZE)
    total = region.sum()
    weighed = np.array([(region.sum(axis=0) * at).sum(), (region.sum(axis=1) * at).sum()])
    return np.asarray(weighed / total, np.float32)


def test_a_square_is_filled_where_it_lies(average: Array) -> None:
    points = average.copy()
    outline = list(OUTLINES["lips"][0])
    corners = np.array([[49.5, 99.5], [79.5, 99.5], [79.5, 119.5], [49.5, 119.5]])
    points[outline] = np.repeat(corners, 5, axis=0)
    found = mask(points, "lips", softness=0)
    wanted = np.zeros((SIZE, SIZE), np.float32)
    wanted[100:120, 50:80] = 1  # pixels whose middles are 50 to 79 and 100 to 119
    assert np.abs(found - wanted)[98:122, 48:82].mean() < 0.02
    np.testing.assert_allclose(middle(found), [64.5, 109.5], atol=0.15)
    assert not found[:98].any()


@pytest.mark.parametrize("region", REGIONS)
def test_soft_edges_keep_the_area(region: Region, average: Array) -> None:
    sharp, soft = (mask(average, region, softness=s) for s in (0, 3.0))
    assert sharp.dtype == soft.dtype == np.float32
    assert sharp.shape == soft.shape == (SIZE, SIZE)
    assert sharp.max() == 1
    assert 0 <= soft.min() <= soft.max() <= 1 + 1e-6
    if region != "face_oval":  # which the crop cuts
        assert soft.sum() == pytest.approx(sharp.sum(), rel=1e-3)
    assert np.abs(np.diff(soft, axis=1)).max() < 0.15 < np.abs(np.diff(sharp, axis=1)).max()


def test_parts_lie_where_parts_of_a_face_lie(average: Array) -> None:
    masks = {region: mask(average, region, softness=0) for region in REGIONS}
    order: tuple[Region, ...] = ("brows", "eyes", "nose_bridge", "nose_tip", "lips")
    heights = [middle(masks[region])[1] for region in order]
    assert heights == sorted(heights)
    within: tuple[tuple[Region, Region], ...] = (
        ("irises", "eyes"),
        ("mouth", "lips"),
        ("nostrils", "nose_tip"),
    )
    for inner, outer in within:
        assert (masks[inner] <= masks[outer] + 0.3).all(), inner
    for region in REGIONS:
        assert (masks[region] <= masks["face_oval"]).mean() == 1, region
    beside: tuple[tuple[Region, Region], ...] = (
        ("eyes", "brows"),
        ("nose_tip", "lips"),
        ("nose_bridge", "eyes"),
    )
    for apart in beside:
        assert (masks[apart[0]] * masks[apart[1]]).sum() < 5, apart


def test_pairs_are_mirror_images(average: Array) -> None:
    """The average face is nearly symmetric; a wrong vertex in one list would not be."""
    mirrored = average * [-1, 1] + [2 * average[[10, 152, 1], 0].mean(), 0]
    for region in REGIONS:
        here = mask(average, region, softness=2)
        there = mask(mirrored.astype(np.float32), region, softness=2)
        assert np.minimum(here, there).sum() > 0.85 * here.sum(), region


@settings(max_examples=30)
@given(
    seed=st.integers(0, 2**32 - 1),
    spread=st.sampled_from([0.0, 1.0, 300.0, 1e5]),
    region=st.sampled_from(REGIONS),
    softness=st.sampled_from([0.0, 0.5, 10.0]),
)
def test_any_points_give_a_mask(seed: int, spread: float, region: Region, softness: float) -> None:
    rng = np.random.default_rng(seed)
    points = (SIZE / 2 + spread * rng.standard_normal((468, 2))).astype(np.float32)
    found = mask(points, region, softness=softness)
    assert np.isfinite(found).all()
    assert 0 <= found.min() <= found.max() <= 1 + 1e-5
