"""CIFF heaps: settings stay, bytes that nobody reads do not, and no heap breaks the judge."""

import struct
from random import Random

import numpy as np
import pytest
from PIL import Image as Pillow

from photocloak.exporters.leaks.ciff import ciff_cost
from photocloak.exporters.leaks.ledger import Ledger
from photocloak.exporters.leaks.previews import Previews
from tests.exporters.leaks import places
from tests.exporters.leaks.hosts import FACE

HEAD = b"II\x1a\0\0\0HEAP"


def admitted(raw: bytes) -> bool:
    return Ledger(Previews(np.zeros((8, 8, 3), np.uint8))).admits(ciff_cost(raw))


def heap(*values: tuple[int, bytes]) -> bytes:
    """Return a segment's payload with one directory."""
    body, rows = b"", b""
    for tag, value in values:
        rows += struct.pack("<HII", tag, len(value), len(body))
        body += value
    directory = struct.pack("<H", len(values)) + rows + struct.pack("<I", len(body))
    return HEAD + b"JPGM" + struct.pack("<III", 0x10001, 0, 0) + body + directory


SETTINGS = (
    (0x080A, b"Canon\0Canon PowerShot A5\0".ljust(32, b"\0")),
    (0x1026, b"\4\0\0\0\2\0"),
    (0x180E, b"\x9e?J5" + bytes(8)),
    (0x1818, bytes.fromhex("0000803f0000cc400000a840")),
)


def test_settings_and_texts_stay() -> None:
    assert admitted(heap(*SETTINGS))


@pytest.mark.parametrize("seed", range(40))
def test_pixels_do_not(seed: int) -> None:
    rng = Random(seed)
    edge = rng.choice([20, 24, 44])
    face = np.asarray(Pillow.open(FACE).convert("L").resize((edge, edge)))
    pixels = face.astype(rng.choice(["u1", "<u2", ">u2"])).tobytes()
    assert not admitted(HEAD + places.heap(pixels, rng))


@pytest.mark.parametrize("seed", range(40))
def test_what_is_no_heap_goes_whole(seed: int) -> None:
    """Cut, overlapping or pointing at itself: all of it counts as unreadable, nothing is raised."""
    rng, raw = Random(seed), bytearray(heap(*SETTINGS, (0x2807, heap(*SETTINGS)[26:])))
    for _ in range(1 + seed % 5):
        raw[rng.randrange(26, len(raw))] = rng.randrange(256)
    damaged = bytes(raw[: rng.randrange(10, len(raw) + 1)])
    assert ciff_cost(damaged).opaque <= len(damaged)
    assert not admitted(bytes(raw[: len(raw) - 5]))


def test_values_may_not_share_bytes() -> None:
    one = heap((0x1026, bytes(6)), (0x1026, bytes(6)))
    at = one.rindex(struct.pack("<HII", 0x1026, 6, 6))
    shared = one[:at] + struct.pack("<HII", 0x1026, 6, 3) + one[at + 10 :]
    assert ciff_cost(shared).opaque == len(shared)


def test_a_heap_is_looked_at_once() -> None:
    """Two thousand entries for one heap of two thousand values: together it would be a minute."""
    inner = heap(*[(0x1026, b"\1\0\2\0\3\0\4\0\5\0")] * 2000)[26:]
    row = struct.pack("<HII", 0x2807, len(inner), 0)
    body = inner + struct.pack("<H", 2000) + row * 2000 + struct.pack("<I", len(inner))
    raw = HEAD + b"JPGM" + struct.pack("<III", 0x10001, 0, 0) + body
    assert len(raw) < 65_000
    assert ciff_cost(raw).opaque == len(raw)
