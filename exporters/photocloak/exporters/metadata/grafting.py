"""XMP, IPTC and credits of another file, put into a photo whose export came without them."""

import io
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from photocloak.core import InputError
from photocloak.exporters.exiv2 import opened
from photocloak.exporters.model import Photo

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_XMP = "{http://ns.adobe.com/xap/1.0/}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_ABOUT_PIXELS = {
    *(f"{{http://ns.adobe.com/tiff/1.0/}}{name}" for name in ("Orientation", "ImageWidth")),
    *(f"{{http://ns.adobe.com/tiff/1.0/}}{name}" for name in ("ImageLength", "BitsPerSample")),
    *(f"{{http://ns.adobe.com/exif/1.0/}}Pixel{axis}Dimension" for axis in "XY"),
}
# How the picture was developed, and what it was before: true of the source, not of the export.
_HISTORY = (
    "{http://darktable.sf.net/}",
    "{http://ns.adobe.com/camera-raw-settings/1.0/}",
    "{http://ns.adobe.com/xap/1.0/mm/}",
)
# A photo manager keeps these in the sidecar: one that is missing there was taken away by the user.
_MANAGED = {
    *(f"{_DC}{name}" for name in ("subject", "title", "creator", "description", "rights")),
    f"{_DC}publisher",
    f"{_XMP}Rating",
    "{http://ns.adobe.com/lightroom/1.0/}hierarchicalSubject",
}

# darktable moves these into its database, and from there into the sidecar.
_CREDITS = ("Exif.Image.Artist", "Exif.Image.Copyright", "Exif.Image.ImageDescription")


def graft(photo: Photo, source: Path) -> Photo:
    """Return a photo whose XMP and IPTC are those of `source` and of its sidecar, `source`.xmp.

    What the sidecar says counts; without one, the photo gets EXIF's artist, copyright and
    description, too, if it has none. What describes pixels or their history stays away, since the
    photo's pixels are others.

    Raises:
        InputError: the source or its sidecar cannot be read, or the photo takes no metadata.

    """
    packet, iptc, credits = _embedded(source)
    sidecar = _sidecar(source)
    merged = _merged(packet, sidecar, source)
    if sidecar:
        credits = {}
    if not merged and not iptc and not credits:
        return photo
    try:
        with opened(photo.data) as image:
            if merged:
                image.modify_raw_xmp(merged)
            if iptc:
                image.modify_iptc(iptc)
            if credits:
                image.modify_exif(credits | image.read_exif())
            data = image.get_bytes()
    except RuntimeError as error:
        raise InputError(
            f"{photo.name}: cannot take the metadata of {source} ({error}); export it with its "
            "metadata instead."
        ) from error
    return replace(photo, data=data)


def _embedded(source: Path) -> tuple[str, dict[str, Any], dict[str, str]]:
    """Return XMP packet, IPTC and EXIF credits of a photo of any kind, RAW files too."""
    try:
        data = source.read_bytes()
    except OSError as error:
        raise InputError(f"{source}: cannot be read ({error.strerror}).") from error
    try:
        with opened(data) as image:
            exif = image.read_exif()
            credits = {name: exif[name] for name in _CREDITS if exif.get(name)}
            return image.read_raw_xmp(), _iptc(image), credits
    except RuntimeError:  # a kind of file that holds no metadata which anybody could read
        return "", {}, {}


def _iptc(image: Any) -> dict[str, Any]:
    """Return the IPTC fields; old ones are Latin-1, whatever they claim."""
    try:
        fields: dict[str, Any] = image.read_iptc()
    except UnicodeDecodeError:
        fields = image.read_iptc(encoding="latin-1")
    if fields:
        fields["Iptc.Envelope.CharacterSet"] = "\x1b%G"  # they are written as UTF-8
    return fields


def _sidecar(source: Path) -> str:
    path = source.with_name(f"{source.name}.xmp")
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: this sidecar cannot be read ({error}).") from error


def _merged(packet: str, sidecar: str, source: Path) -> str:
    """Return the packet with the sidecar's properties in place of its own; empty: none left."""
    found = dict(_properties(packet, source))
    if sidecar:
        found = {name: value for name, value in found.items() if name not in _MANAGED}
        found |= _properties(sidecar, source)
    kept = {name: value for name, value in found.items() if not _left_out(name)}
    if not kept:
        return ""
    root = ElementTree.Element("{adobe:ns:meta/}xmpmeta")
    rdf = ElementTree.SubElement(root, f"{_RDF}RDF")
    description = ElementTree.SubElement(rdf, f"{_RDF}Description", {f"{_RDF}about": ""})
    for name, value in kept.items():
        if isinstance(value, str):
            description.set(name, value)
        else:
            description.append(value)
    return ElementTree.tostring(root, encoding="unicode")


def _left_out(name: str) -> bool:
    return name.startswith(_HISTORY) or name in _ABOUT_PIXELS or name.startswith(_RDF)


def _properties(packet: str, source: Path) -> list[tuple[str, str | ElementTree.Element]]:
    """Return the top-level properties of a packet: simple ones may be attributes."""
    if not packet:
        return []
    try:
        events = list(
            ElementTree.iterparse(io.StringIO(packet.strip("\0")), events=("start-ns", "end"))
        )
    except ElementTree.ParseError as error:
        name = os.fspath(source)
        raise InputError(f"{name}: its XMP, or its sidecar's, is damaged ({error}).") from error
    properties: list[tuple[str, str | ElementTree.Element]] = []
    for event, item in events:
        if event == "start-ns":
            prefix, namespace = item
            if prefix and not re.fullmatch(r"ns\d+", prefix):
                ElementTree.register_namespace(prefix, namespace)
        elif item.tag == f"{_RDF}RDF":
            for description in item:
                properties += description.attrib.items()
                properties += ((child.tag, child) for child in description)
    return properties
