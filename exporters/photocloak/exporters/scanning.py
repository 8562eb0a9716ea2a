"""The leak scan: what a file's bytes give away beside its main picture.

It reads nothing that the exporters have in memory, only the bytes. Every part of the file but
the primary picture's own coded data is searched, by structure and by the signatures of pictures.
"""

import struct
from collections.abc import Iterable, Iterator

import numpy as np

from photocloak.exporters import formats
from photocloak.exporters.containers.ifd import STRIP_COUNTS, STRIP_OFFSETS, Tiff
from photocloak.exporters.formats.base import Format
from photocloak.exporters.leaks import names
from photocloak.exporters.leaks.jpeg import EXIF_HEAD
from photocloak.exporters.leaks.ledger import Ledger
from photocloak.exporters.leaks.previews import Previews
from photocloak.exporters.leaks.signatures import Embedded, embedded
from photocloak.exporters.model import Finding

_DAMAGE = (ValueError, struct.error, IndexError, KeyError)


def scan(data: bytes) -> list[Finding]:
    """Return what a file gives away: embedded pictures, people, places, serials, histories.

    Pictures are reported whatever they show: a thumbnail may be cloaked or clean, and nobody can
    tell from its bytes. A file in no known format is searched by signatures alone.
    """
    found = [
        Finding("picture", where, f"{one.kind} at byte {one.at}, {len(one.data)} bytes")
        for where, one in pictures(data)
    ]
    return list(dict.fromkeys([*found, *disclosures(data)]))


def disclosures(data: bytes) -> list[Finding]:
    """Return what a file's metadata tell: people, places, serials, owners, histories.

    The coded pictures are not searched, so that a large file costs little.
    """
    found = [one for where, part in parts_of(data) for one in _names(part, where)]
    return list(dict.fromkeys(found))


def kinds_of(found: Iterable[Finding]) -> tuple[str, ...]:
    """Return the kinds of what was found, each once, in the order of the table of names."""
    order = list(names.PROPERTIES)
    return tuple(sorted({one.kind for one in found}, key=order.index))


def strangers(data: bytes, written: frozenset[bytes]) -> list[Finding]:
    """Return the embedded pictures that are not among those the exporter made itself."""
    return [
        Finding("picture", where, f"{one.kind} at byte {one.at}, {len(one.data)} bytes")
        for where, one in pictures(data)
        if one.data not in written
    ]


def unknown(data: bytes, written: frozenset[bytes], form: Format) -> list[Finding]:
    """Return what a written file holds that no table knows; nothing if all of it may stay."""
    ledger = Ledger(Previews(np.zeros((1, 1, 3), np.uint8), set(written)))
    try:
        if form.review(data, ledger):
            return []
    except _DAMAGE as error:
        return [Finding("unknown", "the file", f"it cannot be taken apart: {error}")]
    told = ledger.notes or ("bytes that no table knows",)
    return [Finding("unknown", form.name, one.removeprefix("dropped: ")) for one in told]


def pictures(data: bytes) -> Iterator[tuple[str, Embedded]]:
    """Yield every embedded picture with the name of its place."""
    for where, inner in _structural(data):
        yield where, Embedded("picture", max(0, data.find(inner)), inner)
    for where, part in parts_of(data):
        for one in embedded(part):
            yield where, one
        for block in _exif_blocks(part):
            yield from ((where, one) for one in _uncompressed(block))


def format_of(data: bytes) -> Format | None:
    """Return the format of a file, None where it is none of ours."""
    name = formats.format_of(data)
    return None if name is None else formats.FORMATS[name]


def parts_of(data: bytes) -> list[tuple[str, bytes]]:
    """Return every part of a file but the primary picture's coded data, with its name."""
    form = format_of(data)
    if form is None:
        return [("file", data)]
    try:
        return list(form.strip(data))
    except _DAMAGE:
        return [("damaged file", data[12:])]  # behind its own signature


def _structural(data: bytes) -> list[tuple[str, bytes]]:
    """Return the further pictures that the container names; none where it is damaged."""
    form = format_of(data)
    try:
        return list(form.pictures(data)) if form else []
    except _DAMAGE:
        return []


def _exif_blocks(part: bytes) -> Iterator[bytes]:
    if part.startswith(EXIF_HEAD):
        yield part[len(EXIF_HEAD) :]
    elif part[:4] in (b"II*\0", b"MM\0*"):
        yield part


def _uncompressed(block: bytes) -> Iterator[Embedded]:
    """Yield thumbnails that lie strip by strip in an EXIF block."""
    try:
        tiff = Tiff(block)
    except ValueError:
        return
    for directory in tiff.directories:
        offsets = tiff.numbers(directory.entries.get(STRIP_OFFSETS))
        counts = tiff.numbers(directory.entries.get(STRIP_COUNTS))
        if not offsets or len(offsets) != len(counts):
            continue
        strips = [memoryview(block)[at : at + n] for at, n in zip(offsets, counts, strict=True)]
        if any(np.frombuffer(one, np.uint8).any() for one in strips):
            yield Embedded("uncompressed", offsets[0], b"".join(strips))


def _names(part: bytes, where: str) -> Iterator[Finding]:
    for block in _exif_blocks(part):
        yield from names.in_exif(block, where)
    start = part.find(b"<x:xmpmeta")
    start = part.find(b"<rdf:RDF") if start < 0 else start
    if start >= 0:
        yield from names.in_xmp(part[start:], where)
    if b"8BIM\x04\x04" in part or part[:2] == b"\x1c\x02" or part[:2] == b"\x1c\x01":
        yield from names.in_resources(part, where)
