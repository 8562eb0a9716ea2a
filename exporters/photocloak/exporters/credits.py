"""The little metadata that a publishing preset keeps, read from the source, written anew.

Nothing is edited and nothing copied as a block: what is not named here cannot slip through.
"""

import html
import re
import struct
from dataclasses import dataclass, field

from photocloak.exporters.ifd import Directory, Tiff
from photocloak.exporters.leaks import xmp

_DC = "http://purl.org/dc/elements/1.1/"
_PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
_IPTC = {"creator": 80, "copyright": 116, "caption": 120}
_LONGEST = 2000
_ASCII, _SHORT, _LONG, _RATIONAL = 2, 3, 4, 5
_CAMERA = {0x010F: "IFD0", 0x0110: "IFD0", 0xA434: "Exif", 0x829A: "Exif", 0x829D: "Exif"}
_CAMERA |= {0x8827: "Exif", 0x920A: "Exif"}


@dataclass
class Credits:
    """What may be kept.

    Attributes:
        copyright: one line.
        creator: names.
        caption: text.
        date: EXIF form, `2026:11:22 12:00:00`.
        camera: (directory, tag) → (TIFF type, value bytes in big-endian order).

    """

    copyright: str = ""
    creator: str = ""
    caption: str = ""
    date: str = ""
    camera: dict[tuple[str, int], tuple[int, bytes]] = field(default_factory=dict)

    def only(self, fields: tuple[str, ...]) -> "Credits":
        """Return a copy with nothing but some of the fields."""
        return Credits(**{name: getattr(self, name) for name in fields})


def gather(parts: list[tuple[str, bytes]]) -> Credits:
    """Read credits from the parts of a file, as `Format.strip` yields them; XMP goes first."""
    found = Credits()
    packets = [part for _, part in parts if b"<rdf:RDF" in part]
    blocks = [part.removeprefix(b"Exif\0\0") for _, part in parts]
    for packet in packets:
        _from_xmp(packet.decode("utf-8", "replace"), found)
    for block in blocks:
        if block[:4] in (b"II*\0", b"MM\0*"):
            _from_exif(Tiff(block), found)
    for _, part in parts:
        if b"8BIM\x04\x04" in part:
            _from_iptc(part, found)
    return found


def _from_xmp(text: str, found: Credits) -> None:
    for prefix in xmp.prefixes(text, _DC):
        found.copyright = found.copyright or _first(text, f"{prefix}:rights")
        found.creator = found.creator or _first(text, f"{prefix}:creator")
        found.caption = found.caption or _first(text, f"{prefix}:description")
    for prefix in xmp.prefixes(text, _PHOTOSHOP):
        date = re.search(rf'{prefix}:DateCreated(?:="|>)(\d{{4}})-(\d\d)-(\d\d)T([\d:]{{8}})', text)
        if date and not found.date:
            found.date = f"{date[1]}:{date[2]}:{date[3]} {date[4]}"


def _first(text: str, name: str) -> str:
    """Return the items of a simple property or list, joined."""
    match = re.search(
        rf"<{re.escape(name)}(?=[\s>])[^>]*>(.{{0,8000}}?)</{re.escape(name)}>", text, re.S
    )
    if not match:
        return ""
    items = re.findall(r">([^<>]+)<", f">{match[1]}<")
    words = [html.unescape(item).strip() for item in items]
    return _line("; ".join(dict.fromkeys(word for word in words if word)))


def _from_exif(tiff: Tiff, found: Credits) -> None:
    main, exif = tiff.directory("IFD0"), tiff.directory("Exif")
    found.caption = found.caption or _line(tiff.text(main, 0x010E))
    found.creator = found.creator or _line(tiff.text(main, 0x013B))
    found.copyright = found.copyright or _line(tiff.text(main, 0x8298))
    dates = (tiff.text(exif, 0x9003), tiff.text(main, 0x0132))
    valid = [one for one in dates if re.fullmatch(r"\d{4}:\d\d:\d\d \d\d:\d\d:\d\d", one)]
    found.date = found.date or next(iter(valid), "")
    for tag, name in _CAMERA.items():
        directory = main if name == "IFD0" else exif
        value = _camera_value(tiff, directory, tag)
        if value is not None:
            found.camera.setdefault((name, tag), value)


