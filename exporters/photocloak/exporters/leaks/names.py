"""Who, where and with what: names, places, serial numbers and histories in metadata.

XMP is searched by namespace, since prefixes are free; EXIF and IPTC by their numbers.
"""

import re
import struct
from collections.abc import Iterator

from photocloak.exporters.containers.ifd import Tiff
from photocloak.exporters.leaks import makernote_tags, xmp
from photocloak.exporters.model import Finding

_MWG = "http://www.metadataworkinggroup.com/schemas/regions/"
_IPTC_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_IPTC_CORE = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
_XMP_MM = "http://ns.adobe.com/xap/1.0/mm/"
_AUX = "http://ns.adobe.com/exif/1.0/aux/"
_EXIF_EX = "http://cipa.jp/exif/1.0/"
_PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"

# kind → namespace → local names; None: all of the namespace
PROPERTIES: dict[str, dict[str, tuple[str, ...] | None]] = {
    "person": {
        _MWG: ("Regions", "RegionInfo"),
        "http://ns.microsoft.com/photo/1.2/": ("RegionInfo",),
        "http://ns.microsoft.com/photo/1.0/": ("LastKeywordXMP", "LastKeywordIPTC"),
        _IPTC_EXT: ("PersonInImage", "PersonInImageWDetails"),
        "http://www.digikam.org/ns/1.0/": ("TagsList",),
        "http://ns.adobe.com/lightroom/1.0/": ("hierarchicalSubject",),
        "http://ns.acdsee.com/iptc/1.0/": ("categories", "regions", "people"),
        "http://ns.acdsee.com/regions/": None,
        "http://ns.google.com/photos/1.0/faces/": None,
        "http://ns.apple.com/faceinfo/1.0/": None,
        "http://ns.iview-multimedia.com/mediapro/1.0/": ("People", "CatalogSets"),
    },
    "place": {
        "http://ns.adobe.com/exif/1.0/": (
            "GPSLatitude",
            "GPSLongitude",
            "GPSDestLatitude",
            "GPSDestLongitude",
            "GPSAreaInformation",
        ),
        _PHOTOSHOP: ("City", "State", "Country"),
        _IPTC_CORE: ("Location", "CountryCode"),
        _IPTC_EXT: ("LocationCreated", "LocationShown"),
    },
    "serial": {
        _AUX: ("SerialNumber", "LensSerialNumber", "ImageNumber"),
        _EXIF_EX: ("BodySerialNumber", "LensSerialNumber"),
    },
    "owner": {_AUX: ("OwnerName",), _EXIF_EX: ("CameraOwnerName",)},
    "history": {
        _XMP_MM: (
            "History",
            "DerivedFrom",
            "OriginalDocumentID",
            "DocumentID",
            "InstanceID",
            "Ingredients",
        ),
        "http://darktable.sf.net/": None,
        "http://ns.adobe.com/camera-raw-settings/1.0/": ("RawFileName",),
    },
}
_PEOPLE_TAGS = re.compile(r"(?:People|Personen|Personnes|Personas)[/|\\]([^<\"/|\\]+)", re.I)
_TAGGED = re.compile(
    r">([^<>]*[^<>\s][^<>]*)<|=\s*(?:\"([^\"]*[^\"\s][^\"]*)\"|'([^']*[^'\s][^']*)')"
)
_SYNTAX = {"Resource", "True", "Face", "pixel", "normalized"}
_NUMBERS = re.compile(r"[\d.,\s-]+")
_PEOPLE_LISTS = (
    "TagsList",
    "hierarchicalSubject",
    "LastKeywordXMP",
    "LastKeywordIPTC",
    "categories",
)

