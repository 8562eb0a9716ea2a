"""TIFF directories swept: what a table knows stays where it lies, all else is overwritten.

The block keeps its length, since MakerNotes count their offsets from its beginning.
"""

import struct
from dataclasses import dataclass, field

from photocloak.exporters.containers.ifd import Directory, IfdEntry, Tiff
from photocloak.exporters.leaks.costs import Cost
from photocloak.exporters.leaks.ledger import Ledger
from photocloak.exporters.leaks.makernotes import Note, open_note, tag_rules
from photocloak.exporters.leaks.tables import table
from photocloak.exporters.leaks.values import Value, judge

_MAKE, _SHORT, _NAMED = 0x010F, 64, 512
_FOLLOWING = {"IFD0": "IFD1"}
# tags that say how the picture's numbers are meant
_COLOURS = frozenset(
    {"ColorMap", "WhitePoint", "PrimaryChromaticities", "TransferFunction", "YCbCrCoefficients"}
    | {"ReferenceBlackWhite", "ColorSpace", "Gamma", "InteroperabilityIndex", "ExtraSamples"}
    | {"InkSet", "DotRange", "SampleFormat", "InterColorProfile"}
)
_PICTURES = ("IFD0", "Exif", "Interop")
Span = tuple[int, int]


@dataclass
class Sweep:
    """One pass over a block.

    Attributes:
        tiff: the block as it came.
        data: the block as it is written.
        ledger: the account of the file.
        where: name of the block.
        ours: stretches with a picture made from the cloaked pixels.
        kept: stretches that were judged.
        refused: stretches that were judged and go.

    """

    tiff: Tiff
    data: bytearray
    ledger: Ledger
    where: str
    ours: list[Span]
    kept: list[Span]
    refused: list[Span] = field(default_factory=list)


def sweep(block: bytes, ledger: Ledger, where: str, pictures: list[Span]) -> bytes:
    """Return a block of the same length in which nothing is left that no table knows.

    Args:
        block: from its byte order mark; the pictures in it are ours already.
        ledger: the account of the file.
        where: name of the block.
        pictures: stretches of pixels that are written elsewhere.

    Raises:
        ValueError: it is no TIFF structure.

    """
    data = bytearray(block)
    sweep_in_place(data, ledger, where, pictures)
    return bytes(data)


def sweep_in_place(data: bytearray, ledger: Ledger, where: str, pictures: list[Span]) -> None:
    """Do as `sweep` does, with no copy of what may be a large photo."""
    tiff = Tiff(data)
    ours = _ours(data, ledger)
    one = Sweep(tiff, data, ledger, where, ours, [(0, 8), *pictures, *ours])
    known = {directory.at for directory in tiff.directories if _table_of(directory)}
    for directory in tiff.directories:
        tags = _table_of(directory)
        if tags is not None:
            _directory(one, directory, tags, known)
    _overwrite_rest(one)


def _table_of(directory: Directory) -> str | None:
    if directory.name in ("IFD0", "IFD1", "SubIFD"):
        return "IFD"
    return directory.name if directory.name in ("Exif", "GPS", "Interop") else None


def _ours(block: bytearray, ledger: Ledger) -> list[Span]:
    """Return where the pictures lie that were made from the cloaked pixels."""
    found = []
    for picture in ledger.previews.written:
        at = block.find(picture)
        while at >= 0:
            found.append((at, at + len(picture)))
            at = block.find(picture, at + len(picture))
    return found


def _directory(one: Sweep, directory: Directory, tags: str, known: set[int]) -> None:
    """Keep what may stay of a directory, and the way to the one that follows."""
    names = {int(number, 16): name for number, name in table("exif")["tags"][tags].items()}
    order = one.tiff.order
    rows = []
    for entry in _rows(one, directory, order):
        if entry.tag not in names:
            fits = _unnamed(one, entry, f"{directory.name} tag {entry.tag:04X}")
        else:
            fits = _named(one, entry, names[entry.tag], directory.name)
        if fits is not None:
            rows.append(fits)
    end = directory.at + 2 + 12 * struct.unpack_from(f"{order}H", one.tiff.data, directory.at)[0]
    following = bytes(one.tiff.data[end : end + 4]).ljust(4, b"\0")
    at = struct.unpack(f"{order}I", following)[0]
    if directory.name not in _FOLLOWING or at not in known:
        following = bytes(4)
    _write_rows(one, directory, order, rows, following)


def _rows(one: Sweep, directory: Directory, order: str) -> list[IfdEntry]:
    """Return the entries in their order; a second one of a tag, and impossible ones, are none."""
    count = struct.unpack_from(f"{order}H", one.tiff.data, directory.at)[0]
    entries = sorted(directory.entries.values(), key=lambda entry: entry.at)
    if len(entries) < count:
        one.ledger.drop(
            f"{one.where} {directory.name}", 12 * (count - len(entries)), "impossible entries"
        )
    return entries


def _write_rows(
    one: Sweep, directory: Directory, order: str, rows: list[bytes], following: bytes
) -> None:
    count = struct.unpack_from(f"{order}H", one.tiff.data, directory.at)[0]
    end = min(directory.at + 2 + 12 * count + 4, len(one.data))
    if len(rows) == count:
        body = b"".join(rows) + following
    else:
        body = (b"".join(rows) + following).ljust(end - directory.at - 2, b"\0")
    body = struct.pack(f"{order}H", len(rows)) + body
    body = body[: end - directory.at]
    one.data[directory.at : directory.at + len(body)] = body
    one.kept.append((directory.at, directory.at + len(body)))


