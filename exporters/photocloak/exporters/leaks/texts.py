"""Texts as bytes, in character sets that nobody declares."""

from photocloak.exporters.leaks.ledger import Ledger
from photocloak.exporters.leaks.readability import Cost, cost


def admits_bytes(raw: bytes, ledger: Ledger) -> bool:
    """Tell whether a text in an undeclared character set may stay, and count it."""
    plain = raw.replace(b"\0", b" ").strip().decode("utf-8", "replace")
    return ledger.admits_text(plain, text_cost(raw))


def text_cost(raw: bytes) -> Cost:
    """Return what of a text in an undeclared character set cannot be vouched for."""
    plain = raw.replace(b"\0", b" ").strip()
    try:
        return cost(plain.decode("utf-8"))
    except UnicodeDecodeError:
        accents = sum(byte > 127 for byte in plain)
        unusual = max(0, accents - len(plain) // 4)  # more of them has no language
        return cost(plain.decode("latin-1")) + Cost(opaque=unusual)
