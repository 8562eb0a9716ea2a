"""The stranger's recognisers: right on separable people, wrong after a swap."""

import numpy as np
import pytest

from photocloak.engine.recognition.identification import false_accept_threshold, recognise


def _people(
    rng: np.random.Generator, count: int, each: int, spread: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    centres = rng.normal(size=(count, 32))
    names = np.repeat(np.arange(count), each)
    return (
        (centres[names] + spread * rng.normal(size=(len(names), 32))).astype("f4"),
        names,
        centres,
    )


def test_everybody_is_recognised_from_clean_photos() -> None:
    features, names, _ = _people(np.random.default_rng(0), 8, 15, 0.4)
    train = np.tile(np.arange(15) < 10, 8)
    accuracy = recognise(
        features[train], names[train], features[~train], names[~train], threshold=0.4
    )
    assert accuracy.linear.min() == accuracy.nearest.min() == accuracy.verified.min() == 1


def test_somebody_whose_gallery_shows_another_is_not() -> None:
    rng = np.random.default_rng(1)
    features, names, centres = _people(rng, 8, 15, 0.4)
    train = np.tile(np.arange(15) < 10, 8)
    gallery = features[train].copy()
    elsewhere = rng.normal(size=32)
    gallery[names[train] == 3] += elsewhere - centres[3]
    accuracy = recognise(gallery, names[train], features[~train], names[~train], threshold=0.5)
    assert accuracy.linear[3] < 0.4
    assert accuracy.nearest[3] < 0.4
    assert accuracy.verified[3] == 0
    assert np.delete(accuracy.nearest, 3).min() == 1


@pytest.mark.parametrize("rate", [0.01, 0.1])
def test_threshold_accepts_its_rate_of_strangers(rate: float) -> None:
    features, names, _ = _people(np.random.default_rng(2), 60, 3, 1.0)
    threshold = false_accept_threshold(features, names, rate=rate)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    pairs = (unit @ unit.T)[names[:, None] != names[None, :]]
    assert np.mean(pairs >= threshold) == pytest.approx(rate, rel=0.1)
