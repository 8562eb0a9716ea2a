"""A scan ends where its blocks do: what lies behind them in it is not written."""

import io
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from photocloak import exporters
from photocloak.exporters.containers.segments import SOS, join, split

PORTRAIT = Path(__file__).parents[2] / "data/astronaut.png"
KEEP = exporters.load_policy("keep")
SECRET = Random(8).randbytes(600).replace(b"\xff", b"\xfe")
KINDS: list[dict[str, Any]] = [
    {},
    {"progressive": True},
    {"progressive": True, "restart_marker_blocks": 5},
    {"restart_marker_blocks": 5},
]


def jpeg(options: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    Pillow.open(PORTRAIT).convert("RGB").resize((64, 64)).save(file, "JPEG", quality=92, **options)
    return file.getvalue()


def scans(options: dict[str, Any]) -> int:
    return sum(one.marker == SOS for one in split(jpeg(options)).segments)


def with_secret(data: bytes, which: int) -> bytes:
    parts = list(split(data).segments)
    at = [i for i, one in enumerate(parts) if one.marker == SOS][which]
    parts[at] = replace(parts[at], scan=parts[at].scan + SECRET)
    return join(parts)


@pytest.mark.parametrize("options", KINDS, ids=str)
def test_nothing_behind_the_blocks_is_written(options: dict[str, Any]) -> None:
    clean = exporters.read_bytes(jpeg(options), "a.jpg")
    for which in range(scans(options)):
        photo = exporters.read_bytes(with_secret(clean.data, which), "a.jpg")
        changed = photo.pixels.copy()
        changed[16:32, 16:32] = 255 - changed[16:32, 16:32]
        for after in (photo.pixels, changed):
            encoded = exporters.encode(photo, photo.pixels, after, KEEP)
            assert not any(SECRET[i : i + 12] in encoded.data for i in range(0, 588, 12))
        same = exporters.encode(photo, photo.pixels, photo.pixels, KEEP)
        assert np.array_equal(exporters.read_bytes(same.data, "b.jpg").pixels, clean.pixels)


@pytest.mark.parametrize("options", KINDS, ids=str)
def test_a_scan_that_ends_there_stays_byte_for_byte(options: dict[str, Any]) -> None:
    photo = exporters.read_bytes(jpeg(options), "a.jpg")
    encoded = exporters.encode(photo, photo.pixels, photo.pixels, KEEP)
    before = [one.scan for one in split(photo.data).segments]
    assert [one.scan for one in split(encoded.data).segments] == before
