"""A face made unrecognisable: nothing outside changes, nothing of it but a few means is left."""

import numpy as np
import pytest

from photocloak.engine.detection.alignment import Image
from photocloak.engine.detection.faces import Face, filling
from photocloak.engine.detection.landmarks import average_landmarks
from photocloak.engine.modes import Fallback
from photocloak.engine.obscure import CELLS, TRIES, area, obscure
from tests.plugin.fakes import face_at

HOWS: tuple[Fallback, ...] = ("blur", "pixelate", "box")
ANYWHERE = [(40, 30, 120), (-60, 20, 150), (150, 120, 140), (90, 60, 17), (300, 300, 50)]


def noise(seed: int) -> Image:
    return np.random.default_rng(seed).integers(0, 256, (240, 260, 3), np.uint8)


def inside(outline: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the pixels whose middle lies within the outline's bounding box, a pixel around it."""
    low, high = outline.min(axis=0) - 1, outline.max(axis=0) + 1
    y, x = np.mgrid[: shape[0], : shape[1]]
    near = (x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1])
    return np.asarray(near)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("place", ANYWHERE)
@pytest.mark.parametrize("upright_one", [True, False])
def test_nothing_outside_of_the_area_changes(
    how: Fallback, place: tuple[int, int, int], upright_one: bool
) -> None:
    image = noise(1)
    before = image.copy()
    face = face_at(*place, upright=upright_one)
    after = obscure(image, face, average_landmarks, how)
    assert np.array_equal(image, before), "the photo itself is left as it was"
    outside = ~inside(area(image, face, average_landmarks), image.shape)
    assert np.array_equal(after[outside], image[outside])
    assert after.shape == image.shape and after.dtype == np.uint8


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("size", [60, 140])
def test_photos_that_differ_in_detail_come_out_alike(how: Fallback, size: int) -> None:
    """Two faces that have the same means are the same afterwards: the means are all that is left.

    Detail is added that averages to nothing over any few pixels.
    """
    face = face_at(60, 50, size)
    plain = np.full((240, 260, 3), 128, np.uint8)
    y, x = np.mgrid[:240, :260]
    detailed = plain + np.where((x + y) % 2, 60, -60).astype(np.int16)[..., None]
    images = plain, detailed.astype(np.uint8)
    first, second = (obscure(one, face, average_landmarks, how) for one in images)
    middle = tuple(slice(int(at + 0.3 * size), int(at + 0.7 * size)) for at in (50, 60))
    assert np.abs(first[middle].astype(int) - second[middle]).max() <= 6  # of 60
    assert np.abs(images[0][middle].astype(int) - images[1][middle]).max() == 60


@pytest.mark.parametrize("how", ["blur", "pixelate"])
def test_no_more_than_so_many_means_are_left(how: Fallback) -> None:
    """The changed pixels lie in a space of as many dimensions as there are means."""
    face = face_at(60, 50, 100)
    rows = []
    for seed in range(3 * CELLS[0] ** 2):
        after = obscure(noise(seed), face, average_landmarks, how)
        rows.append(after[80:120, 90:130, 0].ravel().astype(float))
    singular = np.linalg.svd(np.array(rows) - np.mean(rows, axis=0), compute_uv=False)
    rounding = 0.4 * (np.sqrt(rows[0].size) + np.sqrt(len(rows)))  # of numbers to whole ones
    assert singular[0] > 5 * rounding
    assert (singular > rounding).sum() <= CELLS[0] ** 2


@pytest.mark.parametrize("how", HOWS)
def test_each_try_is_another_and_leaves_less(how: Fallback) -> None:
    assert len(CELLS) == TRIES and list(CELLS) == sorted(CELLS, reverse=True)
    image, face = noise(1), face_at(60, 50, 100)
    seen = [obscure(image, face, average_landmarks, how, tried=one) for one in range(TRIES)]
    assert len({one.tobytes() for one in seen}) == TRIES


def test_a_blur_has_a_soft_edge_and_a_core_that_is_all_blur() -> None:
    face = face_at(60, 50, 100)
    white = np.full((240, 260, 3), 255, np.uint8)
    white[50:150, 60:160] = 0
    soft = obscure(white, face, average_landmarks, "blur")
    hard = obscure(white, face, average_landmarks, "pixelate")
    assert len(np.unique(soft)) > 3 * len(np.unique(hard))
    oval = area(white, face, average_landmarks)
    middle = (oval.min(axis=0) + oval.max(axis=0)) / 2
    core = middle + (oval - middle) / 1.3  # the face's own oval
    noisy = [noise(one) for one in (1, 2)]
    for x, y in core.round().astype(int):
        values = [obscure(one, face, average_landmarks, "blur")[y, x] for one in noisy]
        assert np.abs(values[0].astype(int) - values[1]).max() < 60, "no pixel of the face itself"


def test_a_face_that_cannot_be_aligned_is_covered_by_its_box() -> None:
    face = Face((50.0, 40.0, 60.0, 80.0), np.zeros((5, 2), np.float32), 0.6)
    after = obscure(noise(1), face, average_landmarks, "box")
    assert (after[40:120, 50:110] == after[41, 51]).all()
    seen = filling(face)
    assert (seen.landmarks >= (50, 40)).all() and (seen.landmarks <= (110, 120)).all()
