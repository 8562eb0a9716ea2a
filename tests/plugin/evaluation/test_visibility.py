"""Each measure of visibility, on changes whose answer is known."""

import numpy as np
import pytest
from PIL import Image as Pillow

from photocloak.engine.detection.alignment import Image
from photocloak.plugin.evaluation import visibility
from photocloak.plugin.evaluation.treatments import TREATMENTS
from photocloak.plugin.evaluation.visibility import Change, by_class, change
from tests.plugin.fakes import face_at, picture

FACE = face_at(60, 40, 120)


def after(delta: np.ndarray) -> tuple[Image, Image]:
    before = np.full((240, 280, 3), 120, np.uint8)
    return before, np.clip(before + delta, 0, 255).astype(np.uint8)


def test_no_change_is_no_change() -> None:
    photo = picture(240, 280)
    found = change(photo, photo, FACE)
    assert (found.dssim, found.dssim_box, found.low_luma, found.ciede_p95) == pytest.approx(
        (0, 0, 0, 0), abs=1e-5
    )
    assert found.size == 120


def test_a_lighter_face_is_low_passed_luma() -> None:
    found = change(*after(np.full(3, 8)), FACE)
    assert found.low_luma == pytest.approx(8, abs=1e-3)
    assert found.low_chroma == pytest.approx(0, abs=1e-3)
    assert found.psnr == pytest.approx(20 * np.log10(255 / 8), abs=1e-3)


def test_a_tinted_face_is_low_passed_chroma() -> None:
    found = change(*after(np.array([8, 8, 0])), FACE)
    blue, red = -0.5 * 8, (0.5 - 0.418688) * 8
    assert found.low_chroma == pytest.approx(np.sqrt((blue**2 + red**2) / 2), abs=0.01)
    assert found.ciede_median == pytest.approx(found.ciede_p95) != 0


def test_fine_grain_is_not_low_passed() -> None:
    grain = np.indices((240, 280)).sum(axis=0)[..., None] % 2 * 16 - 8
    found = change(*after(grain), FACE)
    assert found.low_luma < 0.1
    assert found.psnr == pytest.approx(20 * np.log10(255 / 8), abs=1e-3)
    assert found.dssim_box > 0.1


def test_the_eye_notices_more_of_more() -> None:
    found = [change(*after(np.full(3, step)), FACE).flip for step in (0, 3, 9)]
    assert found[0] == 0
    assert 0 < 2 * found[1] < found[2] < 0.5


def test_without_the_package_it_is_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visibility, "flip_version", lambda: "")
    assert np.isnan(change(*after(np.full(3, 8)), FACE).flip)


def test_what_changes_outside_of_the_box_does_not_count() -> None:
    delta = np.zeros((240, 280, 3), int)
    delta[220:, 260:] = 50
    assert change(*after(delta), FACE).psnr > 100


def test_classes_of_sizes() -> None:
    one = Change(90, 0.01, 0.02, 35, 1, 2, 1, 1, 0.1, 1)
    large = Change(301, 0.02, 0.02, 35, 1, 2, 3, 1, 0.1, 1)
    table = by_class([one, one, large])
    assert [table[name]["faces"] for name in table] == [3, 2, 0, 1]
    assert table["all"]["dssim"] == pytest.approx(0.04 / 3)
    assert table["over 300 px"]["low_luma"] == 3


def test_treatments() -> None:
    photo = np.asarray(Pillow.effect_noise((2160, 1000), 60).convert("RGB"))
    assert TREATMENTS["cloaked"](photo) is photo
    assert TREATMENTS["1080 px, JPEG 80"](photo).shape == (500, 1080, 3)
    blurred = TREATMENTS["blur σ 1"](photo)
    assert blurred.shape == photo.shape
    assert blurred.std() == pytest.approx(photo.std() / (2 * np.sqrt(np.pi)), rel=0.1)
    assert 0 < np.abs(TREATMENTS["JPEG 75"](photo).astype(int) - photo).mean() < 30
