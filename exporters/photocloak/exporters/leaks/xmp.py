"""XMP packets: properties that hold or announce pictures taken out, every other byte kept.

The packet is edited as text, since a parser that writes it anew would change prefixes, order
and padding. Patterns are linear in the packet's length.
"""

import re

# namespace → local names whose values are pictures or promise one; None: all of the namespace
PICTURES: dict[str, tuple[str, ...] | None] = {
    "http://ns.google.com/photos/1.0/image/": None,
    "http://ns.google.com/photos/1.0/depthmap/": None,
    "http://ns.google.com/photos/1.0/container/": None,
    "http://ns.google.com/photos/1.0/container/item/": None,
    "http://ns.google.com/photos/dd/1.0/device/": None,
    "http://ns.google.com/photos/1.0/camera/": (
        "MotionPhoto",
        "MotionPhotoVersion",
        "MotionPhotoPresentationTimestampUs",
        "MicroVideo",
        "MicroVideoVersion",
        "MicroVideoOffset",
        "MicroVideoPresentationTimestampUs",
        "hdrp_makernote",
        "shot_log_data",
    ),
    "http://ns.adobe.com/hdr-gain-map/1.0/": None,
    "http://ns.apple.com/HDRGainMap/1.0/": None,
    "http://ns.apple.com/depthData/1.0/": None,
    "http://ns.apple.com/pixeldatainfo/1.0/": None,
    "http://ns.adobe.com/xap/1.0/": ("Thumbnails",),
}
EXTENDED: dict[str, tuple[str, ...] | None] = {"http://ns.adobe.com/xmp/note/": ("HasExtendedXMP",)}

# JPEG, PNG, RIFF and GIF in base64; in XMP line feeds come as entities too
_BASE64 = re.compile(r"(?:/9j/|iVBORw0KGgo|UklGR|R0lGOD)(?:[A-Za-z0-9+/=\s]|&#x[aAdD];){160,}")


def clean(packet: bytes, *, extended_gone: bool = False) -> bytes:
    """Return a packet without pictures; the very same bytes where it holds none.

    Args:
        packet: as it stands in the file, in UTF-8 or UTF-16.
        extended_gone: the ExtendedXMP it refers to is not written.

    """
    encoding = "utf-8"
    if packet[:2] in (b"\xff\xfe", b"\xfe\xff") or packet[:64].count(b"\0") > 16:
        encoding = "utf-16-be" if packet[:1] in (b"\xfe", b"\0") else "utf-16-le"
    text = packet.decode(encoding, "surrogateescape" if encoding == "utf-8" else "replace")
    kept = remove(text, PICTURES)
    if extended_gone:
        kept = remove(kept, EXTENDED)
    kept = _BASE64.sub("", kept)
    if kept == text:
        return packet
    return kept.encode(encoding, "surrogateescape" if encoding == "utf-8" else "replace")


def prefixes(text: str, namespace: str) -> list[str]:
    """Return the prefixes that a packet binds to a namespace."""
    found = re.findall(rf"""xmlns:([\w.-]+)\s*=\s*["']{re.escape(namespace)}["']""", text)
    return list(dict.fromkeys(found))


def remove(text: str, properties: dict[str, tuple[str, ...] | None]) -> str:
    """Return a packet without some properties, be they attributes or elements."""
    for namespace, names in properties.items():
        for prefix in prefixes(text, namespace):
            local = "|".join(names) if names else r"[\w.-]+"
            name = rf"{re.escape(prefix)}:(?:{local})"
            text = _without_elements(text, name)
            text = re.sub(rf"""\s+{name}\s*=\s*(?:"[^"]*"|'[^']*')""", "", text)
    return text


def _without_elements(text: str, name: str) -> str:
    """Cut every element of a name out, its content included."""
    opening = re.compile(rf"<({name})(?=[\s/>])[^<>]*>")
    parts, position = [], 0
    while match := opening.search(text, position):
        end = match.end()
        if not match[0].endswith("/>"):
            closing = re.compile(rf"</{re.escape(match[1])}\s*>").search(text, end)
            end = closing.end() if closing else len(text)
        parts.append(text[position : match.start()])
        position = end
    return "".join(parts) + text[position:] if parts else text
