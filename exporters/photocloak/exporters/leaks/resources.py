"""Photoshop's image resources and the IPTC datasets in them: those of a table stay."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from photocloak.exporters.leaks import icc, xmp
from photocloak.exporters.leaks.binary import descriptor_cost, known_cost, path_cost
from photocloak.exporters.leaks.costs import Cost
from photocloak.exporters.leaks.ledger import Ledger
from photocloak.exporters.leaks.readability import cost
from photocloak.exporters.leaks.tables import table
from photocloak.exporters.leaks.texts import admits_bytes, structured_cost, text_cost

_PATHS = range(0x07D0, 0x0BB7)
_THUMBNAIL_HEAD = 28
_SHORT = 64


@dataclass(frozen=True)
class Resource:
    """An image resource: number, its bytes up to the value, the value, and the padding."""

    number: int
    head: bytes
    value: bytes
    padding: bytes

    def write(self, value: bytes) -> bytes:
        """Return its bytes with another value."""
        if value == self.value:
            return self.head + value + self.padding
        return self.head[:-4] + struct.pack(">I", len(value)) + value + b"\0" * (len(value) % 2)


def clean(data: bytes, ledger: Ledger) -> bytes:
    """Return image resources without those of no table; previews are made anew."""
    data = ledger.previews.overwrite(data)
    result, position = [], 0
    for one in _split(data):
        position += len(one.head) + len(one.value) + len(one.padding)
        value = _judged(one, ledger)
        if value is not None:
            result.append(one.write(value))
    rest = data[position:]
    if rest.strip(b"\0"):
        ledger.drop("Photoshop resources, behind the last", len(rest), "unknown")
        rest = b""
    return b"".join([*result, rest])


def _split(data: bytes) -> Iterator[Resource]:
    position = 0
    while data[position : position + 4] == b"8BIM" and position + 12 <= len(data):
        number = struct.unpack_from(">H", data, position + 4)[0]
        name = data[position + 6] + 1
        at = position + 6 + name + name % 2 + 4
        if at > len(data):
            return
        size = struct.unpack_from(">I", data, at - 4)[0]
        if at + size > len(data):
            return
        end = min(at + size + size % 2, len(data))
        yield Resource(number, data[position:at], data[at : at + size], data[at + size : end])
        position = end


def _judged(one: Resource, ledger: Ledger) -> bytes | None:
    """Return what of a resource may stay, None where it goes."""
    resources = table("photoshop")["resources"]
    form = resources.get("paths") if one.number in _PATHS else _by_number().get(one.number)
    name = one.head[7 : 7 + one.head[6]]
    what = f"Photoshop resource {one.number:04X}"
    value: bytes | None = None
    if form is None:
        known = len(one.value) <= _SHORT and ledger.admits(Cost(opaque=len(one.value)))
        value = one.value if known else None
    elif ledger.admits(text_cost(name)) and not one.padding.strip(b"\0"):
        value = _value(form, one.value, ledger)
    if value is None:
        ledger.drop(what, len(one.value), "unknown" if form is None else "not what it should be")
    return value


def _by_number() -> dict[int, dict[str, str]]:
    resources = table("photoshop")["resources"]
    return {int(key, 16): form for key, form in resources.items() if key != "paths"}


def _value(form: dict[str, str], raw: bytes, ledger: Ledger) -> bytes | None:
    kind = form["kind"]
    if kind == "datasets":
        return clean_datasets(raw, ledger)
    if kind == "profile":
        return icc.clean(raw, ledger) or None
    if kind == "packet":
        return xmp.clean(raw, ledger, "Photoshop XMP") or None
    if kind == "exif":
        from photocloak.exporters.leaks import exif  # which judges resources in turn

        return exif.clean(raw, ledger, "Photoshop EXIF") or None
    if kind == "preview":
        return _preview(raw, ledger)
    if kind == "texts":
        wanted = structured_cost(raw)
    elif kind == "wide":
        wanted = cost(raw.decode("utf-16-be", "replace").replace("\0", "\f"))
    elif kind == "descriptor":
        wanted = descriptor_cost(raw) if len(raw) <= int(form["bytes"]) else Cost(opaque=len(raw))
    elif kind == "paths":
        wanted = path_cost(raw)
    else:
        longest = int(form["bytes"])
        wanted = Cost() if len(raw) <= 16 else known_cost(raw)
        wanted = wanted if len(raw) <= longest else Cost(opaque=len(raw))
    return raw if ledger.admits(wanted) else None


def _preview(raw: bytes, ledger: Ledger) -> bytes:
    """Return a thumbnail with what is not ours overwritten, its header excepted."""
    body = raw[_THUMBNAIL_HEAD:]
    for one in ledger.previews.written:
        if body.startswith(one) and not body[len(one) :].strip(b"\0"):
            return raw
    return raw[:_THUMBNAIL_HEAD] + bytes(len(body))


def clean_datasets(data: bytes, ledger: Ledger) -> bytes:
    """Return IPTC datasets without those that cannot stay."""
    result, position = [], 0
    while data[position : position + 1] == b"\x1c" and position + 5 <= len(data):
        record, number, size = struct.unpack_from(">BBH", data, position + 1)
        head = 5
        if size & 0x8000:
            wide = size & 0x7FFF
            size = int.from_bytes(data[position + 5 : position + 5 + wide], "big")
            head += wide
        end = position + head + size
        if end > len(data):
            break
        value = data[position + head : end]
        if _may_stay(record, number, value, ledger):
            result.append(data[position:end])
        else:
            ledger.drop(f"IPTC {record}:{number:03d}", size, "neither short nor readable")
        position = end
    rest = data[position:]
    if rest.strip(b"\0"):
        ledger.drop("IPTC, behind the last dataset", len(rest), "unknown")
        rest = b""
    return b"".join([*result, rest])


def _may_stay(record: int, number: int, value: bytes, ledger: Ledger) -> bool:
    names = table("iptc")["record"].get(str(record), {})
    if record == 2 and number in table("iptc")["previews"]:
        return any(value.rstrip(b"\0") == one.rstrip(b"\0") for one in ledger.previews.written)
    if (record, number) == (1, 90):
        return len(value) <= 32 and value.startswith(b"\x1b")
    if str(number) in names:
        return admits_bytes(value, ledger, f"IPTC {record}:{number:03d}")
    return len(value) <= _SHORT and ledger.admits(Cost(opaque=len(value)))