_EXIF_SERIALS = {
    0xA431: ("serial", "BodySerialNumber"),
    0xA435: ("serial", "LensSerialNumber"),
    0xC62F: ("serial", "CameraSerialNumber"),
    0xA420: ("serial", "ImageUniqueID"),
    0xA430: ("owner", "CameraOwnerName"),
}
_IPTC_PLACES = {26: "content location", 27: "content location", 90: "city", 92: "sublocation"}
_IPTC_PLACES |= {95: "state", 100: "country code", 101: "country"}


def in_xmp(packet: bytes, where: str) -> Iterator[Finding]:
    """Yield what an XMP packet tells."""
    text = packet.decode("utf-8", "replace")
    for kind, properties in PROPERTIES.items():
        for namespace, names in properties.items():
            for prefix in xmp.prefixes(text, namespace):
                yield from _in_namespace(text, prefix, names, kind, where)


def _in_namespace(
    text: str, prefix: str, names: tuple[str, ...] | None, kind: str, where: str
) -> Iterator[Finding]:
    local = "|".join(names) if names else r"[\w.-]+"
    name = re.compile(rf"[<\s]({re.escape(prefix)}:({local}))(?=[\s=/>])")
    seen = set()
    for match in name.finditer(text):
        if match[1] in seen:
            continue
        seen.add(match[1])
        value = _value(text, match.start(), match[1])
        if match[2] in _PEOPLE_LISTS:
            people = _PEOPLE_TAGS.findall(value)
            if people:
                yield Finding(kind, where, f"{match[1]}: {', '.join(dict.fromkeys(people))}")
            continue
        found = ["".join(groups).strip() for groups in _TAGGED.findall(value)]
        told = [one for one in found if one not in _SYNTAX and not one.startswith("http")]
        # Rectangles and sizes are noise beside a name, but a bare number is a place or a serial.
        words = [one for one in told if not _NUMBERS.fullmatch(one)] or told
        if words or "rdf:li" in value or "rdf:Description" in value:
            yield Finding(kind, where, f"{match[1]}: {', '.join(dict.fromkeys(words))}"[:200])


def _value(text: str, start: int, name: str) -> str:
    """Return a property with its value, as element or attribute."""
    if text[start] == "<":
        tag_end = text.find(">", start)
        if text[tag_end - 1 : tag_end] == "/":
            return text[start : tag_end + 1]
        end = text.find(f"</{name}", tag_end)
        return text[start : end + 1] if end >= 0 else text[start:]
    found = re.compile(r"[^=]*=\s*(?:\"[^\"]*\"|'[^']*')").match(text, start)
    return found[0] if found else ""


def in_exif(block: bytes, where: str) -> Iterator[Finding]:
    """Yield what an EXIF block (from its byte order mark) tells."""
    try:
        tiff = Tiff(block)
    except ValueError:
        return
    for directory in tiff.directories:
        for tag, (kind, name) in _EXIF_SERIALS.items():
            text = tiff.text(directory, tag)
            if text.strip("0 "):
                yield Finding(kind, where, f"{name}: {text}"[:200])
        if directory.name == "GPS" and {2, 4} & set(directory.entries):
            position = b"".join(
                tiff.raw(directory.entries[tag]) for tag in (2, 4) if tag in directory.entries
            )
            if any(position):
                yield Finding("place", where, "GPS position")
    for kind, text in makernote_tags.told(block, tiff):
        yield Finding(kind, where, f"MakerNote {text}"[:200])


def in_resources(block: bytes, where: str) -> Iterator[Finding]:
    """Yield what IPTC records anywhere in a block tell: datasets 2:25 to 2:101 (IIM 4)."""
    position = 0
    while (position := block.find(b"\x1c\x02", position)) >= 0:
        if position + 5 > len(block):
            return
        number, size = struct.unpack_from(">BH", block, position + 2)
        text = block[position + 5 : position + 5 + size].decode("utf-8", "replace").strip("\0 ")
        if number in _IPTC_PLACES and text and size < 256 and text.isprintable():
            yield Finding("place", where, f"IPTC {_IPTC_PLACES[number]}: {text}")
        position += 2
