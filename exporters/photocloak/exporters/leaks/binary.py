"""Whether bytes can be settings: packed, coded and drawn pictures look like nothing of the kind."""

import math
import re
from collections import Counter
from dataclasses import replace
from itertools import pairwise

from photocloak.exporters.leaks.costs import FREE, Cost
from photocloak.exporters.leaks.drawn import looks_drawn
from photocloak.exporters.leaks.readability import cost
from photocloak.exporters.leaks.tables import table
from photocloak.exporters.leaks.texts import structured_cost

_KEYED = re.compile(
    rb"[ -~]{0,4}(?:bool.|long.{4}|comp.{8}|doub.{8}|UntF#[ -~]{3}.{8}|Objc|VlLs|enum|TEXT|null)",
    re.DOTALL,
)
_TEXT = re.compile(rb"[ -~]{4,}|(?:[ -~]\0){4,}|(?:\0[ -~]){4,}")
_TINY, _FEW = 8, 256
_SHORT = 12  # bytes; of values that are longer an account is kept
# Entropy in shares of what so many bytes, or so many kinds of bytes, can have. Settings of cameras
# come to 0.7; packed data to 0.95 and more, drawn ones to 0.8 and more.
_EVEN_FEW, _EVEN, _UNIFORM = 0.85, 0.73, 0.95


def binary_cost(raw: bytes) -> Cost:
    """Return what of some bytes cannot be vouched for.

    Settings are text, or numbers most of whose bytes are alike; what is even in its bytes may be
    anything. Numbers of a form without a grammar might still be a few pixels, so they are counted.
    """
    plain = raw.strip(b"\0")
    if len(plain) <= _TINY:
        return FREE
    if _is_text(plain):
        return structured_cost(raw)
    counts = Counter(raw)
    total = len(raw)
    entropy = -sum(n / total * math.log2(n / total) for n in counts.values())
    even = entropy > (_EVEN_FEW if total < _FEW else _EVEN) * math.log2(min(total, 256))
    uniform = total > 64 and len(counts) >= 8 and entropy > _UNIFORM * math.log2(len(counts))
    # an array of settings is mostly zeros, or ones where there is nothing to say
    full = total > 64 and (raw.count(0) + raw.count(255)) * 5 < total
    if even or uniform or full or looks_drawn(raw):
        return Cost(opaque=total)
    said = sum(byte not in (0, 255) for byte in _TEXT.sub(_unless_readable, raw))
    return Cost(settings=said) if len(plain) > _SHORT else FREE


def _unless_readable(found: re.Match[bytes]) -> bytes:
    """Return nothing for a text, and what only looks like one as it is."""
    text = found[0].replace(b"\0", b"")
    return text if cost(text.decode("ascii")).unread > len(text) // 4 else b""


def known_cost(raw: bytes) -> Cost:
    """Return the same of a value whose directory or own numbers say what it is: it may be long."""
    wanted = binary_cost(raw)
    return replace(wanted, settings=min(wanted.settings, table("limits")["strict"]["settings"]))


def _is_text(raw: bytes) -> bool:
    printable = sum(32 <= byte < 127 or byte in b"\0\t\r\n" for byte in raw)
    return printable >= len(raw) - len(raw) // 16


def curve_cost(raw: bytes) -> Cost:
    """Return what of a transfer function cannot be vouched for: words that go up, in thirds."""
    for order in ("little", "big"):
        words = [int.from_bytes(raw[i : i + 2], order) for i in range(0, len(raw) - 1, 2)]
        falls = sum(b < a for a, b in pairwise(words))
        if falls <= 2:
            return FREE
    return binary_cost(raw) + Cost(opaque=len(raw))


def descriptor_cost(raw: bytes) -> Cost:
    """Return what of a Photoshop descriptor cannot be vouched for: names and settings by key."""
    names = _KEYED.sub(b" ", raw)
    shown = bytes(byte for byte in names if 32 <= byte < 127).decode("ascii")
    # what is no name is numbers, most of whose bytes are zero
    numbers = sum(byte != 0 and not 32 <= byte < 127 for byte in names)
    total = cost(shown)
    return total if numbers * 4 <= len(raw) else total + Cost(opaque=len(raw))


def path_cost(raw: bytes) -> Cost:
    """Return what of a Photoshop path cannot be vouched for: records of points near the picture."""
    records = [raw[i : i + 26] for i in range(0, len(raw), 26)]
    near = (0, 1, 0xFE, 0xFF)
    fits = all(
        len(one) == 26
        and one[0] == 0
        and one[1] <= 8
        and (one[1] in (0, 3, 6, 7, 8) or all(byte in near for byte in one[2::4]))
        and (one[1] not in (0, 3, 6, 8) or one.count(0) > 15)
        for one in records
    )
    return FREE if fits else Cost(opaque=len(raw))
