"""The little metadata that a publishing preset keeps, read from the source, written anew.

Nothing is edited and nothing copied as a block: what is not named here cannot slip through.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

from photocloak.exporters.containers.ifd import Directory, Tiff, exif_of
from photocloak.exporters.containers.texts import decoded, line
from photocloak.exporters.metadata import dates, iptc
from photocloak.exporters.metadata.xmp import DEFAULT, RDF, Packet

DC = "http://purl.org/dc/elements/1.1/"
PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
_EXIF = "http://ns.adobe.com/exif/1.0/"
_XMP = "http://ns.adobe.com/xap/1.0/"
_XMP_DATES = ((PHOTOSHOP, "DateCreated"), (_EXIF, "DateTimeOriginal"), (_XMP, "CreateDate"))
_EXIF_DATES = (("Exif", 0x9003, 0x9011), ("IFD0", 0x0132, 0x9010))
_BYLINE, _CREATED, _CLOCK, _COPYRIGHT, _CAPTION = 80, 55, 60, 116, 120
_BYLINE_BYTES = 32  # at most, so longer names are cut off
_LONGEST, _ALL = 2000, 20_000  # characters of a text, and of all its languages
ASCII, SHORT, RATIONAL = 2, 3, 5
_CAMERA = {0x010F: "IFD0", 0x0110: "IFD0", 0xA434: "Exif", 0x829A: "Exif", 0x829D: "Exif"}
_CAMERA |= {0x8827: "Exif", 0x920A: "Exif"}
Texts = dict[str, str]
"""By language, the default one first."""


@dataclass
class Credits:
    """What may be kept.

    Attributes:
        copyright: the photographer's, by language.
        editor: the editor's, the second half of EXIF's.
        creator: names.
        caption: by language.
        date: as in `dates`.
        camera: (directory, tag) → (TIFF type, value bytes in big-endian order).
        notes: what could not be kept.

    """

    copyright: Texts = field(default_factory=dict)
    editor: str = ""
    creator: list[str] = field(default_factory=list)
    caption: Texts = field(default_factory=dict)
    date: str = ""
    camera: dict[tuple[str, int], tuple[int, bytes]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def only(self, fields: tuple[str, ...]) -> "Credits":
        """Return a copy with nothing but some of the fields."""
        kept = Credits(**{name: getattr(self, name) for name in fields})
        if "copyright" in fields:
            kept.editor = self.editor
        titles = tuple(f"the {name} " for name in fields)
        kept.notes = tuple(
            one for one in self.notes if one.startswith(titles) or not one.startswith("the ")
        )
        return kept


@dataclass
class _Source:
    """What one kind of metadata says."""

    copyright: Texts = field(default_factory=dict)
    editor: str = ""
    creator: list[str] = field(default_factory=list)
    caption: Texts = field(default_factory=dict)
    dates: list[str] = field(default_factory=list)


def gather(parts: list[tuple[str, bytes]]) -> Credits:
    """Read credits from the parts of a file, as `Format.strip` yields them; XMP goes first."""
    result, sources = Credits(), []
    for _, part in parts:
        if RDF.encode() in part.replace(b"\0", b""):
            try:
                sources.append(_from_xmp(Packet(part)))
            except ValueError:
                if part[:2] not in (b"II", b"MM"):  # a whole TIFF, whose packet comes by itself
                    result.notes += ("its XMP is damaged and was not read",)
    for _, part in parts:
        block = exif_of(part)
        if block:
            tiff = Tiff(block)
            sources.append(_from_exif(tiff))
            for key, value in _camera(tiff):
                result.camera.setdefault(key, value)
    sources.append(_from_iptc(iptc.records(parts)))
    for name in ("copyright", "caption"):
        empty: Texts = {}
        texts = next((getattr(one, name) for one in sources if getattr(one, name)), empty)
        kept, cut = _bounded(texts)
        setattr(result, name, kept)
        if cut:
            result.notes += (f"the {name} was too long and is cut",)
    result.editor = next((one.editor for one in sources if one.editor), "")[:_LONGEST]
    result.creator = _names(name for one in sources for name in one.creator)
    result.date = dates.fullest([date for one in sources for date in one.dates if date])
    return result


def _bounded(texts: Texts) -> tuple[Texts, bool]:
    """Return texts that fit into a file, and whether something is cut."""
    kept: Texts = {}
    for language, text in texts.items():
        if sum(map(len, kept.values())) < _ALL:
            kept[language] = text[:_LONGEST]
    return kept, kept != texts


def _names(found: Iterable[str]) -> list[str]:
    """Return names once each; one that is another cut off, or with a word more, is the same."""
    names: list[str] = []
    for name in (one[:_LONGEST] for one in found):
        words = set(name.casefold().split())
        cut = len(name.encode()) >= _BYLINE_BYTES - 3
        known = any(
            words <= set(other.casefold().split()) or (cut and other.startswith(name))
            for other in names
        )
        if words and not known:
            names = [one for one in names if not set(one.casefold().split()) < words]
            names.append(name)
    return names[:100]


def _from_xmp(packet: Packet) -> _Source:
    return _Source(
        copyright=packet.languages((DC, "rights")),
        creator=packet.items((DC, "creator")),
        caption=packet.languages((DC, "description")),
        dates=[dates.from_xmp(packet.text(name)) for name in _XMP_DATES],
    )


def _from_exif(tiff: Tiff) -> _Source:
    main = tiff.directory("IFD0")
    owner, _, editor = _raw(tiff, main, 0x8298).partition(b"\0")
    found = _Source(
        copyright=_default(line(decoded(owner))),
        editor=line(decoded(editor.split(b"\0")[0])),
        creator=[line(one) for one in tiff.text(main, 0x013B).split(";")],
        caption=_default(line(tiff.text(main, 0x010E))),
    )
    for name, tag, offset in _EXIF_DATES:
        zone = tiff.text(tiff.directory("Exif"), offset)
        found.dates.append(dates.from_exif(tiff.text(tiff.directory(name), tag), zone))
    return found


def _from_iptc(records: dict[int, list[str]]) -> _Source:
    def first(number: int) -> str:
        return line(next(iter(records.get(number, ())), ""))

    return _Source(
        copyright=_default(first(_COPYRIGHT)),
        creator=[line(one) for one in records.get(_BYLINE, ())],
        caption=_default(first(_CAPTION)),
        dates=[dates.from_iptc(first(_CREATED), first(_CLOCK))],
    )


def _default(text: str) -> Texts:
    return {DEFAULT: text} if text else {}


def _raw(tiff: Tiff, directory: Directory | None, tag: int) -> bytes:
    entry = directory.entries.get(tag) if directory else None
    return tiff.raw(entry) if entry else b""


def _camera(tiff: Tiff) -> Iterable[tuple[tuple[str, int], tuple[int, bytes]]]:
    for tag, name in _CAMERA.items():
        value = _camera_value(tiff, tiff.directory(name), tag)
        if value is not None:
            yield (name, tag), value


def _camera_value(tiff: Tiff, directory: Directory | None, tag: int) -> tuple[int, bytes] | None:
    entry = directory.entries.get(tag) if directory else None
    if entry is None:
        return None
    raw = tiff.raw(entry)
    if entry.kind == ASCII:
        return ASCII, line(tiff.text(directory, tag))[:_LONGEST].encode() + b"\0"
    if entry.kind == SHORT and entry.count == 1:
        return SHORT, struct.pack(">H", struct.unpack(f"{tiff.order}H", raw)[0])
    if entry.kind == RATIONAL and entry.count == 1:
        return RATIONAL, struct.pack(">II", *struct.unpack(f"{tiff.order}II", raw))
    return None
