"""Credits written anew: a small EXIF block and a small XMP packet."""

import html
import struct
from dataclasses import replace

from photocloak.exporters.leaks.readability import cost
from photocloak.exporters.leaks.tables import table
from photocloak.exporters.metadata.credits import ASCII, DC, PHOTOSHOP, RATIONAL, SHORT, Credits
from photocloak.exporters.metadata.dates import to_exif
from photocloak.exporters.metadata.xmp import RDF

_LONG, _UNDEFINED = 4, 7
_DESCRIPTION, _ARTIST, _COPYRIGHT = 0x010E, 0x013B, 0x8298
_DATE, _OFFSET, _VERSION, _EXIF = 0x9003, 0x9011, 0x9000, 0x8769


def exif_block(credits: Credits) -> bytes:
    """Return a small EXIF block from its byte order mark, empty where there is nothing to say."""
    main: dict[int, tuple[int, bytes]] = {}
    exif: dict[int, tuple[int, bytes]] = {}
    date, offset = to_exif(credits.date)
    creator, caption = "; ".join(credits.creator), _first(credits.caption)
    for tag, text in ((_DESCRIPTION, caption), (_ARTIST, creator), (_COPYRIGHT, _rights(credits))):
        if text:
            main[tag] = (ASCII, text.encode() + b"\0")
    for tag, text in ((_DATE, date), (_OFFSET, offset)):
        if text:
            exif[tag] = (ASCII, text.encode() + b"\0")
    for (name, tag), value in credits.camera.items():
        (main if name == "IFD0" else exif)[tag] = value
    if not main and not exif:
        return b""
    if exif:
        exif[_VERSION] = (_UNDEFINED, b"0232")
        main[_EXIF] = (_LONG, bytes(4))
    size = _size(main)
    if exif:
        main[_EXIF] = (_LONG, struct.pack(">I", 8 + size))
    block = b"MM\0*" + struct.pack(">I", 8) + _directory(main, 8)
    return block + (_directory(exif, 8 + size) if exif else b"")


def _first(texts: dict[str, str]) -> str:
    return next(iter(texts.values()), "")


def _rights(credits: Credits) -> str:
    """Return EXIF's copyright: the photographer's, a zero, the editor's (EXIF 2.32, 4.6.5.4)."""
    own = _first(credits.copyright)
    return f"{own or ' '}\0{credits.editor}" if credits.editor else own


_WIDTHS = {ASCII: 1, _UNDEFINED: 1, SHORT: 2, _LONG: 4, RATIONAL: 8}


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
    rights = dict(credits.copyright)
    if credits.editor and not any(credits.editor in text for text in rights.values()):
        language = next(iter(rights), "x-default")
        rights[language] = "; ".join(filter(None, (rights.get(language), credits.editor)))
    body = _alternatives("rights", rights) + _alternatives("description", credits.caption)
    if credits.creator:
        items = "".join(f"<rdf:li>{html.escape(one)}</rdf:li>" for one in credits.creator)
        body += f"<dc:creator><rdf:Seq>{items}</rdf:Seq></dc:creator>"
    if credits.date:
        body += f"<photoshop:DateCreated>{credits.date}</photoshop:DateCreated>"
    if not body:
        return b""
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}">'
        f'<rdf:Description rdf:about="" xmlns:dc="{DC}" xmlns:photoshop="{PHOTOSHOP}">{body}'
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def _alternatives(name: str, texts: dict[str, str]) -> str:
    if not texts:
        return ""
    items = "".join(
        f'<rdf:li xml:lang="{html.escape(language)}">{html.escape(text)}</rdf:li>'
        for language, text in texts.items()
    )
    return f"<dc:{name}><rdf:Alt>{items}</rdf:Alt></dc:{name}>"


def readable(credits: Credits) -> Credits:
    """Return credits without texts that would hold the file back: pieces of code may be a picture.

    EXIF has all creators in one value, so that they are judged together.
    """
    names: list[str] = []
    for name in credits.creator:
        if _is_readable("; ".join([*names, name])):
            names.append(name)
    rights = {key: text for key, text in credits.copyright.items() if _is_readable(text)}
    caption = {key: text for key, text in credits.caption.items() if _is_readable(text)}
    kept = replace(credits, creator=names, copyright=rights, caption=caption)
    if kept != credits:
        kept.notes += ("credits that nobody can read are left out",)
    return kept


def _is_readable(text: str) -> bool:
    limits = table("limits")["value"]
    return all(getattr(cost(text), kind) <= most for kind, most in limits.items())
