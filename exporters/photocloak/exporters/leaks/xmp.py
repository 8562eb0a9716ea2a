"""XMP packets in any encoding: judged property by property, every other byte kept."""

import re

from photocloak.exporters.leaks import packet as packets
from photocloak.exporters.leaks.ledger import Ledger


def clean(packet: bytes, ledger: Ledger, where: str = "XMP", *, gone: bool = False) -> bytes:
    """Return a packet without what cannot stay; the very same bytes where all of it can.

    Args:
        packet: as it stands in the file, in UTF-8 or UTF-16.
        ledger: the account of the file.
        where: name of the part.
        gone: the ExtendedXMP it refers to is not written.

    """
    if not packet.strip(b"\0 \t\r\n"):
        return b""
    encoding = _encoding(packet)
    try:
        plain = packet if encoding is None else packet.decode(encoding).encode()
        kept = packets.judge(plain, ledger, where, extended_gone=gone)
    except ValueError as error:
        ledger.drop(where, len(packet), f"it cannot be read ({_reason(error)})")
        return b""
    if kept == plain:
        return packet
    return kept if encoding is None else kept.decode().encode(encoding)


def _encoding(packet: bytes) -> str | None:
    """Return the encoding of a packet, None for UTF-8."""
    if packet[:2] in (b"\xff\xfe", b"\xfe\xff") or packet[:64].count(b"\0") > 16:
        return "utf-16-be" if packet[:1] in (b"\xfe", b"\0") else "utf-16-le"
    return None


def _reason(error: ValueError) -> str:
    return "not its encoding" if isinstance(error, UnicodeError) else str(error)


def prefixes(text: str, namespace: str) -> list[str]:
    """Return the prefixes that a packet binds to a namespace."""
    found = re.findall(rf"""xmlns:([\w.-]+)\s*=\s*["']{re.escape(namespace)}["']""", text)
    return list(dict.fromkeys(found))
