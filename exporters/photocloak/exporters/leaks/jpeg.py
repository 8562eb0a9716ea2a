"""The metadata segments of a JPEG: those of a table stay, byte for byte where nothing has to go."""

import struct
from collections.abc import Iterator
from dataclasses import replace

from photocloak.exporters.containers.segments import COM, Segment, identifier
from photocloak.exporters.leaks import exif, icc, resources, xmp
from photocloak.exporters.leaks.binary import binary_cost
from photocloak.exporters.leaks.ciff import ciff_cost
from photocloak.exporters.leaks.costs import Cost
from photocloak.exporters.leaks.ledger import Ledger
from photocloak.exporters.leaks.readability import cost
from photocloak.exporters.leaks.tables import table
from photocloak.exporters.leaks.texts import admits_bytes, text_cost

EXIF_HEAD = b"Exif\0\0"
XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\0"
EXTENDED_HEAD = b"http://ns.adobe.com/xmp/extension/\0"
IRB_HEAD = b"Photoshop 3.0\0"
ICC_HEAD = b"ICC_PROFILE\0"
_LONGEST = 65_533  # bytes of a segment's payload
_JFIF = 14
_ODD_LINE, _FEW = 8, 64


def clean(segments: tuple[Segment, ...], ledger: Ledger) -> tuple[Segment, ...]:
    """Return the application segments and comments that may be written, in their order."""
    kinds: dict[str, list[Segment]] = {}
    for one in segments:
        if one.is_metadata:
            kinds.setdefault(_kind(one), []).append(one)
    kept: list[Segment] = []
    gone = False
    for kind in sorted(
        kinds, key=lambda kind: kind != "extended"
    ):  # whether it goes is known first
        parts = kinds[kind]
        fresh = _JUDGES[kind](parts, ledger, gone)
        gone = gone or (kind == "extended" and not fresh)
        kept += fresh
    return tuple(sorted(kept, key=lambda one: one.at))


def exif_block(segments: tuple[Segment, ...]) -> bytes:
    """Return the first EXIF block from its byte order mark, empty where there is none."""
    found = (one.payload[6:] for one in segments if _starts(one, 0xE1, EXIF_HEAD))
    return next(found, b"")


def xmp_packet(segments: tuple[Segment, ...]) -> bytes:
    """Return the first XMP packet, empty where there is none."""
    found = (one.payload for one in segments if _starts(one, 0xE1, XMP_HEAD))
    return next(found, b"").removeprefix(XMP_HEAD)


def icc_profile(segments: tuple[Segment, ...]) -> bytes | None:
    """Return the colour profile, joined from its segments (ICC.1:2010, B.4)."""
    parts = sorted(
        (one.payload[12], one.payload[14:])
        for one in segments
        if _starts(one, 0xE2, ICC_HEAD) and len(one.payload) > 14
    )
    return b"".join(part for _, part in parts) or None


def extended_xmp(segments: list[Segment]) -> list[bytes]:
    """Return the packets that ExtendedXMP segments are parts of, joined by digest and offset."""
    packets: dict[bytes, list[tuple[int, bytes]]] = {}
    for one in segments:
        body = one.payload[len(EXTENDED_HEAD) :]
        if _starts(one, 0xE1, EXTENDED_HEAD) and len(body) >= 40:
            offset = struct.unpack_from(">I", body, 36)[0]
            packets.setdefault(body[:32], []).append((offset, body[40:]))
    return [b"".join(part for _, part in sorted(parts)) for parts in packets.values()]


def _starts(segment: Segment, marker: int, head: bytes) -> bool:
    return segment.marker == marker and segment.payload.startswith(head)


def _marker(segment: Segment) -> str:
    return "COM" if segment.marker == COM else f"APP{segment.marker - 0xE0}"


def _form(segment: Segment) -> dict[str, str] | None:
    """Return what the table says of a segment."""
    forms = table("jpeg")["segments"].values()
    fits = (
        form
        for form in forms
        if form["marker"] == _marker(segment)
        and segment.payload.startswith(form["head"].encode("latin-1"))
    )
    return next(fits, None)


