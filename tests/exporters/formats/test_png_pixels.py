"""What PNG does to samples before they are deflated."""

import zlib

import numpy as np

from photocloak.exporters.formats import png_pixels


def test_every_filter_is_undone() -> None:
    rng = np.random.default_rng(3)
    rows = rng.integers(0, 256, (9, 7 * 6), dtype=np.uint8)
    for kind in range(5):
        filtered = rows.copy()
        for y in range(8, -1, -1):
            for x in range(41, -1, -1):
                left = int(rows[y, x - 6]) if x >= 6 else 0
                up = int(rows[y - 1, x]) if y else 0
                corner = int(rows[y - 1, x - 6]) if y and x >= 6 else 0
                guess = left + up - corner
                near = min(
                    (abs(guess - left), 0, left),
                    (abs(guess - up), 1, up),
                    (abs(guess - corner), 2, corner),
                )
                filtered[y, x] = (
                    int(rows[y, x]) - (0, left, up, (left + up) // 2, near[2])[kind]
                ) % 256
        plain = png_pixels._unfilter(np.full(9, kind, np.uint8), filtered, 6)
        assert np.array_equal(plain, rows)


def test_an_interlaced_picture_is_put_together() -> None:
    """The pass of each pixel of an 8 by 8 tile, as clause 8 of the standard prints it."""
    tile = [
        "16462646",
        "77777777",
        "56565656",
        "77777777",
        "36463646",
        "77777777",
        "56565656",
        "77777777",
    ]
    passes = np.array([[int(one) for one in row] for row in tile])
    samples = np.random.default_rng(5).integers(0, 65536, (11, 9, 3)).astype(np.uint16)
    where = np.tile(passes, (2, 2))[:11, :9]
    raw = b""
    for number in range(1, 8):
        for row, own in zip(samples, where == number, strict=True):
            if own.any():
                raw += b"\0" + row[own].astype(">u2").tobytes()
    found = png_pixels.decode16(zlib.compress(raw), 9, 11, 2, interlaced=True)
    assert np.array_equal(found, samples)
