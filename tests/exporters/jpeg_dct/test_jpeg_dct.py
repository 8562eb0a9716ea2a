"""JPEG to JPEG: nothing outside the cloak is encoded anew."""

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image as Pillow

from photocloak import exporters
from photocloak.exporters.containers.segments import DRI, split
from photocloak.exporters.jpeg_dct import delta as cloaking
from photocloak.exporters.jpeg_dct.headers import read_headers
from photocloak.exporters.jpeg_dct.huffman import optimal
from photocloak.exporters.jpeg_dct.opening import open_source
from tests.exporters.files import coded
from tests.exporters.jpeg_dct.blocks import coefficients, rewritten

Image = NDArray[np.uint8]
KEEP = exporters.load_policy("keep")
KINDS: dict[str, dict[str, Any]] = {
    "4:4:4": {"subsampling": "4:4:4"},
    "4:2:2": {"subsampling": "4:2:2"},
    "4:2:0": {"subsampling": "4:2:0"},
    "optimised": {"optimize": True},
    "progressive": {"progressive": True},
    "progressive 4:4:4": {"progressive": True, "subsampling": "4:4:4"},
    "restart blocks": {"restart_marker_blocks": 7},
    "restart rows": {"restart_marker_rows": 1},
    "progressive restart": {"progressive": True, "restart_marker_rows": 2},
}


def pixels(data: bytes) -> Image:
    return np.asarray(Pillow.open(io.BytesIO(data)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(256, 256), (131, 97)])
@pytest.mark.parametrize("anew", [True, False])
def test_coefficients_survive_being_read_and_written(
    kind: str, size: tuple[int, int], anew: bool, face: Image
) -> None:
    data = coded(face[: size[1], : size[0]], quality=88, **KINDS[kind])
    again = rewritten(data, anew=anew)
    assert np.array_equal(pixels(data), pixels(again))
    if not coefficients(data)[0].progressive:
        scans = [[one.scan for one in split(file).segments if one.scan] for file in (data, again)]
        assert scans[0] == scans[1]


@pytest.mark.parametrize("kind", KINDS)
def test_blocks_outside_the_cloak_keep_their_coefficients(
    kind: str, face: Image, cloak: Callable[[Image], Image]
) -> None:
    data = coded(face[:203, :251], quality=88, **KINDS[kind])
    photo = exporters.read_bytes(data, "a.jpg")
    cloaked = cloak(photo.pixels)
    encoded = exporters.encode(photo, photo.pixels, cloaked, KEEP)
    assert encoded.notes == ()
    (headers, before), (after_layout, after) = coefficients(data), coefficients(encoded.data)
    assert headers.progressive == after_layout.progressive
    assert np.any(before[0] != after[0])
    markers = [
        [s.payload for s in split(f).segments if s.marker == DRI] for f in (data, encoded.data)
    ]
    assert set(markers[1]) <= set(markers[0])
    assert bool(markers[0]) == bool(markers[1])
    touched = np.any(photo.pixels != cloaked, axis=2)
    for component, old, new in zip(headers.components, before, after, strict=True):
        tall = 8 * headers.largest[0] // component.down
        wide = 8 * headers.largest[1] // component.across
        for row, column in np.argwhere(np.any(old != new, axis=2)):
            window = np.s_[row * tall : (row + 1) * tall, column * wide : (column + 1) * wide]
            assert touched[window].any()
    wanted = (cloaked.astype(float) - photo.pixels).mean(axis=2)
    found = (pixels(encoded.data).astype(float) - photo.pixels).mean(axis=2)
    assert np.vdot(wanted, found) / np.vdot(wanted, wanted) > 0.75


def faint(image: Image, seed: int, strength: float = 1.5) -> Image:
    """Add a smooth change that is mostly smaller than a step: a light in random places."""
    waves = np.random.default_rng(seed).normal(size=(6, 4)) * [0.2, 0.2, 3, 1]
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    light = np.zeros(x.shape)
    for down, across, phase, size in waves:
        light += size * np.sin(down * y + across * x + phase)
    light *= strength / light.std()
    result = image.copy()
    inside = np.s_[40:-40, 40:-40]
    changed = image[inside] + light[inside][..., None]
    result[inside] = np.clip(np.rint(changed), 0, 255).astype(np.uint8)
    return result


def arrived(data: bytes, seed: int) -> tuple[float, float]:
    """Return how much of a faint change is in the written file, and how far off its pixels are."""
    photo = exporters.read_bytes(data, "a.jpg")
    cloaked = faint(photo.pixels, seed)
    encoded = exporters.encode(photo, photo.pixels, cloaked, KEEP)
    assert encoded.notes == ()
    wanted = (cloaked.astype(float) - photo.pixels).mean(axis=2)
    found = (pixels(encoded.data).astype(float) - photo.pixels).mean(axis=2)
    return float(np.vdot(wanted, found) / np.vdot(wanted, wanted)), float(np.std(found - wanted))