def _camera_value(tiff: Tiff, directory: Directory | None, tag: int) -> tuple[int, bytes] | None:
    entry = directory.entries.get(tag) if directory else None
    if entry is None:
        return None
    raw = tiff.raw(entry)
    if entry.kind == _ASCII:
        return _ASCII, _line(tiff.text(directory, tag)).encode() + b"\0"
    if entry.kind == _SHORT and entry.count == 1:
        return _SHORT, struct.pack(">H", struct.unpack(f"{tiff.order}H", raw)[0])
    if entry.kind == _RATIONAL and entry.count == 1:
        return _RATIONAL, struct.pack(">II", *struct.unpack(f"{tiff.order}II", raw))
    return None


def _from_iptc(block: bytes, found: Credits) -> None:
    for name, number in _IPTC.items():
        at = block.find(bytes([0x1C, 2, number]))
        if at >= 0 and not getattr(found, name):
            size = struct.unpack_from(">H", block[at + 3 : at + 5].rjust(2, b"\0"))[0]
            text = block[at + 5 : at + 5 + size].decode("utf-8", "replace")
            setattr(found, name, _line(text))


def _line(text: str) -> str:
    """Return a text on one line without control characters, of bounded length."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_LONGEST]


def exif_block(credits: Credits) -> bytes:
    """Return a small EXIF block from its byte order mark, empty where there is nothing to say."""
    main: dict[int, tuple[int, bytes]] = {}
    exif: dict[int, tuple[int, bytes]] = {}
    texts = {0x010E: credits.caption, 0x013B: credits.creator, 0x8298: credits.copyright}
    main.update({tag: (_ASCII, text.encode() + b"\0") for tag, text in texts.items() if text})
    if credits.date:
        exif[0x9003] = (_ASCII, credits.date.encode() + b"\0")
    for (name, tag), value in credits.camera.items():
        (main if name == "IFD0" else exif)[tag] = value
    if not main and not exif:
        return b""
    if exif:
        exif[0x9000] = (7, b"0232")
        main[0x8769] = (_LONG, bytes(4))
    size = _size(main)
    if exif:
        main[0x8769] = (_LONG, struct.pack(">I", 8 + size))
    block = b"MM\0*" + struct.pack(">I", 8) + _directory(main, 8)
    return block + (_directory(exif, 8 + size) if exif else b"")


_WIDTHS = {_ASCII: 1, 7: 1, _SHORT: 2, _LONG: 4, _RATIONAL: 8}


def _size(tags: dict[int, tuple[int, bytes]]) -> int:
    large = (len(value) + len(value) % 2 for _, value in tags.values() if len(value) > 4)
    return 2 + 12 * len(tags) + 4 + sum(large)


def _directory(tags: dict[int, tuple[int, bytes]], at: int) -> bytes:
    """Return an IFD with its values behind it."""
    head, values = struct.pack(">H", len(tags)), b""
    start = at + 2 + 12 * len(tags) + 4
    for tag in sorted(tags):
        kind, value = tags[tag]
        head += struct.pack(">HHI", tag, kind, len(value) // _WIDTHS[kind])
        if len(value) <= 4:
            head += value.ljust(4, b"\0")
        else:
            head += struct.pack(">I", start + len(values))
            values += value + b"\0" * (len(value) % 2)
    return head + bytes(4) + values


def xmp_packet(credits: Credits) -> bytes:
    """Return a small XMP packet, empty where there is nothing to say."""

    def language(name: str, text: str) -> str:
        item = f'<rdf:li xml:lang="x-default">{html.escape(text)}</rdf:li>'
        return f"<dc:{name}><rdf:Alt>{item}</rdf:Alt></dc:{name}>" if text else ""

    body = language("rights", credits.copyright) + language("description", credits.caption)
    if credits.creator:
        items = "".join(
            f"<rdf:li>{html.escape(one)}</rdf:li>" for one in credits.creator.split("; ")
        )
        body += f"<dc:creator><rdf:Seq>{items}</rdf:Seq></dc:creator>"
    if not body:
        return b""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" xmlns:dc="{_DC}">{body}</rdf:Description>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()
