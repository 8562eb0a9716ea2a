"""A scan walked in many places at once: the same blocks as one after the other, or no answer."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from photocloak.exporters.containers.segments import split
from photocloak.exporters.jpeg_dct import walk
from photocloak.exporters.jpeg_dct.bits import Bits, unstuff
from photocloak.exporters.jpeg_dct.block_order import BlockOrder, scan_order
from photocloak.exporters.jpeg_dct.headers import UnsupportedError, read_headers
from photocloak.exporters.jpeg_dct.huffman import Table
from photocloak.exporters.jpeg_dct.symbols import require
from tests.exporters.files import coded

Image = NDArray[np.uint8]
KINDS: dict[str, dict[str, Any]] = {
    "4:4:4": {"subsampling": "4:4:4"},
    "4:2:2": {"subsampling": "4:2:2"},
    "4:2:0": {"subsampling": "4:2:0"},
    "gray": {"mode": "L"},
    "CMYK": {"mode": "CMYK"},
    "optimised": {"optimize": True},
    "restart blocks": {"restart_marker_blocks": 7},
    "restart rows": {"restart_marker_rows": 3},
}


def opened(data: bytes) -> tuple[BlockOrder, Bits, list[Table]]:
    layout = read_headers(split(data).segments)
    scan = layout.scans[0]
    return scan_order(layout, scan), unstuff(scan.data), require(scan.dc + scan.ac)


def both(
    order: BlockOrder, bits: Bits, tables: list[Table], length: int
) -> tuple[walk.Found | None, walk.Found | None]:
    """Return what one after the other and lanes find, None where they do not."""
    window = bits.window()
    lanes = walk.in_lanes(order, bits, window, tables, length=length)
    try:
        return walk.serially(order, bits, window, tables), lanes
    except (UnsupportedError, IndexError):
        return None, lanes


def same(one: walk.Found, other: walk.Found) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("quality", [75, 97])
def test_lanes_find_the_same_blocks(kind: str, quality: int, face: Image) -> None:
    file = opened(coded(face[:233, :251], quality=quality, **KINDS[kind]))
    for length in (1 << 10, 1 << 13, 1 << 16):
        serial, lanes = both(*file, length)
        assert serial is not None
        # all inks have the same tables: a lane cannot tell which one it is in
        assert lanes is not None or length == 1 << 10 or kind == "CMYK"
        assert lanes is None or same(serial, lanes)


def test_of_damaged_data_lanes_know_no_more(face: Image) -> None:
    data = coded(face[:160, :160], quality=92, subsampling="4:2:0")
    start = data.index(b"\xff\xda") + 20
    refused = answered = 0
    for seed in range(25):
        rng = np.random.default_rng(seed)
        broken = bytearray(data)
        for at in rng.integers(start, len(data) - 2, rng.integers(1, 4)):
            broken[at] = rng.integers(0, 255)
        try:
            file = opened(bytes(broken))
        except ValueError:
            continue
        if len(file[1].starts) != 1:
            continue
        serial, lanes = both(*file, 1 << 12)
        refused += serial is None
        if lanes is not None:
            answered += 1
            assert serial is not None
            assert same(serial, lanes)
    assert refused > 3
    assert answered > 3


def test_large_scans_are_walked_in_lanes(face: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    order, bits, tables = opened(coded(np.tile(face, (6, 5, 1)), quality=95))
    monkeypatch.setattr(walk, "_LARGE", len(bits.data))
    monkeypatch.setattr(walk, "serially", None)
    starts, behind = walk.find_blocks(order, bits, tables)
    assert (starts[1:] == behind[:-1]).all()
    assert bits.ends[0] - 7 <= behind[-1] <= bits.ends[0]