def _kind(segment: Segment) -> str:
    form = _form(segment)
    return form["kind"] if form and form["kind"] in _JUDGES else "single"


def _drop(segment: Segment, ledger: Ledger, why: str = "unknown") -> None:
    name = "".join(c for c in identifier(segment).decode("latin-1") if c.isprintable()).strip()
    what = f"{_marker(segment)} {name[:32]}".strip() if segment.marker != COM else "comment"
    called = table("jpeg")["called"]
    title = next((called[key] for key in called if what.startswith(key)), None)
    if title is not None:
        what, why = f"{_marker(segment)} {title}", "a picture or about one"
    elif not (name.isascii() and ledger.admits(cost(name))):
        what = (
            _marker(segment) if segment.marker != COM else what
        )  # a name that cannot be read is not repeated
    ledger.drop(what, len(segment.payload), why)


def _single(parts: list[Segment], ledger: Ledger, _gone: bool) -> list[Segment]:
    """Judge segments that are whole by themselves."""
    kept, seen = [], set[str]()
    for one in parts:
        form = _form(one)
        if form is None or (form["head"] in seen and "many" not in form):
            _drop(one, ledger)
            continue
        seen.add(form["head"])
        fresh = _fitting(one, form, ledger)
        if fresh is None:
            _drop(one, ledger, "neither short nor readable")
        else:
            kept.append(fresh)
    return kept


def _fitting(one: Segment, form: dict[str, str], ledger: Ledger) -> Segment | None:
    """Return a segment as it may stay, None where it goes."""
    kind, raw = form["kind"], one.payload
    head, body = raw[: len(form["head"])], raw[len(form["head"]) :]
    fresh = None
    if kind == "jfif":
        fresh = raw[:12] + b"\0\0" if len(raw) > _JFIF else raw  # a thumbnail follows its size
    elif kind == "exact":
        fresh = raw[: int(form["bytes"])]
    elif kind in ("tiff", "lines"):
        kept = exif.clean(body, ledger, _marker(one)) if kind == "tiff" else _lines(body, ledger)
        fresh = head + kept if kept else None
    elif _may_stay(form, body, ledger):
        fresh = raw
    if fresh is None:
        return None
    return one if fresh == raw else replace(one, payload=fresh)


def _may_stay(form: dict[str, str], body: bytes, ledger: Ledger) -> bool:
    if form["kind"] == "text":
        return admits_bytes(body, ledger, form["marker"])
    if form["kind"] == "ciff":
        wanted = ciff_cost(form["head"].encode("latin-1") + body)
    elif form["kind"] == "wide":
        wanted = cost(body.decode("utf-16-be", "replace").replace("\0", "\f"))
    else:
        # the fields of these segments are mostly zeros; what is not may be anything
        fits = len(body) <= min(int(form["bytes"]), max(_FEW, 2 * body.count(0)))
        wanted = binary_cost(body) if fits else Cost(opaque=len(body))
    return ledger.admits(wanted)


def _lines(body: bytes, ledger: Ledger) -> bytes:
    """Return the lines that can be read, up to the first that is none."""
    kept, gone = [], 0
    for line in body.splitlines(keepends=True):
        plain = line.rstrip(b"\0\r\n ")
        if b"\0" in plain.lstrip(b"\0 "):
            break
        if text_cost(plain).opaque > _ODD_LINE:
            gone += len(line)
        else:
            kept.append(line)
    left = b"".join(kept)
    if gone or len(left) < len(body):
        ledger.drop("APP12, some of it", len(body) - len(left), "neither short nor readable")
    return left if ledger.admits(text_cost(left)) else b""


def _exif(parts: list[Segment], ledger: Ledger, _gone: bool) -> list[Segment]:
    """Judge EXIF, which may go over several segments; a second block is not read by anybody."""
    bodies = [one.payload[len(EXIF_HEAD) :] for one in parts]
    first = [parts[0]]
    for one, body in zip(parts[1:], bodies[1:], strict=True):
        if body[:4] in (b"II*\0", b"MM\0*"):
            _drop(one, ledger, "a second block")
        else:
            first.append(one)
    joined = b"".join(one.payload[len(EXIF_HEAD) :] for one in first)
    return list(_spread(exif.clean(joined, ledger), first, EXIF_HEAD))


