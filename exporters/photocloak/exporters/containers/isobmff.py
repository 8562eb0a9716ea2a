"""ISOBMFF boxes and HEIF items (ISO/IEC 14496-12, 23008-12): which bytes are what, read only."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

_MAX_BOXES = 20_000


@dataclass(frozen=True)
class Box:
    """A box: four-letter kind, offset of its body and offset behind it."""

    kind: bytes
    body: int
    end: int


@dataclass
class Item:
    """An item of the meta box.

    Attributes:
        number: its identifier.
        kind: hvc1, av01, grid, Exif, mime, …
        content: MIME type, for kind mime.
        spans: where its bytes lie: (offset, length) in the file.
        parts: items it is derived from, such as the tiles of a grid.
        serves: (kind of reference, item) pairs: thmb, auxl, cdsc, …
        properties: bodies of the properties it has, by kind.

    """

    number: int
    kind: bytes = b""
    content: bytes = b""
    spans: list[tuple[int, int]] = field(default_factory=list)
    parts: list[int] = field(default_factory=list)
    serves: list[tuple[bytes, int]] = field(default_factory=list)
    properties: list[tuple[bytes, bytes]] = field(default_factory=list)


@dataclass(frozen=True)
class Heif:
    """What a HEIF file holds.

    Attributes:
        items: by number.
        primary: number of the primary item.
        tracks: whether there are moving pictures.
        boxes: of the top level.

    """

    items: dict[int, Item]
    primary: int
    tracks: bool
    boxes: list[Box]

    def main(self) -> set[int]:
        """Return the numbers of the primary item, what it is made of, and its alpha channel."""
        wanted, todo = set(), [self.primary]
        while todo:
            number = todo.pop()
            if number in wanted or number not in self.items:
                continue
            wanted.add(number)
            todo += self.items[number].parts
            todo += [other.number for other in self.items.values() if _is_alpha(other, number)]
        return wanted

    def data(self, file: bytes, item: Item) -> bytes:
        """Return the bytes of an item."""
        return b"".join(file[start : start + size] for start, size in item.spans)


def _is_alpha(item: Item, of: int) -> bool:
    if (b"auxl", of) not in item.serves:
        return False
    return any(
        (kind == b"auxC" and b":alpha" in body) or b"auxid:1\0" in body
        for kind, body in item.properties
    )


def boxes(data: bytes, start: int, end: int) -> Iterator[Box]:
    """Yield the boxes of a stretch of a file; stops at the first that makes no sense."""
    for _ in range(_MAX_BOXES):
        if start + 8 > end:
            return
        size, kind = struct.unpack_from(">I4s", data, start)
        body = start + 8
        if size == 1 and start + 16 <= end:
            size = struct.unpack_from(">Q", data, start + 8)[0]
            body = start + 16
        elif size == 0:
            size = end - start
        if size < body - start or start + size > end:
            return
        yield Box(kind, body, start + size)
        start += size


def read(data: bytes) -> Heif:
    """Read the items of a file.

    Raises:
        ValueError: it has no meta box with a primary item, or a box is cut short.

    """
    top = list(boxes(data, 0, len(data)))
    meta = next((one for one in top if one.kind == b"meta"), None)
    if meta is None:
        raise ValueError("it has no meta box")
    inner = {one.kind: one for one in boxes(data, meta.body + 4, meta.end)}
    items: dict[int, Item] = {}
    try:
        if b"iinf" in inner:
            _infos(data, inner[b"iinf"], items)
        if b"iloc" in inner:
            media = inner[b"idat"].body if b"idat" in inner else 0
            _locations(data, inner[b"iloc"], items, media)
        if b"iref" in inner:
            _references(data, inner[b"iref"], items)
        if b"iprp" in inner:
            _properties(data, inner[b"iprp"], items)
        primary = inner[b"pitm"]
        form = ">H" if data[primary.body] == 0 else ">I"
        number = struct.unpack_from(form, data, primary.body + 4)[0]
    except (KeyError, struct.error, IndexError, StopIteration) as error:
        raise ValueError("its boxes are damaged") from error
    return Heif(items, number, any(one.kind == b"moov" for one in top), top)


def _infos(data: bytes, box: Box, items: dict[int, Item]) -> None:
    start = box.body + (6 if data[box.body] == 0 else 8)
    for one in boxes(data, start, box.end):
        version = data[one.body]
        if one.kind != b"infe" or version < 2:
            continue
        wide = version > 2
        number = struct.unpack_from(">I" if wide else ">H", data, one.body + 4)[0]
        at = one.body + (10 if wide else 8)
        item = Item(number, data[at : at + 4])
        if item.kind == b"mime":
            item.content = data[at + 4 : one.end].split(b"\0")[1]
        items[number] = item


def _locations(data: bytes, box: Box, items: dict[int, Item], media: int) -> None:
    version = data[box.body]
    sizes = struct.unpack_from(">H", data, box.body + 4)[0]
    offset, length, base, index = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    position = box.body + 6

    def take(size: int) -> int:
        nonlocal position
        value = int.from_bytes(data[position : position + size], "big")
        position += size
        if position > box.end:
            raise IndexError("beyond the box")
        return value

    for _ in range(take(2 if version < 2 else 4)):
        number = take(2 if version < 2 else 4)
        method = take(2) & 15 if version > 0 else 0
        take(2)
        start = take(base)
        spans = []
        for _ in range(take(2)):
            if version > 0:
                take(index)
            at, size = start + take(offset), take(length)
            spans.append((at + (media if method == 1 else 0), size))
        if number in items:
            items[number].spans = spans


def _references(data: bytes, box: Box, items: dict[int, Item]) -> None:
    form, width = (">H", 2) if data[box.body] == 0 else (">I", 4)
    for one in boxes(data, box.body + 4, box.end):
        source = struct.unpack_from(form, data, one.body)[0]
        count = struct.unpack_from(">H", data, one.body + width)[0]
        targets = [
            struct.unpack_from(form, data, one.body + width + 2 + width * i)[0]
            for i in range(count)
        ]
        if source not in items:
            continue
        if one.kind == b"dimg":
            items[source].parts += targets
        items[source].serves += [(one.kind, target) for target in targets]


def _properties(data: bytes, box: Box, items: dict[int, Item]) -> None:
    inner = list(boxes(data, box.body, box.end))
    store = next(one for one in inner if one.kind == b"ipco")
    bodies = [(one.kind, data[one.body : one.end]) for one in boxes(data, store.body, store.end)]
    for one in inner:
        if one.kind != b"ipma":
            continue
        version, wide = data[one.body], data[one.body + 3] & 1
        position = one.body + 8
        for _ in range(struct.unpack_from(">I", data, one.body + 4)[0]):
            number = struct.unpack_from(">H" if version < 1 else ">I", data, position)[0]
            position += 2 if version < 1 else 4
            count = data[position]
            position += 1
            for _ in range(count):
                index = struct.unpack_from(">H", data, position)[0] if wide else data[position]
                position += 2 if wide else 1
                index &= 0x7FFF if wide else 0x7F
                if number in items and 0 < index <= len(bodies):
                    items[number].properties.append(bodies[index - 1])
