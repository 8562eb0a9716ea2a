"""MakerNotes opened: where their directories lie, of the makers whose form is known."""

from dataclasses import dataclass

from photocloak.exporters.containers.ifd import Directory, IfdEntry, read_directory
from photocloak.exporters.leaks.tables import table

_MOST = 512  # entries: no camera writes more
_DEEPEST = 16  # directories of one note


@dataclass(frozen=True)
class Part:
    """A directory of a MakerNote.

    Attributes:
        directory: its entries.
        order: of its bytes.
        tags: name of the table of its tags.

    """

    directory: Directory
    order: str
    tags: str


@dataclass(frozen=True)
class Note:
    """A MakerNote that is understood.

    Attributes:
        head: how many bytes come before what it is made of.
        parts: its directories.

    """

    head: int
    parts: tuple[Part, ...]


def open_note(block: bytes | bytearray, note: IfdEntry, order: str, make: str) -> Note | None:
    """Return the directories of a MakerNote, None where its form is not known.

    Args:
        block: EXIF, from its byte order mark.
        note: the entry.
        order: of the block.
        make: EXIF's name of the maker.

    """
    raw = bytes(block[note.start : note.start + note.size])
    for name, form in table("makernotes")["makes"].items():
        if not _is_of(raw, make, form):
            continue
        at = form.get("at", 0)
        if "pointer" in form:
            at = int.from_bytes(raw[form["pointer"] : form["pointer"] + 4], "little")
        if "mark" in form:
            order = {b"I": "<", b"M": ">"}.get(raw[form["mark"] : form["mark"] + 1], order)
        base = form["base"] if isinstance(form["base"], int) else 0
        base = 0 if form["base"] == "exif" else note.start + base
        start = note.start + at
        parts: list[Part] = []
        found = _read(block, start, form.get("order", order), base, form.get("tags_of", name))
        if found is not None:
            _gather(block, found, base, form.get("inner", {}), parts)
            return Note(max(at, 0), tuple(parts))
    return None


def _is_of(raw: bytes, make: str, form: dict[str, str]) -> bool:
    if "head" in form:
        return raw.startswith(form["head"].encode("latin-1"))
    return make.upper().startswith(form["make"].upper())


def _read(block: bytes | bytearray, at: int, order: str, base: int, tags: str) -> Part | None:
    """Return the directory at an offset, None where there is none that makes sense."""
    if not 8 <= at <= len(block) - 6:
        return None
    count = int.from_bytes(block[at : at + 2], "little" if order == "<" else "big")
    directory, _ = read_directory(block, order, "MakerNote", at, base)
    if not 0 < count <= _MOST or len(directory.entries) < count - count // 4:
        return None
    return Part(directory, order, tags)


def _gather(
    block: bytes | bytearray, part: Part, base: int, inner: dict[str, str], parts: list[Part]
) -> None:
    """Collect a directory and those that its tags lead to."""
    parts.append(part)
    for number, tags in inner.items():
        entry = part.directory.entries.get(int(number, 16))
        if entry is None or len(parts) >= _DEEPEST:
            continue
        at = entry.start
        if entry.size == 4:
            raw = block[entry.start : entry.start + 4]
            at = base + int.from_bytes(raw, "little" if part.order == "<" else "big")
        found = _read(block, at, part.order, base, tags)
        if found is not None and all(found.directory.at != one.directory.at for one in parts):
            _gather(block, found, base, {}, parts)


def tag_rules(tags: str) -> tuple[dict[int, str], dict[int, int]]:
    """Return the names of a table's tags, and how long those are at most that are longer."""
    source = (
        table("exif")["tags"]["IFD"] if tags == "IFD" else table("makernotes")["tags"].get(tags, {})
    )
    longer = table("makernotes")["long"].get(tags, {})
    return (
        {int(number, 16): name for number, name in source.items()},
        {int(number, 16): size for number, size in longer.items()},
    )
