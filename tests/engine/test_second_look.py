"""What the detector is not sure of and the landmark network does not see is no face, if large."""

from dataclasses import replace

import numpy as np
import pytest

from photocloak.engine.detection.alignment import Image
from photocloak.engine.detection.faces import Face
from photocloak.engine.detection.landmarks import Landmarks, average_points, load_landmarker
from photocloak.engine.detection.second_look import LARGE, NOTHING, confirmed
from tests.plugin.fakes import face_at

PHOTO = np.random.default_rng(3).integers(0, 256, (300, 400, 3), np.uint8)


class Network:
    """Sees a face with a chance that depends on where the left eye is, and counts."""

    def __init__(self, presence: float, *, only: int = -1) -> None:
        self.presence, self.only, self.asked = presence, only, 0

    def __call__(self, _image: Image, _face: Face) -> Landmarks:
        seen = self.only in (-1, self.asked)
        self.asked += 1
        return Landmarks(average_points(), self.presence if seen else 0.0, 0.0, certain=False)


@pytest.mark.parametrize(
    ("size", "score", "presence", "stays"),
    [
        (100, 0.6, 0.0, False),
        (100, 0.6, NOTHING, True),
        (100, 0.7, 0.0, True),
        (LARGE - 1, 0.6, 0.0, True),
        (LARGE, 0.6, NOTHING / 2, False),
    ],
)
def test_only_large_uncertain_findings_can_be_none(
    size: float, score: float, presence: float, stays: bool
) -> None:
    face = face_at(50, 40, size, score=score)
    assert confirmed(PHOTO, [face], Network(presence), high=0.7) == [face] * stays


@pytest.mark.parametrize(("x", "y"), [(-1, 40), (50, -1), (301, 40), (50, 201)])
def test_what_the_edge_cuts_off_stays_unasked(x: float, y: float) -> None:
    """The network needs a whole face: it saw nothing of two real ones that lay at an edge."""
    network = Network(0.0)
    face = face_at(x, y, 100, score=0.6)
    assert confirmed(PHOTO, [face], network, high=0.7) == [face] and network.asked == 0


@pytest.mark.parametrize("turn", range(4))
def test_what_cannot_be_aligned_is_looked_at_any_way_up(turn: int) -> None:
    face = face_at(50, 40, 100, score=0.6, upright=False)
    assert confirmed(PHOTO, [face], Network(1.0, only=turn), high=0.7) == [face]
    network = Network(0.0)
    assert confirmed(PHOTO, [face], network, high=0.7) == [] and network.asked == 4


def test_the_shipped_network_sees_nothing_in_noise() -> None:
    faces = [face_at(x, 40, 150, score=0.6) for x in (20, 120, 220)]
    kept = confirmed(PHOTO, faces, load_landmarker(), high=0.7)
    assert kept == []
    assert confirmed(PHOTO, [replace(faces[0], score=0.9)], load_landmarker(), high=0.7)
