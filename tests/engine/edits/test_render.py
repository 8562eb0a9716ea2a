"""What the face space decides is what the photo shows, whatever the face's size and place."""

import resource
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from photocloak.engine.detection.alignment import ARCFACE, FaceSpace, Image
from photocloak.engine.detection.faces import Face
from photocloak.engine.detection.landmarks import average_points
from photocloak.engine.edits.retouch import Retouch
from photocloak.engine.geometry import Array
from photocloak.engine.modes import Mode, load_mode


def photo(height: int, width: int, *, seed: int = 0, grain: float = 0.0) -> Image:
    """Return a smooth picture of as much detail at any size, with grain on it."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(50, 200, (24, 24, 3), np.uint8)
    smooth = Pillow.fromarray(coarse).resize((width, height), Pillow.Resampling.BICUBIC)
    noisy = np.asarray(smooth) + grain * rng.normal(size=(height, width, 1))
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def face_at(x: float, y: float, size: float, *, tilt: float = 0.0) -> Face:
    """Return a face whose aligned square is `size` pixels wide around (x, y)."""
    turn = np.exp(1j * np.radians(tilt))
    points = (ARCFACE[:, 0] - 56 + 1j * (ARCFACE[:, 1] - 56)) * (size / 112) * turn
    landmarks = np.stack([points.real + x, points.imag + y], axis=1).astype(np.float32)
    return Face((x - size / 2, y - size / 2, size, size), landmarks, 0.9)


def drawn(retouch: Retouch, seed: int = 0) -> dict[str, Array]:
    """Return parameters somewhere in their bounds."""
    rng = np.random.default_rng(seed)
    start = retouch.start(rng)
    limits = {one.name: one.limit for one in (retouch.warp, retouch.contrast, retouch.light)}
    wild = {
        name: rng.normal(size=value.shape).astype(np.float32) * np.float32(limits.get(name, 3.0))
        for name, value in start.items()
    }
    return retouch.within(retouch.bounded(wild)[0])[0]


def prepared(image: Image, face: Face, mode: Mode | None = None) -> Retouch:
    mode = mode or load_mode("strong")
    return Retouch.of(image, FaceSpace.of(face), average_points(), mode)


@settings(max_examples=15)
@given(
    size=st.floats(20, 420),
    tilt=st.floats(-180, 180),
    x=st.floats(-0.3, 1.3),
    y=st.floats(-0.3, 1.3),
    seed=st.integers(0, 99),
)
def test_the_photo_shows_what_the_face_space_decided(
    size: float, tilt: float, x: float, y: float, seed: int
) -> None:
    image = photo(300, 340, seed=seed)
    face = face_at(340 * x, 300 * y, size, tilt=tilt)
    retouch = prepared(image, face)
    parameters = drawn(retouch, seed)
    out = retouch.render(image, parameters)
    wanted = np.clip(retouch.apply(parameters, retouch.beneath(parameters))[0], 0, 255)
    seen = FaceSpace.of(face).crop(out)
    middle = retouch.contrast.window > 0.02
    changed = np.abs(wanted - retouch.planes)[:, middle]
    if not changed.size or changed.mean() < 0.5:
        return
    # Small faces lose on the photo's grid what the finer face space has; rounding costs .3.
    assert np.abs(seen - wanted)[:, middle].mean() < 0.35 * changed.mean() + 0.5


def test_outside_of_the_face_not_one_grey_level_changes() -> None:
    image = photo(400, 400, grain=6)
    face = face_at(200, 190, 160, tilt=25)
    retouch = prepared(image, face)
    out = retouch.render(image, drawn(retouch))
    far = FaceSpace.of(face).inside(image.shape)  # the square: W must end well inside of it
    assert far.all()
    changed = (out != image).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert changed.sum() > 5000
    distance = np.hypot(columns - 200, rows - 190) / 160
    assert distance.max() < 0.62, "within the oval's longer half-axis"


def test_two_faces_that_overlap_both_come_out_edited() -> None:
    image = photo(300, 400)
    first, second = face_at(160, 150, 180), face_at(250, 160, 150, tilt=-10)
    one = prepared(image, first)
    between = one.render(image, drawn(one))
    other = prepared(between, second)
    out = other.render(between, drawn(other, 1))
    for face in (first, second):
        change = np.abs(FaceSpace.of(face).crop(out) - FaceSpace.of(face).crop(image))
        assert change[:, 60:160, 60:160].mean() > 1


def test_black_and_white_stays_black_and_white() -> None:
    image = np.repeat(photo(260, 260, grain=4)[:, :, :1], 3, axis=2)
    retouch = prepared(image, face_at(130, 130, 200))
    out = retouch.render(image, drawn(retouch))
    assert (out != image).any()
    assert (out == out[:, :, :1]).all()


def test_nothing_is_clipped_to_a_flat_patch() -> None:
    """Skin near white keeps its detail: no more pixels are white than before, but for rounding."""
    image = np.clip(photo(300, 300, grain=2).astype(int) // 4 + 196, 0, 255).astype(np.uint8)
    retouch = prepared(image, face_at(150, 150, 220), replace(load_mode("strong"), light=0.5))
    parameters = drawn(retouch) | {"light": np.full((1, 17, 17), 9, np.float32)}
    parameters["light"] = retouch.light.bounded(parameters["light"])
    out = retouch.render(image, parameters)
    assert (out == 255).any(axis=2).mean() < (image == 255).any(axis=2).mean() + 0.01


def test_grain_stays_grain() -> None:
    """A warp samples between pixels, which blurs; what is left of the noise must look the same."""
    image = photo(500, 500, grain=5)
    face = face_at(250, 250, 400)
    retouch = prepared(image, face, load_mode("strong"))
    only_warp = drawn(retouch) | {
        "contrast": retouch.contrast.start(),
        "light": retouch.light.start(),
    }
    only_warp["delta"] = np.zeros_like(only_warp["delta"])
    out = retouch.render(image, only_warp)

    def noise(picture: Image) -> float:
        grey = picture[180:320, 180:320].mean(axis=2)
        high = (
            grey[1:-1, 1:-1] * 4
            - grey[:-2, 1:-1]
            - grey[2:, 1:-1]
            - grey[1:-1, :-2]
            - grey[1:-1, 2:]
        )
        return float(high.std())

    assert 0.75 < noise(out) / noise(image) < 1.25


@pytest.mark.parametrize("size", [8, 40, 3000])
def test_faces_of_any_size(size: int) -> None:
    edge = max(64, round(size * 1.1))
    image = photo(edge, edge, grain=3)
    retouch = prepared(image, face_at(edge / 2, edge / 2, size))
    parameters = drawn(retouch)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    out = retouch.render(image, parameters)
    assert (out != image).any()
    assert time.process_time() - started < 20
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < 60 + 2 * image.nbytes / 2**20, "a large face is rendered row by row"
