"""A face that no cloak is strong enough for is made unrecognisable, and measured like a cloak."""

from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PIL import Image as Pillow

from photocloak import exporters
from photocloak.engine import obscure as obscuring
from photocloak.engine.detection.alignment import Image
from photocloak.engine.detection.faces import Face
from photocloak.engine.detection.landmarks import FindLandmarks
from photocloak.engine.modes import Fallback, load_mode
from photocloak.plugin import FaceOutcome, Outcome, Status
from photocloak.plugin.people.corrections import Correction, Corrections
from photocloak.plugin.pipeline import hiding, process_photo
from tests.plugin.fakes import face_at, make_engine
from tests.plugin.studio import FACES, ONE, TWO, Studio

HOWS: tuple[Fallback, ...] = get_args(Fallback)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_photo, "load_mode", lambda name: replace(load_mode(name), steps=4))


def group(home: Path, threshold: float) -> tuple[Studio, Path]:
    """Return a photo of two, of far more detail than a mean over some pixels has."""
    studio = Studio(home, make_engine(FACES, threshold=threshold))
    path = studio.photo.with_name("group.png")
    coarse = np.random.default_rng(5).integers(0, 256, (26, 52, 3), np.uint8)
    Pillow.fromarray(coarse).resize(TWO[::-1], Pillow.Resampling.BICUBIC).save(path)
    return studio, path


def changed(photo: Path, outcome: Outcome) -> list[np.ndarray]:
    """Return how much the left and the right half of a photo were changed."""
    assert outcome.output is not None
    before, after = (exporters.read(path).pixels.astype(int) for path in (photo, outcome.output))
    return [np.abs(before - after)[:, half] for half in (slice(0, 130), slice(130, None))]


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[float]]:
    """Return how like itself each face of the group is, at best cloaked and obscured."""
    patch = pytest.MonkeyPatch()
    patch.setattr(process_photo, "load_mode", lambda name: replace(load_mode(name), steps=4))
    studio, photo = group(tmp_path_factory.mktemp("figures"), 0.99999)
    cloaked = studio.pipeline.run(studio.job(photo, mode="strong"))
    # Of three recognisers balanced lets two pass, and strong one.
    found = {"cloaked": [min(one.similarity.values()) for one in cloaked.faces]}
    found["strong"] = [sorted(one.similarity.values())[1] for one in cloaked.faces]
    assert cloaked.content is not None
    for how in ("pixelate", "box"):
        for face in cloaked.faces:
            assert face.found is not None
            words = Correction(fallback=how)
            Corrections(studio.database).set(cloaked.content, face.found, words)
        outcome = studio.pipeline.run(studio.job(photo))
        found[how] = [max(one.similarity.values()) for one in outcome.faces]
    patch.undo()
    return found


@pytest.mark.parametrize("how", ["pixelate", "box"])
def test_what_is_too_weak_is_made_unrecognisable(
    tmp_path: Path, figures: dict[str, list[float]], how: Fallback
) -> None:
    threshold = max(figures[how]) + 1e-6
    assert threshold < min(figures["cloaked"]), "the scene tells a cloak from what is hidden"
    studio, photo = group(tmp_path, threshold)
    held = studio.pipeline.run(studio.job(photo))
    assert held.status is Status.TOO_WEAK and "--fallback" in str(held.reason)
    outcome = studio.pipeline.run(studio.job(photo, fallback=how))
    assert (outcome.status, outcome.code) == (Status.CLOAKED, 0)
    assert "of the faces 2 " in str(outcome.reason)
    for face in outcome.faces:
        assert (face.fallback, face.cloaked, face.mode) == (how, False, None)
        assert max(face.similarity.values()) < threshold and face.dssim
        assert FaceOutcome.from_json(face.as_json()).fallback == how
    assert min(one.max() for one in changed(photo, outcome)) > 20
    assert studio.pipeline.run(studio.job(photo, fallback=how)).status is Status.DONE_BEFORE
    assert studio.pipeline.run(studio.job(photo)).status is Status.TOO_WEAK


