"""A strip of a TIFF ends where its rows do: what lies behind them in it is not written."""

import io
import os
from pathlib import Path
from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import TiffImagePlugin

from photocloak import exporters
from photocloak.exporters.containers import strips
from photocloak.exporters.containers.ifd import Tiff
from photocloak.exporters.containers.strips import DEFLATE, LZW, NONE, PACKBITS

Rows = NDArray[np.uint8]
PORTRAIT = Path(__file__).parents[2] / "data/astronaut.png"
SEED = int(os.environ.get("PHOTOCLOAK_SEED", "0"))
KINDS = (NONE, LZW, DEFLATE, PACKBITS)


def rows_of(seed: int) -> Rows:
    """Return a picture: noise, flat, of few levels, a ramp or a photo, of any size."""
    rng = np.random.default_rng(seed)
    tall, wide = rng.integers(1, 120, 2)
    photo = np.asarray(Pillow.open(PORTRAIT).convert("L"))
    pictures = (
        rng.integers(0, 256, (tall, wide)),
        np.full((tall, wide), seed % 256),
        rng.integers(0, 3, (tall, wide)),
        np.add.outer(np.arange(tall), np.arange(wide)) % 256,
        photo[100 : 100 + tall, 150 : 150 + wide],
    )
    return np.ascontiguousarray(pictures[seed % len(pictures)], np.uint8)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(SEED, SEED + 25))
def test_the_end_is_found_whatever_follows(kind: int, seed: int) -> None:
    rows = rows_of(seed)
    packed = strips.pack(rows, kind)
    for behind in (b"", b"\0", bytes(40), Random(seed).randbytes(99), packed):
        found = strips.taken(memoryview(packed + behind), kind, *rows.shape)
        assert found == len(packed)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(SEED, SEED + 25))
def test_further_rows_are_seen(kind: int, seed: int) -> None:
    rows = rows_of(seed)
    if len(rows) > 1:
        packed = strips.pack(rows, kind)
        found = strips.taken(memoryview(packed), kind, len(rows) - 1, rows.shape[1])
        assert found is None or found < len(packed)


def test_a_table_that_is_never_cleared_is_packed_anew() -> None:
    codes = [0x100, *[7] * 6000]
    bits = "".join(f"{code:09b}" for code in codes)
    data = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
    assert strips.taken(memoryview(data), LZW, 60, 100) is None


def in_strips(kind: str, tall: int) -> tuple[bytes, list[int], list[int], Rows]:
    """Return a TIFF, where its strips lie, how long they are, and its pixels."""
    picture = Pillow.open(PORTRAIT).convert("RGB").resize((120, 160))
    file = io.BytesIO()
    picture.save(file, "TIFF", compression=kind, strip_size=120 * 3 * tall)
    source = TiffImagePlugin.TiffImageFile(io.BytesIO(file.getvalue()))
    tags = source.tag_v2
    return file.getvalue(), list(tags[0x111]), list(tags[0x117]), np.asarray(picture)


def pointed(data: bytes, offsets: list[int], counts: list[int]) -> bytes:
    """Return a TIFF that says its strips lie there."""
    written = bytearray(data)
    tiff = Tiff(data)
    main = tiff.directory("IFD0")
    assert main is not None
    for tag, values in ((0x111, offsets), (0x117, counts)):
        entry = main.entries[tag]
        width = {3: "u2", 4: "u4"}[entry.kind]
        raw = np.array(values, tiff.order + width).tobytes()
        written[entry.start : entry.start + entry.size] = raw
    return bytes(written)


def with_slack(kind: str, seed: int) -> tuple[bytes, bytes, Rows]:
    """Return a TIFF of several strips with bytes behind the rows of each, these, and its pixels."""
    data, offsets, counts, pixels = in_strips(kind, 16)
    secret = Random(seed).randbytes(300)
    at = []
    for offset, count in zip(offsets, counts, strict=True):
        at.append(len(data))
        data += data[offset : offset + count] + secret
    return pointed(data, at, [count + len(secret) for count in counts]), secret, pixels


@pytest.mark.parametrize("kind", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("too_long", [140, 1 << 14, None])
@pytest.mark.parametrize("changed", [None, slice(40, 60)])
def test_counts_that_reach_too_far_cost_no_pixel(
    kind: str, too_long: int | None, changed: slice | None
) -> None:
    """As some programs write them: up to the next but one, into the directory, to the end."""
    data, offsets, counts, pixels = in_strips(kind, 16)
    longer = [
        min(count + (too_long or len(data)), len(data) - offset)
        for offset, count in zip(offsets, counts, strict=True)
    ]
    photo = exporters.read_bytes(pointed(data, offsets, longer), "a.tif")
    assert np.array_equal(photo.pixels, pixels)
    cloaked = photo.pixels.copy()
    if changed:
        cloaked[changed, changed] = 255 - cloaked[changed, changed]
    encoded = exporters.encode(photo, photo.pixels, cloaked, exporters.load_policy("keep"))
    assert np.array_equal(np.asarray(Pillow.open(io.BytesIO(encoded.data))), cloaked)


@pytest.mark.parametrize("kind", ["tiff_lzw", "tiff_adobe_deflate"])
def test_strips_that_share_their_bytes_are_changed_apart(kind: str) -> None:
    picture = np.zeros((64, 40, 3), np.uint8)
    picture[:] = np.arange(40)[None, :, None] * 5
    file = io.BytesIO()
    Pillow.fromarray(picture).save(file, "TIFF", compression=kind, strip_size=40 * 3 * 16)
    tags = TiffImagePlugin.TiffImageFile(io.BytesIO(file.getvalue())).tag_v2
    one, size = tags[0x111][0], tags[0x117][0]
    photo = exporters.read_bytes(pointed(file.getvalue(), [one] * 4, [size] * 4), "a.tif")
    assert np.array_equal(photo.pixels, picture)
    cloaked = picture.copy()
    cloaked[20:30, 4:14] = 255 - cloaked[20:30, 4:14]
    encoded = exporters.encode(photo, photo.pixels, cloaked, exporters.load_policy("keep"))
    assert np.array_equal(np.asarray(Pillow.open(io.BytesIO(encoded.data))), cloaked)


def test_a_run_beyond_the_rows_is_packed_anew() -> None:
    """PackBits: of the last run libtiff takes what the rows need."""
    assert strips.taken(memoryview(b"\x7f" + bytes(128)), PACKBITS, 1, 1) is None
    assert strips.taken(memoryview(b"\x00a"), PACKBITS, 1, 1) == 2


@pytest.mark.parametrize("kind", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("changed", [None, slice(40, 60)])
def test_nothing_behind_the_rows_is_written(kind: str, changed: slice | None) -> None:
    """In strips that the cloak touches, and in the others."""
    data, secret, pixels = with_slack(kind, SEED)
    photo = exporters.read_bytes(data, "a.tif")
    assert np.array_equal(photo.pixels, pixels)
    cloaked = photo.pixels.copy()
    if changed:
        cloaked[changed, changed] = 255 - cloaked[changed, changed]
    encoded = exporters.encode(photo, photo.pixels, cloaked, exporters.load_policy("keep"))
    assert secret[:16] not in encoded.data
    assert secret[-16:] not in encoded.data
    after = np.asarray(Pillow.open(io.BytesIO(encoded.data)))
    assert np.array_equal(after, cloaked)
