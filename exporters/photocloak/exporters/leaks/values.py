"""Values of TIFF tags, judged by their kind."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from photocloak.exporters.leaks import icc, resources, xmp
from photocloak.exporters.leaks.binary import binary_cost, curve_cost, known_cost
from photocloak.exporters.leaks.costs import Cost
from photocloak.exporters.leaks.ledger import Ledger
from photocloak.exporters.leaks.readability import cost
from photocloak.exporters.leaks.texts import admits_bytes, text_cost

_ASCII, _RATIONAL = 2, (5, 10)
_FEW, _SOME, _ALONE = 12, 48, 800
_CHARSETS = (b"ASCII\0\0\0", b"UNICODE\0", b"JIS\0\0\0\0\0", bytes(8))


@dataclass(frozen=True)
class Value:
    """A value and what a table says of it.

    Attributes:
        raw: its bytes, the pictures of ours in it blanked.
        order: of its bytes.
        kind: as in manifests/kept/exif.toml, numbers in a MakerNote; None: by its type.
        type: TIFF type.
        longest: bytes of it, where it is numbers.
        series: what it goes by with the other values of its directory.

    """

    raw: bytes
    order: str
    kind: str | None
    type: int
    longest: int
    series: str


def judge(value: Value, ledger: Ledger, where: str) -> bytes | Literal[True] | None:
    """Return whether a value may stay: True, what of it may, or None.

    A text may be as long as it likes, numbers as the table says.
    """
    if value.kind == "pointers":
        return True
    rewriting = _REWRITING.get(value.kind or "")
    if rewriting is None and value.type == _ASCII and value.kind in (None, "numbers"):
        series = value.series and f"{value.series}, texts"
        return True if admits_bytes(value.raw, ledger, series) else None
    if rewriting is None:
        return True if ledger.admits(_cost(value), series=value.series) else None
    after = rewriting(value.raw, ledger, where)
    return True if after == value.raw else after


def _cost(value: Value) -> Cost:
    raw = value.raw
    if value.kind == "comment":
        head = 8 if raw[:8] in _CHARSETS else 0
        return _comment_cost(raw[:head], raw[head:])
    if value.kind == "wide":
        return _wide_cost(raw)
    if value.type == _ASCII:
        return text_cost(raw)
    plain = raw.rstrip(b"\0")
    if len(plain) > value.longest:
        return Cost(opaque=len(raw))
    if value.kind == "curve":
        return curve_cost(raw)
    if value.kind == "numbers":
        # what is long enough was looked at by itself, the rest is together
        wanted = replace(known_cost(raw), raw=raw if len(raw) < _ALONE else b"")
    else:
        wanted = binary_cost(raw)
    if value.kind is None and len(plain) > _FEW:
        # of the tags that every photo may have none has more, but for a few rational numbers
        few = value.type in _RATIONAL and raw.count(0) * 3 > len(raw)
        wanted += Cost(opaque=0 if few and len(plain) <= _SOME else len(plain))
    return wanted


def _comment_cost(charset: bytes, body: bytes) -> Cost:
    if charset != b"UNICODE\0":
        return text_cost(body)
    return min((_wide_cost(body, form) for form in ("utf-16-le", "utf-16-be")), key=_total)


def _wide_cost(raw: bytes, form: str = "utf-16-le") -> Cost:
    text = raw[: len(raw) // 2 * 2].decode(form, "replace")
    return cost(text.replace("\0", "\f"))


def _total(one: Cost) -> int:
    return one.opaque + one.digits + one.identifiers + one.foreign


def _padding(raw: bytes, *_: object) -> bytes:
    return raw[:_FEW] + bytes(max(0, len(raw) - _FEW))


_REWRITING: dict[str, Callable[[bytes, Ledger, str], bytes]] = {
    "packet": lambda raw, ledger, where: xmp.clean(raw, ledger, where).ljust(len(raw)),
    "resources": lambda raw, ledger, _: resources.clean(raw, ledger),
    "datasets": lambda raw, ledger, _: resources.clean_datasets(raw, ledger),
    "profile": lambda raw, ledger, _: icc.clean(raw, ledger),
    "padding": _padding,
}
