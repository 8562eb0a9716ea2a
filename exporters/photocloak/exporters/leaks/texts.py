"""Texts as bytes, in character sets that nobody declares."""

from photocloak.exporters.leaks.costs import FREE, Cost
from photocloak.exporters.leaks.ledger import Ledger
from photocloak.exporters.leaks.readability import cost

_LENGTHS = 16  # bytes of lengths and numbers that a structure has beside its text


def admits_bytes(raw: bytes, ledger: Ledger, series: str) -> bool:
    """Tell whether a text in an undeclared character set may stay, and count it.

    Args:
        raw: the text.
        ledger: the account of the file.
        series: what it goes by with others of its kind.

    """
    text, unusual = _decoded(raw)
    return ledger.admits_text(text, cost(text) + unusual, series=series)


def text_cost(raw: bytes) -> Cost:
    """Return what of a text in an undeclared character set cannot be vouched for."""
    text, unusual = _decoded(raw)
    return cost(text) + unusual


def _decoded(raw: bytes) -> tuple[str, Cost]:
    """Return a text as UTF-8, or else as Latin-1 and what speaks against that."""
    text = lined(raw)
    try:
        return text.decode("utf-8"), FREE
    except UnicodeDecodeError:
        accents = sum(byte > 127 for byte in text)
        # more of them has no language
        return text.decode("latin-1"), Cost(opaque=max(0, accents - len(text) // 4))


def structured_cost(raw: bytes) -> Cost:
    """Return what of a text with a few lengths and numbers in it cannot be vouched for."""
    text = lined(raw).decode("latin-1")
    shown = "".join(one if one.isprintable() or one in "\t\r\n\f" else " " for one in text)
    hidden = sum(a != b for a, b in zip(shown, text, strict=True))
    return cost(shown) + Cost(opaque=max(0, hidden - _LENGTHS - len(raw) // 16))


def lined(raw: bytes) -> bytes:
    """Return a text with the zeros between its parts as form feeds, and none behind it."""
    return raw.rstrip(b"\0").replace(b"\f", b"\v").replace(b"\0", b"\f")
