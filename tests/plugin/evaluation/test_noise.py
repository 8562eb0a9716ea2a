"""Noise kept, on noise whose loss is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from PIL import Image as Pillow
from PIL import ImageFilter

from photocloak.engine.detection.alignment import Image
from photocloak.plugin.evaluation.noise import noise_kept
from tests.plugin.fakes import face_at, picture

FACE = face_at(60, 40, 120)


def grainy(deviation: float, *, seed: int = 0) -> Image:
    """Return a smooth photo with grey noise, (H, W, 3) uint8."""
    grain = np.random.default_rng(seed).normal(0, deviation, (240, 280, 1))
    return np.rint(np.clip(picture(240, 280) + grain, 0, 255)).astype(np.uint8)


def blurred(photo: Image) -> Image:
    return np.asarray(Pillow.fromarray(photo).filter(ImageFilter.GaussianBlur(1)))


def test_no_change_keeps_all() -> None:
    assert noise_kept(grainy(5), grainy(5), FACE) == 1


def test_half_the_noise_is_half() -> None:
    assert noise_kept(grainy(8), grainy(4), FACE) == pytest.approx(0.5, abs=0.02)
    assert noise_kept(grainy(4), grainy(8), FACE) == pytest.approx(2, abs=0.08)


def test_other_noise_of_the_same_strength_keeps_all() -> None:
    """The choice of the patches does not favour those that happen to have little noise before."""
    found = [
        noise_kept(grainy(5, seed=seed), grainy(5, seed=100 + seed), FACE) for seed in range(40)
    ]
    assert np.mean(found) == pytest.approx(1, abs=0.02)


def test_a_blur_is_told_and_light_is_not() -> None:
    photo = grainy(5)
    assert noise_kept(photo, blurred(photo), FACE) < 0.2
    ramp = np.linspace(-6, 6, 280)[:, None]
    lit = np.rint(np.clip(photo + ramp, 0, 255)).astype(np.uint8)
    assert noise_kept(photo, lit, FACE) == pytest.approx(1, abs=0.02)


def test_what_happens_outside_of_the_face_does_not_count() -> None:
    photo = grainy(5)
    changed = photo.copy()
    changed[:, 185:] = 90
    changed[:35] = 90
    assert noise_kept(photo, changed, FACE) == 1


def test_lines_do_not_count_where_there_is_skin() -> None:
    photo = grainy(3)
    hair = np.indices((40, 280)).sum(axis=0)[..., None] % 8 < 4
    photo[70:110] = np.where(hair, 40, 200)
    changed = photo.copy()
    changed[70:110] = 128
    assert noise_kept(photo, changed, FACE) == pytest.approx(1, abs=0.05)


def test_a_picture_without_noise_is_a_number() -> None:
    flat = np.full((240, 280, 3), 120, np.uint8)
    assert noise_kept(flat, flat, FACE) == 1
    assert noise_kept(flat, grainy(5), FACE) > 5


@given(
    some.integers(16, 90),
    some.integers(16, 90),
    some.floats(-60, 80),
    some.floats(-60, 80),
    some.floats(16, 200),
)
def test_faces_of_any_size_and_place(
    height: int, width: int, x: float, y: float, size: float
) -> None:
    noise = np.random.default_rng(0).integers(90, 110, (2, height, width, 3)).astype(np.uint8)
    assert 0.5 < noise_kept(noise[0], noise[1], face_at(x, y, size)) < 2
