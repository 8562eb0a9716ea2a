"""A face on the edges of a picture of all around is found as one, by the real detector."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from photocloak.engine import seam
from photocloak.engine.detection.detector import Detector

Image = NDArray[np.uint8]
FACE = Path(__file__).parents[1] / "data/astronaut.png"
WIDTH, HEIGHT, SIDE = 768, 384, 128


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(threads=1)


def scene(*columns: int) -> Image:
    """Return a picture of all around with a portrait's middle at each of the columns."""
    portrait = Pillow.open(FACE).convert("RGB").crop((32, 52, 32 + SIDE, 52 + SIDE))
    picture = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    for column in columns:
        where = np.arange(column - SIDE // 2, column + SIDE // 2) % WIDTH
        picture[90 : 90 + SIDE, where] = np.asarray(portrait)
    return picture


@pytest.mark.parametrize("column", [0, 12, WIDTH - 15])
def test_a_face_on_the_edges_becomes_one(detector: Detector, column: int) -> None:
    picture = scene(column, WIDTH // 2)
    cut = seam.cut(picture, detector)
    assert cut
    whole = seam.turned(picture, cut)
    found = [face for face in detector(whole) if face.score >= detector.high]
    assert len(found) == 2
    assert all(face.box[0] >= 0 and face.box[0] + face.box[2] <= WIDTH for face in found)
    assert np.array_equal(seam.turned(whole, -cut), picture)
    middles = [(face.box[0] + face.box[2] / 2 + cut - column) % WIDTH for face in found]
    assert min(min(one, WIDTH - one) for one in middles) < 30


def test_without_a_face_there_nothing_is_turned(detector: Detector) -> None:
    assert seam.cut(scene(WIDTH // 2), detector) == 0
    assert seam.cut(scene(), detector) == 0


def test_a_picture_full_of_faces_cannot_be_cut_open(detector: Detector) -> None:
    assert seam.cut(scene(*range(0, WIDTH, SIDE)), detector) is None


def test_boxes_go_back_by_their_larger_part() -> None:
    assert seam.box_as_published((100, 5, 40, 50), 0, 1000) == (100, 5, 40, 50)
    assert seam.box_as_published((100, 5, 40, 50), 300, 1000) == (400, 5, 40, 50)
    assert seam.box_as_published((690, 5, 40, 50), 300, 1000) == (0, 5, 30, 50)
    assert seam.box_as_published((670, 5, 40, 50), 300, 1000) == (970, 5, 30, 50)
