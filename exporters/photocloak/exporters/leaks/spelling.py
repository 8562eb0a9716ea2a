"""How an XMP packet is spelled: what a parser hides from whoever reads it may spell bits.

White space in tags and the kinds of line breaks, characters written as references, sections of
CDATA, and what wraps the packet (ISO 16684-1, 7.3.2).
"""

import re
from collections import Counter

from photocloak.exporters.leaks.blanks import break_turns, is_padding
from photocloak.exporters.leaks.costs import Cost

# White space of more characters than lines are indented by.
_SPACE = re.compile(rb"[ \t\r\n\0]{24,}")
_TURNS = 16  # from one kind of line break to another
_RETURN = re.compile(rb"\r(?=[ \t\r])|(?<=[ \t\r\n])\r")
_TAG = re.compile(rb"""<(?:[^<>"']|"[^"]*"|'[^']*')*>""")
_QUOTED = re.compile(rb"""["'][^"']*["']""")
_USUAL, _KINDS = 64, 3  # gaps of other kinds than the commonest: indents of every depth
# a letter or digit as a reference, or any character with zeros before its number
_REFERENCE = re.compile(
    rb"&#(?:0+\d+|4[89]|5[0-7]|6[5-9]|[78]\d|90|9[7-9]|1[01]\d|12[0-2]"
    rb"|[xX](?:0+[\dA-Fa-f]+|3\d|[46][1-9A-Fa-f]|[57][\dAa]));"
)
_REFERENCES, _SECTIONS = 16, 4
_ENCODING = re.compile(r"utf-?(?:8|16|32)(?:[bl]e)?|us-ascii|iso-8859-\d{1,2}|windows-125\d", re.I)
_WRAPPING = {
    b"begin": re.compile(rb"(?:\xef\xbb\xbf|\xc3\xaf\xc2\xbb\xc2\xbf|\?)?"),
    b"id": re.compile(rb"W5M0MpCehiHzreSzNTczkc9d"),
    b"end": re.compile(rb"[rw]"),
    b"bytes": re.compile(rb"\d{1,10}"),
    b"encoding": re.compile(rb"(?i:utf-?(?:8|16|32)(?:[bl]e)?)"),
}
_WRAPPED = re.compile(rb"""\s?(\w+)\s?=\s?(["'])(.*?)\2""", re.DOTALL)


def wraps(said: bytes) -> bool:
    """Tell whether an `xpacket` says what the standard has it say, each thing once."""
    parts = _WRAPPED.findall(said)
    names = [name for name, _, _ in parts]
    known = all(name in _WRAPPING and _WRAPPING[name].fullmatch(value) for name, _, value in parts)
    return known and len(set(names)) == len(names) and not _WRAPPED.sub(b"", said).strip(b" ")


def declares(version: str, encoding: str | None) -> bool:
    """Tell whether an XML declaration says a version and an encoding that there are."""
    return version in ("1.0", "1.1") and (not encoding or bool(_ENCODING.fullmatch(encoding)))


def plain_blanks(packet: bytes) -> bytes:
    """Return a packet without white space that is no padding, its line breaks of one kind.

    XML reads all of them alike.
    """
    result = _SPACE.sub(
        lambda found: found[0] if is_padding(found[0].decode()) else found[0][:1], packet
    )
    if break_turns(result.decode("latin-1")) > _TURNS:
        result = _RETURN.sub(b"\n", result.replace(b"\r\n", b"\n"))
    return result


def spelling_cost(packet: bytes) -> Cost:
    """Return what of a packet's spelling cannot be vouched for.

    Args:
        packet: well-formed, in UTF-8.

    """
    gaps: Counter[bytes] = Counter()
    for tag in _TAG.findall(packet):
        gaps.update(re.findall(rb"\s+", _QUOTED.sub(b'""', tag)))
    odd = gaps.total() - sum(count for _, count in gaps.most_common(_KINDS))
    references = len(_REFERENCE.findall(packet))
    sections = packet.count(b"<![CDATA[")
    return Cost(
        opaque=max(0, references - _REFERENCES) + max(0, sections - _SECTIONS),
        digits=2 * max(0, odd - _USUAL),
    )
