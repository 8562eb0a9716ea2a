"""Colour profiles: tags of known types stay, all else in them is overwritten.

The profile keeps its length and its table of tags: a reader passes over a tag of an unknown type.
"""

import struct

import numpy as np

from photocloak.exporters.leaks.binary import binary_cost, curve_cost, known_cost
from photocloak.exporters.leaks.costs import Cost
from photocloak.exporters.leaks.ledger import Ledger
from photocloak.exporters.leaks.readability import cost
from photocloak.exporters.leaks.signatures import embedded
from photocloak.exporters.leaks.tables import table
from photocloak.exporters.leaks.texts import structured_cost

_HEADER, _RESERVED, _MOST = 128, 100, 200
_SMALL = 1024
# tags that a transform is made of (ICC.1:2022, 9.2 and annex E)
_COLOURS = frozenset(
    [b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC", b"kTRC", b"wtpt", b"chad", b"cicp"]
    + [
        form + digit
        for form in (b"A2B", b"B2A", b"D2B", b"B2D")
        for digit in (b"0", b"1", b"2", b"3")
    ]
)
_UNEVEN = 0.2  # neighbours in a colour table differ by less of the whole range, on average


def clean(profile: bytes, ledger: Ledger) -> bytes:
    """Return a profile of the same length, or nothing where it is none."""
    try:
        count = struct.unpack_from(">I", profile, _HEADER)[0]
        if profile[36:40] != b"acsp" or count > _MOST:
            raise ValueError
        tags = [struct.unpack_from(">4sII", profile, 132 + 12 * i) for i in range(count)]
    except (struct.error, ValueError):
        ledger.drop("colour profile", len(profile), "none that can be read")
        return b""
    end = min(len(profile), struct.unpack_from(">I", profile)[0])
    kept = [(0, _RESERVED), (_HEADER, 132 + 12 * count)]
    done: dict[tuple[int, int], bool] = {}
    rows = []
    for name, start, size in tags:
        if (start, size) not in done:
            done[start, size] = start + size <= end and _fits(profile[start : start + size], ledger)
            if not done[start, size]:
                ledger.drop(f"colour profile {_called(name)}", size, "unknown")
                if name in _COLOURS:
                    ledger.colours = "colour profile"
        if done[start, size] and _may_be_called(name, ledger):
            kept.append((start, start + size))
            rows.append(struct.pack(">4sII", name, start, size))
    result = _only(profile, kept)
    if len(rows) == count:
        return result
    table_ = struct.pack(">I", len(rows)) + b"".join(rows).ljust(12 * count, b"\0")
    return result[:_HEADER] + table_ + result[132 + 12 * count :]


def _may_be_called(name: bytes, ledger: Ledger) -> bool:
    known = name in _COLOURS or name.decode("latin-1").strip() in table("icc")["names"].split()
    return known or ledger.admits(Cost(opaque=len(name)))


def _called(name: bytes) -> str:
    return name.decode("latin-1") if name.isalnum() else "tag"


def _only(profile: bytes, kept: list[tuple[int, int]]) -> bytes:
    result, position = bytearray(profile), 0
    for start, stop in [*sorted(kept), (len(profile), len(profile))]:
        if start > position and profile[position:start].strip(b"\0"):
            result[position:start] = bytes(start - position)
        position = max(position, stop)
    return bytes(result)


def _fits(raw: bytes, ledger: Ledger) -> bool:
    form = table("icc")["types"].get(raw[:4].decode("latin-1"))
    if form is None:
        return ledger.admits(Cost(opaque=len(raw.strip(b"\0"))))
    try:
        return ledger.admits(_COSTS[form["kind"]](raw, form.get("bytes", 0)))
    except (struct.error, IndexError, OverflowError, ValueError):
        return False


def _numbers(raw: bytes, longest: int) -> Cost:
    return binary_cost(raw[8:]) if len(raw) <= longest else Cost(opaque=len(raw))


def _text(raw: bytes, _: int) -> Cost:
    lengths = sum(byte < 32 and byte not in b"\0\t\r\n" for byte in raw[8:])
    return structured_cost(raw[8:]) + Cost(settings=lengths)


def _names(raw: bytes, _: int) -> Cost:
    """Texts in several languages; they may share their bytes, and reach to the end."""
    count, width = struct.unpack_from(">II", raw, 8)
    total, spans = Cost(), set[tuple[int, int]]()
    for i in range(min(count, 200)):
        size, start = struct.unpack_from(">II", raw, 16 + width * i + 4)
        if (start, size) not in spans:
            spans.add((start, size))
            text = raw[start : start + size].decode("utf-16-be", "replace")
            total += cost(text.replace("\0", "\f"))
    reached = sum(size for _, size in spans) + 16 + width * count
    if width != 12 or reached < len(raw.rstrip(b"\0")) - 8:
        return Cost(opaque=len(raw))
    return total


def _curve(raw: bytes, _: int) -> Cost:
    if raw[:4] == b"vcgt":
        return curve_cost(raw[18:]) if len(raw) <= 18 + 3 * 2 * 1024 else Cost(opaque=len(raw))
    count = struct.unpack_from(">I", raw, 8)[0]
    if count > 65536 or len(raw) > 12 + 2 * count + 3:
        return Cost(opaque=len(raw))
    return curve_cost(raw[12 : 12 + 2 * count]) if count > 8 else Cost()


def _table(raw: bytes, _: int) -> Cost:
    """Colour tables: bytes or words, neighbours alike; a packed picture in one is not."""
    if not 0 <= len(raw) - _table_size(raw) < 16:
        return Cost(opaque=len(raw))
    if len(raw) <= _SMALL:
        return known_cost(raw[32:])
    samples = np.frombuffer(raw[32 : 32 + (len(raw) - 32) // 2 * 2], ">u2").astype(np.int64)
    if raw[:4] == b"mft1":
        samples = np.frombuffer(raw[48:], np.uint8).astype(np.int64) * 257
    channels = max(1, raw[9])
    rows = samples[: len(samples) // channels * channels].reshape(-1, channels)
    for start in range(0, len(rows), 512):
        part = rows[start : start + 512]
        if len(part) > 64 and np.abs(np.diff(part, axis=0)).mean() > _UNEVEN * 65535:
            return Cost(opaque=len(raw))
    return Cost(opaque=len(raw)) if any(embedded(raw)) else Cost()


def _table_size(raw: bytes) -> int:
    """Return how long a colour table is by its own numbers (ICC.1:2022, 10.10 to 10.13)."""
    before, behind, grid = raw[8:11]
    if raw[:4] == b"mft1":
        return int(48 + 256 * before + grid**before * behind + 256 * behind)
    if raw[:4] == b"mft2":
        first, last = struct.unpack_from(">HH", raw, 48)
        return int(52 + 2 * (first * before + grid**before * behind + last * behind))
    size = 32
    b_curves, matrix, m_curves, table_, a_curves = struct.unpack_from(">5I", raw, 12)
    inner, outer = (before, behind) if raw[:4] == b"mAB " else (behind, before)
    size += _curves_size(raw, b_curves, outer) + _curves_size(raw, m_curves, outer)
    size += _curves_size(raw, a_curves, inner) + (48 if matrix else 0)
    if table_:
        points = int(np.prod([max(1, one) for one in raw[table_ : table_ + before]], dtype=object))
        size += 20 + points * behind * raw[table_ + 16] + 3
    return min(size, len(raw)) if size - len(raw) < 16 else size


def _curves_size(raw: bytes, at: int, count: int) -> int:
    """Return the bytes of some curves that follow each other, each at a multiple of four."""
    start = at
    for _ in range(count if at else 0):
        if raw[at : at + 4] == b"curv":
            at += 12 + 2 * struct.unpack_from(">I", raw, at + 8)[0]
        else:
            at += 12 + 4 * (1, 3, 4, 5, 7)[struct.unpack_from(">H", raw, at + 8)[0]]
        at += -at % 4
    return at - start


_COSTS = {
    "numbers": _numbers,
    "text": _text,
    "names": _names,
    "curve": _curve,
    "table": _table,
}
