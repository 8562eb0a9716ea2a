"""Plant a clean face at random: `python -m tests.exporters.leaks.planting COUNT [SEED]`.

Each case draws a codec, codings of its bytes, an alphabet, separators, a way to split it, a format
and a place of its grammar. The written file may hold no stretch of what was planted, however the
format packs it; a file that is held back is right as well. Prints what was tried, and seeds of
leaks.
"""

import html
import json
import re
import sys
import zlib
from collections import Counter
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from photocloak import exporters
from photocloak.core import InputError, OutputError
from photocloak.exporters.leaks.tables import table
from tests.exporters.leaks.encodings import coded, written
from tests.exporters.leaks.hidden_places import HIDDEN, hidden
from tests.exporters.leaks.hosts import BUILDERS, FACE, PLACES, SHARES, host

_WIDTH, _STEP, _RUN = 8, 4, 72  # bytes of a stretch that is looked for, and from one to the next
_HIDDEN = 0.1  # of the cases
ALLOWED = table("limits")["file"]["unread"]  # bytes of a plant: what may be short, in all


@dataclass(frozen=True)
class Plant:
    """A file with a face planted in it.

    Attributes:
        title: what, and where.
        data: the file.
        planted: the bytes as they lie there.
        each: bytes of the face's own file that one of them stands for; 1 but for texts.

    """

    title: str
    data: bytes
    planted: bytes
    each: float


def plant(seed: int) -> Plant:
    """Return the case of a seed."""
    rng = Random(seed)
    form = rng.choice(SHARES)
    place = rng.choice(PLACES[form])
    kind, data = coded(FACE, rng)
    size = len(data)
    other = Random(-seed - 1)  # places that came later: the other cases stay as they were
    if other.random() < _HIDDEN:
        place = other.choice(HIDDEN[form])
        file, planted, each = hidden(form, place, data, other)
        return Plant(f"{form} hidden {place}: {kind}", file, planted, each)
    textual = place in ("xmp", "text") or rng.random() < 0.4
    if textual:
        how, text = written(data, rng)
        kind = f"{kind}, {how}"
        data = text.encode("utf-8", "replace")
    else:
        text = data.decode("latin-1")
    file = BUILDERS[form](place, data, text, rng)
    return Plant(f"{form} {place}: {kind}", file, data, size / len(data))


def unpacked(data: bytes) -> bytes:
    """Return a file and whatever is deflated in it."""
    found = [data]
    for match in re.finditer(rb"x[\x01\x5e\x9c\xda]", data):
        try:
            found.append(zlib.decompressobj().decompress(data[match.start() :], 1 << 22))
        except zlib.error:
            continue
    # a raw profile, whatever its lines
    for match in re.finditer(rb"(?:[0-9a-f]{2,}\n?){16,}", b"\0".join(found)):
        digits = match[0].replace(b"\n", b"")
        found.append(bytes.fromhex(digits[: len(digits) // 2 * 2].decode()))
    text = b"\0".join(found)
    return text + b"\0" + html.unescape(text.decode("latin-1")).encode("latin-1", "replace")


def survives(planted: bytes, output: bytes, innocent: bytes) -> int:
    """Return how many bytes of a plant are in an output, in stretches that an innocent has not.

    Pieces count that are at least 12 bytes long, and what few kinds of bytes spell from 72 on.
    """
    at = np.flatnonzero(np.isin(_windows(planted)[::_STEP], _windows(output))) * _STEP
    short = {planted[i : i + _WIDTH] for i in at.tolist()}  # once, if repeated
    short = {one for one in short if len(set(one)) > 4 and one not in innocent}
    long = {planted[i : i + _RUN] for i in range(0, len(planted) - _RUN, _RUN)}
    long = {one for one in long if len(set(one)) < 6 and len(zlib.compress(one)) > 28}
    codes = sum(one in output and one not in innocent for one in long)
    return _STEP * len(short) + _RUN * codes


def _windows(data: bytes) -> NDArray[np.uint64]:
    """Return eight bytes from each place on."""
    there = np.frombuffer(data.ljust(_WIDTH, b"\0"), np.uint8)
    return np.lib.stride_tricks.sliding_window_view(there, _WIDTH).copy().view(np.uint64)[:, 0]


@cache
def innocent(form: str) -> bytes:
    """Return what is in the file of a format whatever is planted: its pixels, headers, tables."""
    photo = exporters.read_bytes(host(form), "host")
    keep = exporters.load_policy("keep")
    encoded = exporters.encode(photo, photo.pixels, photo.pixels, keep)
    return unpacked(host(form)) + unpacked(encoded.data)


def outcome(seed: int) -> tuple[str, str]:
    """Return (what became of a case, what it was): written, held back, refused or LEAK."""
    case = plant(seed)
    keep = exporters.load_policy("keep" if seed % 8 else "web")
    try:
        photo = exporters.read_bytes(case.data, "planted")
    except InputError:
        return "refused", case.title
    base = exporters.prepare(photo, keep)
    cloaked = base.copy()
    if seed % 4 == 0:  # what is judged is the same whether pixels are changed
        cloaked[8:24, 8:24] = 255 - cloaked[8:24, 8:24]
    try:
        encoded = exporters.encode(photo, base, cloaked, keep)
    except (OutputError, InputError):
        return "held back", case.title
    form = case.title.split()[0]
    left = case.each * survives(case.planted, unpacked(encoded.data), innocent(form))
    return ("LEAK" if left > ALLOWED else "written"), f"{case.title}, {left:.0f} bytes"


def run(count: int, seed: int = 0) -> dict[str, Any]:
    """Try `count` seeds; return how many came out how, and the leaks."""
    counts: Counter[str] = Counter()
    leaks = []
    for number in range(seed, seed + count):
        what, title = outcome(number)
        counts[what] += 1
        if what == "LEAK":
            leaks.append(f"seed {number}: {title}")
    return {"tried": count, **counts, "leaks": leaks}


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0), indent=1))
