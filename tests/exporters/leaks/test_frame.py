"""The picture's own segments stay as they are; tables that no scan uses, and odd ones, go."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from photocloak.exporters.containers.segments import DHT, DNL, DQT, DRI, SOS, Segment, join, split
from photocloak.exporters.leaks import frame

PORTRAIT = Path(__file__).parents[2] / "data/astronaut.png"


def segments_of(mode: str, **options: Any) -> list[Segment]:
    file = io.BytesIO()
    Pillow.open(PORTRAIT).convert(mode).resize((96, 80)).save(file, "JPEG", **options)
    return list(split(file.getvalue()).segments)


def pixels(segments: list[Segment]) -> Any:
    return np.asarray(Pillow.open(io.BytesIO(join(segments))))


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("RGB", {}),
        ("RGB", {"progressive": True}),
        ("RGB", {"progressive": True, "optimize": True, "subsampling": 0}),
        ("RGB", {"restart_marker_blocks": 3}),
        ("L", {"optimize": True}),
        ("CMYK", {}),
        ("CMYK", {"progressive": True}),
    ],
)
def test_the_segments_of_an_encoder_stay_as_they_are(mode: str, options: dict[str, Any]) -> None:
    parts = segments_of(mode, **options)
    assert frame.plain(parts) == parts


@pytest.mark.parametrize("progressive", [False, True])
def test_tables_that_no_scan_uses_go(progressive: bool) -> None:
    parts = segments_of("RGB", progressive=progressive)
    secret = bytes(range(1, 201))
    counts = bytes([0] * 8 + [100, 100] + [0] * 6)
    unused = [Segment(DHT, bytes([number]) + counts + secret) for number in (0x02, 0x13, 0x00)]
    unused += [Segment(DQT, b"\3" + secret[:64]), Segment(DQT, b"\0" + secret[:64])]
    fresh = frame.plain([parts[0], *unused, *parts[1:]])
    assert fresh == parts


def test_the_last_of_two_tables_before_a_scan_stays() -> None:
    parts = segments_of("RGB")
    tables = [one for one in parts if one.marker == DQT]
    other = [Segment(DQT, bytes([one.payload[0], *[99] * 64])) for one in tables]
    assert frame.plain([parts[0], *other, *parts[1:]]) == parts
    assert all(len(one.payload) == 65 for one in other)


def test_numbers_of_lines_and_intervals_have_two_bytes() -> None:
    parts = segments_of("RGB", restart_marker_blocks=3)
    interval = next(one for one in parts if one.marker == DRI)
    odd = [Segment(DRI, b"\0\7"), Segment(DRI, b"\0\7secret"), Segment(DNL, b"\0\x50secret")]
    scan = next(i for i, one in enumerate(parts) if one.marker == SOS)
    fresh = frame.plain([parts[0], *odd, *parts[1:], Segment(DNL, b"secrets")])
    assert fresh == parts
    assert interval in fresh[:scan]
    lines = [*parts, Segment(DNL, b"\0\x50"), Segment(DNL, b"\0\x51")]
    assert frame.plain(lines) == [*parts, lines[-1]]


def test_a_table_of_any_precision_but_eight_bits_has_words() -> None:
    parts = segments_of("RGB")
    secret = bytes(range(1, 129))
    wide = Segment(DQT, b"\xf0" + secret + b"\1" + bytes(range(1, 65)))
    fresh = frame.plain([parts[0], wide, *parts[1:]])
    assert fresh == parts


def test_a_progressive_scan_uses_tables_of_one_class() -> None:
    parts = segments_of("RGB", progressive=True)
    counts = bytes([0] * 8 + [100, 100] + [0] * 6)
    at = [i for i, one in enumerate(parts) if one.marker == SOS]
    for place in at:
        first = parts[place].payload[1 + 2 * parts[place].payload[0]]
        unused = b"\x10" if first == 0 else b"\x00"
        odd = Segment(DHT, unused + counts + bytes(range(1, 201)))
        assert odd not in frame.plain([*parts[:place], odd, parts[place]])


@pytest.mark.parametrize("payload", [b"", b"\3", b"\3\1", b"\xff\1\2"])
def test_a_scan_header_that_is_cut_short_is_no_crash(payload: bytes) -> None:
    assert frame.plain([Segment(SOS, payload)]) == [Segment(SOS, payload)]


def test_the_picture_is_the_same() -> None:
    parts = segments_of("RGB", progressive=True)
    odd = [Segment(DQT, b"\2" + bytes(range(1, 65))), Segment(0xF3, b"unknown")]
    fresh = frame.plain([*parts[:2], *odd, *parts[2:]])
    assert np.array_equal(pixels(fresh), pixels(parts))
