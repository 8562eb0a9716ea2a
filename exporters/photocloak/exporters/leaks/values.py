"""Values of TIFF tags, judged by their kind."""

from dataclasses import dataclass
from typing import Literal

from photocloak.exporters.leaks import icc, resources, xmp
from photocloak.exporters.leaks.binary import binary_cost, curve_cost
from photocloak.exporters.leaks.ledger import Ledger
from photocloak.exporters.leaks.text import Cost, cost
from photocloak.exporters.leaks.texts import text_cost

_ASCII = 2
_CHARSETS = (b"ASCII\0\0\0", b"UNICODE\0", b"JIS\0\0\0\0\0", bytes(8))


@dataclass(frozen=True)
class Value:
    """A value and what a table says of it.

    Attributes:
        raw: its bytes, the pictures of ours in it blanked.
        order: of its bytes.
        kind: as in manifests/kept/exif.toml; None: by its type.
        type: TIFF type.
        longest: bytes of it, where it is numbers.

    """

    raw: bytes
    order: str
    kind: str | None
    type: int
    longest: int


def judge(value: Value, ledger: Ledger, where: str) -> bytes | Literal[True] | None:
    """Return whether a value may stay: True, what of it may, or None.

    A text may be as long as it likes, numbers as the table says.
    """
    kind = value.kind
    if kind == "packet":
        return _changed(value.raw, xmp.clean(value.raw, ledger, where).ljust(len(value.raw)))
    if kind == "resources":
        return _changed(value.raw, resources.clean(value.raw, ledger))
    if kind == "datasets":
        return _changed(value.raw, resources.clean_datasets(value.raw, ledger))
    if kind == "profile":
        return _changed(value.raw, icc.clean(value.raw, ledger))
    if kind == "pointers":
        return True
    return True if ledger.admits(_cost(value)) else None


def _changed(before: bytes, after: bytes) -> bytes | Literal[True]:
    return True if after == before else after


def _cost(value: Value) -> Cost:
    raw = value.raw
    if value.kind == "comment" and raw[:8] in _CHARSETS:
        return _comment_cost(raw[:8], raw[8:])
    if value.kind == "wide":
        return _wide_cost(raw)
    if value.kind is None and value.type == _ASCII:
        return text_cost(raw)
    if value.kind == "curve" and len(raw) <= value.longest:
        return curve_cost(raw)
    wanted = binary_cost(raw)
    plain = raw.strip(b"\0")
    if len(plain) > value.longest and value.kind != "comment" and value.type != _ASCII:
        return Cost(opaque=len(raw))
    return wanted


def _comment_cost(charset: bytes, body: bytes) -> Cost:
    if charset != b"UNICODE\0":
        return text_cost(body)
    return min((_wide_cost(body, form) for form in ("utf-16-le", "utf-16-be")), key=_total)


def _wide_cost(raw: bytes, form: str = "utf-16-le") -> Cost:
    text = raw[: len(raw) // 2 * 2].decode(form, "replace")
    return cost(text.replace("\0", " ").strip())


def _total(one: Cost) -> int:
    return one.opaque + one.digits + one.identifiers + one.foreign
