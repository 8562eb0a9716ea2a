"""What is written in two ways is judged as it is written: texts alike, parts, rows of tables."""

import struct
from random import Random

from photocloak.exporters.containers.segments import Segment, join, split
from photocloak.exporters.leaks import icc, jpeg
from photocloak.exporters.leaks.ledger import Ledger
from tests.exporters.files import profile
from tests.exporters.leaks.hosts import host
from tests.exporters.leaks.planting import ALLOWED
from tests.exporters.leaks.test_series import PREVIEWS, out_of

CAPTION = "a walk in the old town with my sister and her two dogs on a sunny day in march "


def test_texts_that_differ_in_bytes_of_no_utf_8_are_several() -> None:
    rng = Random(1)
    texts = [
        b" ".join(word.encode() + bytes([rng.randrange(0x80, 0xC0)]) for word in CAPTION.split())
        for _ in range(30)
    ]
    first, *rest = split(host("JPEG")).segments
    written = out_of(join([first, *(Segment(0xFE, one) for one in texts), *rest]))
    words = len(CAPTION.split())
    assert sum(one in written for one in texts) * words * 6 / 8 <= ALLOWED


def test_rows_of_tags_that_go_go_too() -> None:
    plain = profile("Display P3")
    count = struct.unpack_from(">I", plain, 128)[0]
    rows = [struct.unpack_from(">4sII", plain, 132 + 12 * i) for i in range(count)]
    secret = Random(2).randbytes(12 * 150)
    more = [struct.unpack_from(">4sII", secret, 12 * i) for i in range(150)]
    moved = [(name, at + len(secret), size) for name, at, size in rows]
    table = b"".join(struct.pack(">4sII", *row) for row in [*moved, *more])
    data = plain[:128] + struct.pack(">I", count + 150) + table + plain[132 + 12 * count :]
    data = struct.pack(">I", len(data)) + data[4:]
    fresh = icc.clean(data, Ledger(PREVIEWS))
    assert struct.unpack_from(">I", fresh, 128)[0] == count
    assert not any(secret[i : i + 8] in fresh for i in range(0, len(secret) - 8, 4))
    assert len(fresh) == len(data)


def test_characters_that_are_none_are_counted_in_a_profile() -> None:
    plain = profile("Display P3")
    rng = Random(3)
    bodies = [b"text" + bytes(4) + bytes(rng.choices(range(1, 9), k=16)) for _ in range(150)]
    start = 132 + 12 * len(bodies)
    rows = [(b"cprt", start + 24 * i, 24) for i in range(len(bodies))]
    table = b"".join(struct.pack(">4sII", *row) for row in rows)
    data = plain[:128] + struct.pack(">I", len(bodies)) + table + b"".join(bodies)
    fresh = icc.clean(struct.pack(">I", len(data)) + data[4:], Ledger(PREVIEWS))
    assert sum(one in fresh for one in bodies) * 16 * 3 / 8 <= ALLOWED


def extended(sizes: list[int], full: list[int]) -> list[Segment]:
    packet = b"<x></x>".ljust(sum(sizes))
    head, at, found = jpeg.EXTENDED_HEAD + b"0" * 32, 0, []
    for size, said in zip(sizes, full, strict=True):
        body = head + struct.pack(">II", said, at) + packet[at : at + size]
        found.append(Segment(0xE1, body, at))
        at += size
    return found


def test_parts_of_an_extended_packet_agree() -> None:
    fits = extended([40, 40, 20], [100, 100, 100])
    assert len(jpeg.clean(tuple(fits), Ledger(PREVIEWS))) == 3
    for full in ([100, 7, 100], [100, 100, 99]):
        assert not jpeg.clean(tuple(extended([40, 40, 20], full)), Ledger(PREVIEWS))
    assert not jpeg.clean(tuple(fits[:1] + fits[2:]), Ledger(PREVIEWS))
