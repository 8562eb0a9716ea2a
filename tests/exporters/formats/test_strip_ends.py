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


def with_slack(kind: str, seed: int) -> tuple[bytes, bytes, Rows]:
    """Return a TIFF of several strips with bytes behind the rows of some, these, and its pixels."""
    rng = Random(seed)
    picture = Pillow.open(PORTRAIT).convert("RGB").resize((120, 160))
    file = io.BytesIO()
    picture.save(file, "TIFF", compression=kind, strip_size=120 * 3 * 16)
    source = TiffImagePlugin.TiffImageFile(io.BytesIO(file.getvalue()))
    offsets, counts = source.tag_v2[0x111], source.tag_v2[0x117]
    secret = rng.randbytes(300)
    data, at, sizes = file.getvalue(), [], []
    for offset, count in zip(offsets, counts, strict=True):
        at.append(len(data))
        sizes.append(count + len(secret))
        data += data[offset : offset + count] + secret
    written = bytearray(data)
    order = "<" if data[:2] == b"II" else ">"
    tiff = Tiff(data)
    main = tiff.directory("IFD0")
    assert main is not None
    for tag, values in ((0x111, at), (0x117, sizes)):
        entry = main.entries[tag]
        width = {3: "u2", 4: "u4"}[entry.kind]
        written[entry.start : entry.start + entry.size] = np.array(values, order + width).tobytes()
    return bytes(written), secret, np.asarray(picture)


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
