"""What HEIC and AVIF have in common: the container, read for size, colour and the leak scan."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace

from photocloak.exporters.colour.signs import Points, Signs, profile
from photocloak.exporters.containers import av1
from photocloak.exporters.containers.ifd import exif_of, exif_start
from photocloak.exporters.containers.isobmff import Heif, Item, read
from photocloak.exporters.formats.base import animated, check_size, damaged
from photocloak.exporters.leaks import exif, icc, xmp
from photocloak.exporters.leaks.ledger import Ledger
from photocloak.exporters.metadata.orientation import turned

_PICTURES = (b"hvc1", b"av01", b"grid", b"iovl", b"iden", b"jpeg", b"avc1", b"vvc1", b"j2k1")
_SEQUENCES = (b"avis", b"msf1", b"hevc", b"hevx")


@dataclass(frozen=True)
class Facts:
    """What the container says of its primary picture.

    Attributes:
        depth: bits a channel.
        exif: EXIF block from its byte order mark, or empty.
        xmp: packet, or empty.
        icc: colour profile, or None.
        nclx: body of its code points' property, or empty.
        points: its code points, said there or in the coded picture, or None.
        orientation: 1 to 8, what `irot` and `imir` amount to.
        notes: what is left out.

    """

    depth: int
    exif: bytes
    xmp: bytes
    icc: bytes | None
    nclx: bytes
    points: Points | None
    orientation: int
    notes: tuple[str, ...]

    def meaning(self, mode: str, name: str) -> bytes | None:
        """Return what the numbers of the picture mean, as `signs.profile` does."""
        return profile(Signs(self.icc, self.points, exif=self.exif), mode, name)


def facts(data: bytes, name: str, title: str) -> Facts:
    """Look at the container before any decoder does.

    Raises:
        InputError: it is damaged, huge, animated or HDR.

    """
    try:
        heif = read(data)
    except ValueError as error:
        raise damaged(name, title, error) from error
    main = heif.items.get(heif.primary)
    if main is None:
        raise damaged(name, title, ValueError("it has no primary picture"))
    if data[8:12] in _SEQUENCES and heif.tracks:
        raise animated(name)
    made_of = _made_of(heif, main)
    properties = dict(main.properties)
    _check_sizes(made_of, data, name)
    colour = [body for one in made_of for kind, body in one.properties if kind == b"colr"]
    icc = next((body[4:] for body in colour if body[:4] in (b"prof", b"rICC")), None)
    nclx = next((body for body in colour if body[:4] == b"nclx" and len(body) >= 11), b"")
    points = Points(*struct.unpack_from(">HH", nclx, 4)) if nclx else _coded(data, heif, made_of)
    pixi = properties.get(b"pixi", b"\0\0\0\0\1\x08")
    block, notes = _exif(data, heif)
    found = Facts(
        depth=max(pixi[5:], default=8),
        exif=block,
        xmp=_xmp(data, heif),
        icc=icc,
        nclx=nclx,
        points=points,
        orientation=turned(main.properties),
        notes=(*notes, *_notes(heif)),
    )
    found.meaning("RGB", name)  # HDR is refused before it is decoded
    return found


def _made_of(heif: Heif, main: Item) -> list[Item]:
    """Return the primary item and the items it is derived from, such as the tiles of a grid."""
    found, todo = [main], list(main.parts)
    while todo and len(found) < 4:  # tiles are alike
        one = heif.items.get(todo.pop(0))
        if one is not None and one not in found:
            found.append(one)
            todo += one.parts
    return found


def _check_sizes(made_of: list[Item], data: bytes, name: str) -> None:
    for one in made_of:
        ispe = dict(one.properties).get(b"ispe", b"")
        if len(ispe) >= 12:
            width, height = struct.unpack_from(">II", ispe, 4)
            check_size(name, width, height, data, densest=20_000)


def _coded(data: bytes, heif: Heif, made_of: list[Item]) -> Points | None:
    """Return the code points that the coded picture itself has."""
    for one in made_of:
        properties = dict(one.properties)
        if b"av1C" in properties:
            found = av1.described(properties[b"av1C"][4:]) or av1.described(heif.data(data, one))
            return Points(found.primaries, found.transfer) if found else None
    return None


def _described(heif: Heif) -> list[Item]:
    """Return the metadata items of the primary picture."""
    return [one for one in heif.items.values() if (b"cdsc", heif.primary) in one.serves]


def _exif(data: bytes, heif: Heif) -> tuple[bytes, tuple[str, ...]]:
    """Return the EXIF block, and a note where there is one that cannot be read."""
    items = [one for one in _described(heif) if one.kind == b"Exif"]
    if not items:  # some writers do not say which picture it describes
        items = [one for one in heif.items.values() if one.kind == b"Exif" and not one.serves]
    bodies = [heif.data(data, one) for one in items]
    block = next(filter(None, (exif_of(body, offset=True) for body in bodies)), b"")
    if bodies and not block and any(body.strip(b"\0") for body in bodies):
        return b"", ("left out: EXIF in a form that cannot be read",)
    return block, ()


def _xmp(data: bytes, heif: Heif) -> bytes:
    found = (one for one in _described(heif) if one.content == b"application/rdf+xml")
    return next((heif.data(data, one) for one in found), b"")


def _notes(heif: Heif) -> tuple[str, ...]:
    kinds = {name for name, _ in _further(heif)}
    notes = [f"left out: {', '.join(sorted(kinds))}"] if kinds else []
    if heif.tracks:
        notes.append("the film beside the picture is left out")
    return tuple(notes)


def _further(heif: Heif) -> list[tuple[str, Item]]:
    """Return the pictures that are not the primary one, each with what it is."""
    main, result = heif.main(), []
    tiles = {part for one in heif.items.values() for part in one.parts}
    for one in heif.items.values():
        if one.number in main or one.kind not in _PICTURES:
            continue
        kinds = {kind for kind, _ in one.serves}
        if b"thmb" in kinds:
            result.append(("thumbnail", one))
        elif b"auxl" in kinds:
            result.append(("auxiliary picture", one))
        elif one.number not in tiles or not kinds:
            result.append(("further picture", one))
    return result


def clean(found: Facts, ledger: Ledger) -> Facts:
    """Return what of the metadata may be handed to the encoder."""
    block = exif.clean(found.exif, ledger) if found.exif else b""
    icc_ = icc.clean(found.icc, ledger) if found.icc else b""
    return replace(found, exif=block, xmp=xmp.clean(found.xmp, ledger), icc=icc_ or None)


def review(data: bytes, ledger: Ledger) -> bool:
    """Tell whether the metadata of a file may stay; its encoder writes no other parts."""
    found = facts(data, "", "HEIF")
    kept = clean(found, ledger)
    return (kept.exif, kept.xmp, kept.icc) == (found.exif, found.xmp, found.icc)


def strip(data: bytes) -> Iterable[tuple[str, bytes]]:
    """Yield metadata items, and every stretch of the file that is not the primary picture."""
    heif = read(data)
    for one in heif.items.values():
        if one.kind == b"Exif":
            body = heif.data(data, one)
            yield "Exif item", body[max(0, exif_start(body, offset=True)) :]
        elif one.kind not in _PICTURES:
            yield f"{one.kind.decode('latin-1')} item", heif.data(data, one)
    own = heif.main()
    taken = sorted(span for one in heif.items.values() if one.number in own for span in one.spans)
    rest, position = [], 12  # behind the file's own ftyp, which is a signature
    for start, size in taken:
        rest.append(data[position:start])
        position = max(position, start + size)
    rest.append(data[position:])
    yield "rest of the file", b"".join(rest)


def pictures(data: bytes) -> Iterable[tuple[str, bytes]]:
    """Yield thumbnails, auxiliary and further pictures, and films."""
    heif = read(data)
    for name, one in _further(heif):
        yield name, heif.data(data, one)
    if heif.tracks:
        yield (
            "film",
            b"".join(data[one.body : one.end] for one in heif.boxes if one.kind == b"moov"),
        )
