"""How a packet is spelled says nothing: prefixes, wrappers, references, gaps and line breaks."""

import base64
from random import Random

import pytest

from photocloak.exporters.leaks.spelling import declares, plain_blanks, spelling_cost, wraps
from tests.exporters.leaks import places
from tests.exporters.leaks.planting import ALLOWED
from tests.exporters.leaks.test_series import out

DC = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'
CRS = 'xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"'
LETTERS = base64.b32encode(Random(4).randbytes(3000)).decode()
SEED = 11


def left(code: str, written: bytes, size: int = 16) -> int:
    """Return the characters of a code that are there, in pieces."""
    return sum(code[i : i + size].encode() in written for i in range(0, len(code), size)) * size


def test_a_prefix_that_nothing_declares_is_judged() -> None:
    assert left(LETTERS, out(xmp=places.packet(f"<N{LETTERS}:source/>"))) == 0
    cut = [LETTERS[i : i + 96] for i in range(0, len(LETTERS), 96)]
    many = " ".join(f'N{one}:source=""' for one in cut)
    assert left(LETTERS, out(xmp=places.packet("", many)), 96) * 5 / 8 <= ALLOWED


def test_digits_in_names_are_counted() -> None:
    digits = "".join(Random(2).choices("0123456789", k=1800))
    cut = [digits[i : i + 6] for i in range(0, len(digits), 6)]
    packet = places.packet("", CRS + " " + " ".join(f'crs:Curve{one}="0"' for one in cut))
    written = out(xmp=packet)
    assert sum(f"Curve{one}".encode() in written for one in cut) * 2.5 <= ALLOWED


@pytest.mark.parametrize(
    "markup",
    [
        lambda gap: f"<rdf:li{gap}/>",
        lambda gap: f"<rdf:li></rdf:li{gap}>",
        lambda gap: f"<rdf:li{gap}xml:lang='en'>a</rdf:li>",
        lambda gap: f'<rdf:li xmlns:v="{gap}"/>',
    ],
)
def test_gaps_in_tags_spell_no_bits(markup: object) -> None:
    rng = Random(SEED)
    gaps = ["".join(rng.choices("\t ", k=23)) for _ in range(400)]
    assert callable(markup)
    items = "".join(markup(gap) for gap in gaps)
    packet = places.packet(f"<dc:subject><rdf:Bag>{items}</rdf:Bag></dc:subject>", DC)
    written = out(xmp=packet)
    assert sum(gap.encode() in written for gap in set(gaps)) * 23 / 8 <= ALLOWED


def test_references_and_sections_spell_no_bits() -> None:
    rng = Random(SEED)
    text = "the quick brown fox jumps over the lazy dog " * 40
    spelled = "".join(f"&#{ord(one)};" if rng.random() < 0.5 else one for one in text)
    padded = "".join(f"&#{'0' * rng.randrange(60)}{ord(one)};" for one in text)
    parted = "".join(f"<![CDATA[{one}]]>" if rng.random() < 0.5 else one for one in text.split(" "))
    for code in (spelled, padded, parted):
        packet = places.packet(f"<dc:source>{code}</dc:source>", DC)
        assert left(code, out(xmp=packet), 40) == 0


def test_a_caption_with_references_for_what_is_no_letter_stays() -> None:
    caption = "It&#39;s a line&#xA;and &#228;nother &amp; one &#x4e2d; " * 30
    packet = places.packet(f"<dc:source>{caption}</dc:source>", DC)
    assert spelling_cost(packet).unread == 0


def test_a_name_that_goes_goes_every_time() -> None:
    name = LETTERS[:300]
    twice = f"<dc:{name}>a</dc:{name}><dc:{name}>b</dc:{name}><dc:source>a cat</dc:source>"
    written = out(xmp=places.packet(twice, DC))
    assert name.encode() not in written
    assert b"a cat" in written


def test_a_single_tag_that_goes_leaves_its_parent_whole() -> None:
    last = f"<dc:source>a cat</dc:source><dc:{LETTERS[:300]}/>"
    written = out(xmp=places.packet(f"{last}", DC))
    assert b"a cat</dc:source></rdf:Description>" in written
    only = out(xmp=places.packet(f"<dc:{LETTERS[:300]}/>", DC))
    assert b"</rdf:Description></rdf:RDF>" in only


def test_comments_leave_nothing_behind() -> None:
    """Whatever their line breaks, and however they were indented."""
    comments = "".join(f"\n{' ' * n}<!--one\r\ntwo\r\nthree-->" for n in (8, 4, 12))
    body = f"{comments}\n   <dc:source>a cat</dc:source>"
    written = out(xmp=places.packet(body, DC))
    assert b"a cat" in written
    assert b"three" not in written
    assert b"->" not in written


def test_line_breaks_of_several_kinds_become_one() -> None:
    rng = Random(SEED)
    breaks = rng.choices(["\r\r", "\n", "\r\n"], k=60)
    attributes = "".join(f"{one}dc:a{i}='b'" for i, one in enumerate(breaks))
    written = out(xmp=places.packet("", f"{DC} {attributes}"))
    assert b"dc:a7='b'" in written
    assert b"\r" not in written.partition(b"xmpmeta")[2].partition(b"xmpmeta")[0]


def test_blanks_that_are_plain_stay_byte_for_byte() -> None:
    packet = places.packet("\r\n   <dc:source>a</dc:source>\r\n", DC, behind="\n" + " " * 2000)
    assert plain_blanks(packet) == packet


@pytest.mark.parametrize(
    ("said", "fits"),
    [
        ("begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'", True),
        ('begin="" id="W5M0MpCehiHzreSzNTczkc9d" bytes="1234" encoding="UTF-8"', True),
        ("end='w'", True),
        ("end='r' end='w'", False),
        ("end='secret'", False),
        ("id='W5M0MpCehiHzreSzNTczkc9e'", False),
        ("end='w' secret", False),
        ("secret='w'", False),
    ],
)
def test_what_wraps_a_packet(said: str, fits: bool) -> None:
    assert wraps(said.encode()) == fits


@pytest.mark.parametrize(
    ("version", "encoding", "fits"),
    [
        ("1.0", None, True),
        ("1.0", "UTF-8", True),
        ("1.1", "iso-8859-15", True),
        ("1.7", "utf-8", False),
        ("1.0", "secret", False),
    ],
)
def test_what_declares_xml(version: str, encoding: str | None, fits: bool) -> None:
    assert declares(version, encoding) == fits