def _unnamed(one: Sweep, entry: IfdEntry, what: str) -> bytes | None:
    """Keep a tag of no table if it is short, and on the account of what cannot be vouched for."""
    raw = one.tiff.raw(entry)
    size = len(raw.strip(b"\0"))
    if entry.size <= _SHORT and one.ledger.admits(Cost(opaque=size)):
        return _keep(one, entry)
    _refuse(one, entry, what, "unknown")
    return None


def _named(one: Sweep, entry: IfdEntry, name: str, directory: str) -> bytes | None:
    kind = table("exif")["kinds"].get(name, {}).get("kind")
    if kind == "note":
        return _note(one, entry)
    longest = table("exif")["kinds"].get(name, {}).get("bytes", _SHORT)
    series = f"{one.where} {directory}"
    value = Value(_without_ours(one, entry), one.tiff.order, kind, entry.kind, longest, series)
    kept = judge(value, one.ledger, f"{one.where} {name}")
    if kept is None:
        _refuse(one, entry, f"{directory} {name}", "neither short nor readable")
        if name in _COLOURS and directory in _PICTURES:
            one.ledger.colours = f"EXIF tag {name}"
        return None
    if kept is not True:
        one.data[entry.start : entry.start + entry.size] = kept.ljust(entry.size, b"\0")
    return _keep(one, entry)


def _note(one: Sweep, entry: IfdEntry) -> bytes | None:
    """Judge a MakerNote tag by tag; what its directories do not reach is overwritten."""
    make = one.tiff.text(one.tiff.directory("IFD0"), _MAKE)
    note = open_note(one.tiff.data, entry, one.tiff.order, make)
    if note is None:
        raw = _without_ours(one, entry)
        value = Value(raw, one.tiff.order, "numbers", entry.kind, _NAMED, "MakerNote")
        if judge(value, one.ledger, "MakerNote") is None:
            ours = any(entry.start <= start < entry.start + entry.size for start, _ in one.ours)
            one.refused.append((entry.start, entry.start + entry.size))
            one.ledger.drop(f"MakerNote of {make or 'nobody'}", entry.size, "unknown")
            return _row(one, entry) if ours else None
        return _keep(one, entry)
    _note_parts(one, entry, note)
    return _row(one, entry)


def _note_parts(one: Sweep, entry: IfdEntry, note: Note) -> None:
    one.kept.append((entry.start, entry.start + min(note.head, 32)))
    end = entry.start + entry.size
    if one.tiff.data[end - 8 : end - 4] in (b"II*\0", b"MM\0*"):
        one.kept.append((end - 8, end))  # Canon's own note of where the block lay
    inside = {part.directory.at for part in note.parts}
    for part in note.parts:
        names, longer = tag_rules(part.tags)
        rows = []
        for inner in _rows(one, part.directory, part.order):
            if inner.size > 4 and inner.start in inside:
                rows.append(_row(one, inner))  # a directory, judged tag by tag
                continue
            named = inner.tag in names
            longest = longer.get(inner.tag, _NAMED if named else _SHORT)
            raw, series = _without_ours(one, inner), "MakerNote" if named else ""
            value = Value(raw, part.order, "numbers", inner.kind, longest, series)
            if judge(value, one.ledger, "MakerNote") is not None:
                rows.append(_keep(one, inner))
            elif _holds_ours(one, inner):
                one.refused.append((inner.start, inner.start + inner.size))
                rows.append(_row(one, inner))
            else:
                name = names.get(inner.tag, f"tag {inner.tag:04X}")
                _refuse(one, inner, f"MakerNote {name}", "unknown" if not named else "not settings")
        _write_rows(one, part.directory, part.order, rows, b"")


def _without_ours(one: Sweep, entry: IfdEntry) -> bytes:
    """Return a value with the pictures of ours in it blanked."""
    raw = one.tiff.raw(entry)
    for start, end in one.ours:
        if start < entry.start + entry.size and entry.start < end:
            first, last = max(0, start - entry.start), min(entry.size, end - entry.start)
            raw = raw[:first] + bytes(last - first) + raw[last:]
    return raw


def _holds_ours(one: Sweep, entry: IfdEntry) -> bool:
    return any(entry.start <= start < entry.start + entry.size for start, _ in one.ours)


def _row(one: Sweep, entry: IfdEntry) -> bytes:
    return bytes(one.tiff.data[entry.at : entry.at + 12])


def _keep(one: Sweep, entry: IfdEntry) -> bytes:
    if entry.size > 4:
        one.kept.append((entry.start, entry.start + entry.size))
        return _row(one, entry)
    return _row(one, entry)[: 8 + entry.size].ljust(12, b"\0")


def _refuse(one: Sweep, entry: IfdEntry, what: str, why: str) -> None:
    if entry.size > 4:
        one.refused.append((entry.start, entry.start + entry.size))
    if one.tiff.raw(entry).strip(b"\0"):
        one.ledger.drop(f"{one.where} {what}", entry.size, why)


def _overwrite_rest(one: Sweep) -> None:
    """Overwrite with zeros what no part that stays has reached."""
    lost = position = 0
    for start, end in [*sorted(one.kept), (len(one.data), len(one.data))]:
        if start > position:
            gap = one.data[position:start]
            if gap.strip(b"\0"):
                if not any(a < start and position < b for a, b in one.refused):
                    lost += len(gap) - gap.count(0)
                one.data[position:start] = bytes(start - position)
        position = max(position, end)
    if lost > 8:
        one.ledger.drop(f"{one.where}, between its parts", lost, "unknown")