def _xmp(parts: list[Segment], ledger: Ledger, gone: bool) -> list[Segment]:
    """Judge the packets; a segment that does not begin as one goes on with the last."""
    packets: list[list[Segment]] = []
    for one in parts:
        body = one.payload[len(XMP_HEAD) :].lstrip(b"\xef\xbb\xbf\xfe\xff\0 \t\r\n")
        if packets and not body.startswith((b"<?xpacket", b"<x:", b"<rdf:RDF", b"<?xml")):
            packets[-1].append(one)
        else:
            packets.append([one])
    kept: list[Segment] = []
    for some in packets:
        joined = b"".join(one.payload[len(XMP_HEAD) :] for one in some)
        kept += _spread(xmp.clean(joined, ledger, gone=gone), some, XMP_HEAD)
    return kept


def _extended(parts: list[Segment], ledger: Ledger, _gone: bool) -> list[Segment]:
    """Drop an ExtendedXMP as a whole where something in it has to go: its digest binds it."""
    size = sum(len(one.payload) for one in parts)
    if all(_is_whole(one) for one in parts):
        packets = extended_xmp(parts)
        if (
            len(packets) == 1
            and _adds_up(parts, len(packets[0]))
            and xmp.clean(packets[0], ledger, "ExtendedXMP") == packets[0]
        ):
            return parts
    ledger.drop("ExtendedXMP", size, "not all of it can stay")
    return []


def _adds_up(parts: list[Segment], length: int) -> bool:
    """Tell whether the parts of an ExtendedXMP lie one behind the other, and know its length."""
    heads = [struct.unpack_from(">II", one.payload, len(EXTENDED_HEAD) + 32) for one in parts]
    sizes = [len(one.payload) - len(EXTENDED_HEAD) - 40 for one in parts]
    places = sorted((at, at + size) for (_, at), size in zip(heads, sizes, strict=True))
    ends = [0, *(end for _, end in places[:-1])]
    return {full for full, _ in heads} == {length} and [at for at, _ in places] == ends


def _is_whole(one: Segment) -> bool:
    body = one.payload[len(EXTENDED_HEAD) :]
    return len(body) >= 40 and all(byte in b"0123456789ABCDEFabcdef" for byte in body[:32])


def _profile(parts: list[Segment], ledger: Ledger, _gone: bool) -> list[Segment]:
    """Judge a colour profile in its pieces."""
    ordered = sorted((one for one in parts if len(one.payload) > 14), key=lambda o: o.payload[12])
    fresh = icc.clean(b"".join(one.payload[14:] for one in ordered), ledger)
    kept, position = [], 0
    for i, one in enumerate(ordered if fresh else ()):
        size = len(one.payload) - 14
        number = bytes([(i + 1) & 0xFF, len(ordered) & 0xFF])
        payload = ICC_HEAD + number + fresh[position : position + size]
        kept.append(replace(one, payload=payload))
        position += size
    return kept


def _resources(parts: list[Segment], ledger: Ledger, _gone: bool) -> list[Segment]:
    """Judge Photoshop's resources, which may cross segment borders."""
    joined = b"".join(one.payload[len(IRB_HEAD) :] for one in parts)
    return list(_spread(resources.clean(joined, ledger), parts, IRB_HEAD))


def _spread(fresh: bytes, parts: list[Segment], head: bytes) -> Iterator[Segment]:
    """Yield segments with these bytes, as long as they were; the last ones may become shorter."""
    position = 0
    for one in parts:
        size = len(one.payload) - len(head)
        piece = fresh[position : position + size]
        position += size
        if piece or (not size and fresh):
            payload = head + piece
            yield one if payload == one.payload else replace(one, payload=payload)


_JUDGES = {
    "single": _single,
    "exif": _exif,
    "xmp": _xmp,
    "extended": _extended,
    "profile": _profile,
    "resources": _resources,
}
