"""What HEIC and AVIF have in common: the container, read for size, colour and the leak scan."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace

from photocloak.core import InputError
from photocloak.exporters.containers.isobmff import Heif, Item, read
from photocloak.exporters.formats.base import check_size, damaged
from photocloak.exporters.leaks import exif, icc, xmp
from photocloak.exporters.leaks.ledger import Ledger

_PICTURES = (b"hvc1", b"av01", b"grid", b"iovl", b"iden", b"jpeg", b"avc1", b"vvc1", b"j2k1")
_HDR = {16: "PQ", 18: "HLG"}


@dataclass(frozen=True)
class Facts:
    """What the container says of its primary picture.

    Attributes:
        depth: bits a channel.
        exif: EXIF block from its byte order mark, or empty.
        xmp: packet, or empty.
        icc: colour profile, or None.
        notes: what is left out.

    """

    depth: int
    exif: bytes
    xmp: bytes
    icc: bytes | None
    notes: tuple[str, ...]


def facts(data: bytes, name: str, title: str) -> Facts:
    """Look at the container before any decoder does.

    Raises:
        InputError: it is damaged, huge or HDR.

    """
    try:
        heif = read(data)
        main = heif.items[heif.primary]
    except (ValueError, KeyError) as error:
        raise damaged(name, title, ValueError(str(error))) from error
    properties = dict(main.properties)
    if b"ispe" in properties and len(properties[b"ispe"]) >= 12:
        width, height = struct.unpack_from(">II", properties[b"ispe"], 4)
        check_size(name, width, height, data, densest=20_000)
    colour = [body for kind, body in main.properties if kind == b"colr"]
    icc = next((body[4:] for body in colour if body[:4] in (b"prof", b"rICC")), None)
    nclx = next((body for body in colour if body[:4] == b"nclx"), b"")
    transfer = struct.unpack_from(">H", nclx, 6)[0] if len(nclx) >= 10 else 0
    pixi = properties.get(b"pixi", b"\0\0\0\0\1\x08")
    depth = max(pixi[5:], default=8)
    if transfer in _HDR:
        raise InputError(
            f"{name}: this is an HDR picture ({_HDR[transfer]}), whose faces cannot be judged as "
            "others see them; export it in standard dynamic range first."
        )
    return Facts(depth, _exif(data, heif), _xmp(data, heif), icc, _notes(heif))


def _described(heif: Heif) -> list[Item]:
    """Return the metadata items of the primary picture."""
    return [one for one in heif.items.values() if (b"cdsc", heif.primary) in one.serves]


def _exif(data: bytes, heif: Heif) -> bytes:
    for one in _described(heif):
        if one.kind == b"Exif":
            body = heif.data(data, one)
            if len(body) > 4:
                return body[4 + struct.unpack_from(">I", body)[0] :]
    return b""


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
            yield "Exif item", body[4 + struct.unpack_from(">I", body.ljust(4, b"\0"))[0] :]
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