@pytest.mark.parametrize("quality", [75, 85])
@pytest.mark.parametrize("kind", ["4:2:0", "progressive"])
def test_a_change_of_less_than_a_step_is_not_lost(
    kind: str, quality: int, face: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = coded(face, quality=quality, **KINDS[kind])
    found = np.array([arrived(data, seed) for seed in range(3)])
    monkeypatch.setattr(cloaking, "_COUNTS", 0.5)  # to the nearest step
    nearest = np.array([arrived(data, seed) for seed in range(3)])
    share, off = found.mean(axis=0)
    assert 0.97 < share < 1.06
    assert abs(share - 1) < abs(nearest[:, 0].mean() - 1)
    # evenly spread remainders are off by sqrt((.4³ + .6³) / (2 · .5³)) = 1.06 times as much
    assert off < 1.1 * nearest[:, 1].mean()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_cloak_follows_the_orientation(
    orientation: int, face: Image, cloak: Callable[[Image], Image]
) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    Pillow.fromarray(face[:160, :240]).save(file, "JPEG", quality=95, exif=exif)
    photo = exporters.read_bytes(file.getvalue(), "a.jpg")
    seen = Pillow.open(io.BytesIO(file.getvalue()))
    from PIL import ImageOps

    assert np.array_equal(photo.pixels, np.asarray(ImageOps.exif_transpose(seen)))
    cloaked = cloak(photo.pixels)
    encoded = exporters.encode(photo, photo.pixels, cloaked, KEEP)
    written = exporters.read_bytes(encoded.data, "b.jpg")
    assert written.raster.orientation == orientation
    assert np.abs(written.pixels.astype(int) - cloaked).mean() < 1.0
    heads = [
        [s.payload for s in split(f).segments if s.marker == 0xE1]
        for f in (file.getvalue(), encoded.data)
    ]
    assert heads[0] == heads[1]


def test_without_a_change_the_file_is_the_same(face: Image) -> None:
    data = coded(face, quality=88, subsampling="4:2:0", restart_marker_rows=1)
    photo = exporters.read_bytes(data, "a.jpg")
    assert exporters.encode(photo, photo.pixels, photo.pixels, KEEP).data == data


@pytest.mark.parametrize("kind", ["4:2:0", "progressive"])
def test_copies_of_a_photo_can_be_written_at_the_same_time(
    kind: str, face: Image, cloak: Callable[..., Image]
) -> None:
    data = coded(face, quality=88, **KINDS[kind])
    photo = exporters.read_bytes(data, "a.jpg")
    cloaks = [cloak(photo.pixels, strength=strength) for strength in (3, 6, 9, 12)]

    def written(cloaked: Image) -> bytes:
        return exporters.encode(photo, photo.pixels, cloaked, KEEP).data

    alone = [written(one) for one in cloaks]
    assert len(set(alone)) == len(cloaks)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(written, cloaks)) == alone


def test_tables_too_coarse_for_a_cloak_are_given_up_with_the_reason(
    face: Image, cloak: Callable[..., Image]
) -> None:
    photo = exporters.read_bytes(coded(face, quality=4), "a.jpg")
    cloaked = cloak(photo.pixels, strength=5)
    encoded = exporters.encode(photo, photo.pixels, cloaked, KEEP)
    assert any("too low" in note for note in encoded.notes)
    assert np.abs(exporters.read_bytes(encoded.data, "b").pixels.astype(int) - cloaked).mean() < 3


def test_damaged_data_fall_back_or_are_refused_but_never_hang(face: Image) -> None:
    data = bytearray(coded(face, quality=88, progressive=True))
    start = data.index(b"\xff\xda")
    for seed in range(20):
        broken = bytearray(data)
        for at in np.random.default_rng(seed).integers(start + 20, len(data), 6):
            broken[at] ^= 0x55
        try:
            headers = read_headers(split(bytes(broken)).segments)
            open_source(headers)
        except ValueError:
            continue


@settings(max_examples=40)
@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=256).filter(any))
def test_the_best_table_has_a_code_for_every_symbol_that_occurs(weights: list[int]) -> None:
    frequencies = np.zeros(256, np.int64)
    frequencies[: len(weights)] = weights
    codes, lengths = optimal(frequencies).codes
    used = np.flatnonzero(frequencies)
    assert (lengths[used] > 0).all()
    assert lengths.max() <= 16
    kraft = sum(2.0 ** -int(length) for length in lengths if length)
    assert kraft < 1
    assert len({(int(c), int(n)) for c, n in zip(codes[used], lengths[used], strict=True)}) == len(
        used
    )


def test_all_lab_jpegs_come_out_the_same_when_nothing_changes(lab: Path) -> None:
    for path in sorted((lab / "data/metadata_samples").glob("*.jpg")):
        data = path.read_bytes()
        stream = split(data)
        if stream.size[0] * stream.size[1] > 1_500_000:
            continue
        again = rewritten(data, anew=True)
        assert np.array_equal(pixels(data[: stream.end]), pixels(again)), path.name