def test_only_the_weak_face_is_hidden(tmp_path: Path, figures: dict[str, list[float]]) -> None:
    weak = int(np.argmax(figures["strong"]))
    threshold = sum(figures["strong"]) / 2
    assert max(figures["pixelate"]) < threshold
    studio, photo = group(tmp_path, threshold)
    outcome = studio.pipeline.run(studio.job(photo, mode="strong", fallback="pixelate"))
    assert outcome.status is Status.CLOAKED
    hows = [face.fallback for face in outcome.faces]
    assert hows == ["pixelate" if index == weak else None for index in (0, 1)]
    assert outcome.faces[1 - weak].mode == "strong"
    assert outcome.faces[1 - weak].similarity == pytest.approx(outcome.faces[1 - weak].similarity)


def test_one_that_is_chosen_is_hidden_without_a_try(tmp_path: Path) -> None:
    studio, photo = group(tmp_path, 0.9999)
    first = studio.pipeline.run(studio.job(photo))
    assert first.content is not None and first.faces[1].found is not None
    Corrections(studio.database).set(
        first.content, first.faces[1].found, Correction(fallback="box")
    )
    steps: list[tuple[int, int]] = []
    outcome = studio.pipeline.run(studio.job(photo), on_step=lambda *step: steps.append(step))
    assert [face.fallback for face in outcome.faces] == [None, "box"]
    assert [face.person for face in outcome.faces] == ["person-1", "person-2"]
    assert len(steps) == 4, "of one face only"
    assert "a face was covered by a box" in str(outcome.reason)
    _, right = changed(photo, outcome)
    pixels = exporters.read(studio.out / "group.png").pixels
    assert (pixels[40:90, 160:210] == obscuring.NEUTRAL[0]).all() and right.any()


def test_what_a_recogniser_knows_all_the_same_is_held_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []

    def noted(image: Image, face: Face, find: FindLandmarks, how: Fallback, *, tried: int) -> Image:
        tries.append(tried)
        return obscuring.obscure(image, face, find, how, tried=tried)

    monkeypatch.setattr(hiding, "obscure", noted)
    studio, photo = group(tmp_path, -1.0)
    outcome = studio.pipeline.run(studio.job(photo, fallback="pixelate"))
    assert (outcome.status, outcome.output) == (Status.TOO_WEAK, None)
    assert "that was made unrecognisable" in str(outcome.reason)
    assert [face.fallback for face in outcome.faces] == ["pixelate"] * 2
    assert tries == [0, 0, 1, 1, 2, 2], "each time less of both is left"
    assert studio.written() == []


class TestOutOfReach:
    """What cannot be aligned cannot be cloaked, but it can be covered where it was seen."""

    @pytest.fixture
    def studio(self, tmp_path: Path) -> Studio:
        seen = {ONE: [face_at(40, 20, 70), face_at(5, 5, 30, score=0.6, upright=False)]}
        return Studio(tmp_path, make_engine(seen))

    @pytest.mark.parametrize("how", HOWS)
    def test_it_is_hidden(self, studio: Studio, how: Fallback) -> None:
        outcome = studio.pipeline.run(studio.job(fallback=how))
        assert outcome.status is Status.CLOAKED
        assert [face.fallback for face in outcome.faces] == [None, how]
        assert outcome.faces[1].box == (5, 5, 30, 30)
        assert changed(studio.photo, outcome)[0][10:30, 10:30].any()

    def test_what_looks_the_same_afterwards_is_held_back(
        self, studio: Studio, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The measurement does not trust the covering."""
        monkeypatch.setattr(hiding, "obscure", lambda image, *_, **__: image)
        outcome = studio.pipeline.run(studio.job(fallback="blur"))
        assert outcome.status is Status.TOO_WEAK and studio.written() == []
