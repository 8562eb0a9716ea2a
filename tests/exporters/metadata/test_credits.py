"""Credits come out as they were meant: every name, every language, every character."""

import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from photocloak import exporters
from photocloak.exporters.containers.texts import decoded
from photocloak.exporters.metadata import dates
from photocloak.exporters.metadata.credits import Credits, gather
from photocloak.exporters.metadata.credits_writing import exif_block, xmp_packet
from tests.exporters.files import coded

Image = NDArray[np.uint8]
WEB = exporters.load_policy("web")


def iim(*rows: tuple[int, int, bytes]) -> tuple[str, bytes]:
    """Return IPTC records as a JPEG has them."""
    body = b"".join(struct.pack(">BBBH", 0x1C, *row[:2], len(row[2])) + row[2] for row in rows)
    resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(body)) + body
    return "APP13 Photoshop 3.0", b"Photoshop 3.0\0" + resource


def xmp(body: str, attributes: str = "") -> tuple[str, bytes]:
    return "XMP", (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        'xmlns:d="http://purl.org/dc/elements/1.1/" '
        f'xmlns:p="http://ns.adobe.com/photoshop/1.0/" {attributes}>{body}</rdf:Description>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()


def exif(**texts: bytes) -> tuple[str, bytes]:
    """Return EXIF of texts by the numbers of their tags: `t315` is the artist."""
    tags = {int(name[1:]): (2, value) for name, value in texts.items()}
    main = {tag: value for tag, value in tags.items() if tag < 36864}
    inner = {tag: value for tag, value in tags.items() if tag >= 36864}
    from photocloak.exporters.metadata.credits_writing import _directory, _size

    if inner:
        main[0x8769] = (4, bytes(4))
        main[0x8769] = (4, struct.pack(">I", 8 + _size(main)))
    block = b"MM\0*\0\0\0\x08" + _directory(main, 8)
    return "APP1 Exif", b"Exif\0\0" + block + (_directory(inner, len(block)) if inner else b"")


UTF8, LATIN1, LATIN2 = (1, 90, b"\x1b%G"), (1, 90, b"\x1b.A"), (1, 90, b"\x1b-B")


@pytest.mark.parametrize(
    ("rows", "name"),
    [
        ([(2, 80, "Jörg Müller".encode("latin-1"))], "Jörg Müller"),
        ([(2, 80, "Jörg Müller".encode())], "Jörg Müller"),
        ([LATIN1, (2, 80, "Jörg Müller".encode("latin-1"))], "Jörg Müller"),
        ([LATIN2, (2, 80, "Łukasz Żak".encode("iso8859-2"))], "Łukasz Żak"),
        ([UTF8, (2, 80, "Łukasz Żak".encode())], "Łukasz Żak"),
        ([UTF8, (2, 80, "O’Brian Strauß".encode("cp1252"))], "O’Brian Strauß"),
        ([(2, 80, "Strauß".encode("latin-1"))], "Strauß"),
        ([(2, 80, "Żaneta Łuczyńska-Wiśniewska".encode()[:-20])], "Żaneta Łu"),
    ],
)
def test_iptc_is_read_by_its_character_set(rows: list[tuple[int, int, bytes]], name: str) -> None:
    assert gather([iim(*rows)]).creator == [name]


@given(st.text(st.characters(exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp", "Cn", "Co", "Cf"))))
def test_no_text_becomes_replacement_characters(text: str) -> None:
    assert decoded(text.encode()) == text
    assert "\ufffd" not in decoded(text.encode("cp1252", "ignore")) or "\ufffd" in text
    assert "\ufffd" not in decoded(text.encode("utf-16-le"), "iso8859-2") or "\ufffd" in text


def test_every_by_line_is_kept_once() -> None:
    two = iim(UTF8, (2, 80, b"Ada One"), (2, 80, b"Ben Two"))
    assert gather([two]).creator == ["Ada One", "Ben Two"]
    assert gather([two, exif(t315=b"Ada One\0")]).creator == ["Ada One", "Ben Two"]
    assert gather([two, exif(t315=b"Cy Three; Ada One\0")]).creator == [
        "Cy Three",
        "Ada One",
        "Ben Two",
    ]
    long = b"Maximiliane von und zu Guttenberg-Hohenfels"
    assert gather([exif(t315=long + b"\0"), iim((2, 80, long[:32]))]).creator == [long.decode()]


def test_resources_over_several_segments_are_one() -> None:
    name, block = iim(UTF8, (2, 80, b"Ada One"), (2, 116, b"(c) Ada One"))
    parts = [(name, block[:40]), (name, b"Photoshop 3.0\0" + block[40:])]
    assert gather(parts).copyright == {"x-default": "(c) Ada One"}


def test_photographer_and_editor_keep_their_copyright() -> None:
    both = gather([exif(t33432=b"Ada One\0Editor House\0")])
    assert (both.copyright, both.editor) == ({"x-default": "Ada One"}, "Editor House")
    assert b"Ada One\0Editor House\0" in exif_block(both)
    assert b"Ada One; Editor House" in xmp_packet(both)
    editor = gather([exif(t33432=b" \0Editor House\0")])
    assert b" \0Editor House\0" in exif_block(editor)
    assert b">Editor House<" in xmp_packet(editor)
    assert both.only(("creator",)).editor == ""


def test_all_languages_are_kept_the_default_first() -> None:
    items = '<rdf:li xml:lang="de">Das Schloss</rdf:li><rdf:li xml:lang="x-default">Castle</rdf:li>'
    found = gather([xmp(f"<d:description><rdf:Alt>{items}</rdf:Alt></d:description>")])
    assert list(found.caption.items()) == [("x-default", "Castle"), ("de", "Das Schloss")]
    again = gather([("XMP", xmp_packet(found))])
    assert again.caption == found.caption
    assert b"Castle\0" in exif_block(found)


@pytest.mark.parametrize(
    ("parts", "date"),
    [
        ([iim((2, 55, b"20190704"))], "2019-07-04"),
        ([iim((2, 55, b"20190704"), (2, 60, b"101112+0200"))], "2019-07-04T10:11:12+02:00"),
        ([iim((2, 55, b"20190000"))], "2019"),
        ([iim((2, 55, b"00000000"))], ""),
        ([xmp("", 'p:DateCreated="2019-07-04"')], "2019-07-04"),
        ([xmp("<p:DateCreated>2019-07</p:DateCreated>")], "2019-07"),
        ([xmp("", 'p:DateCreated="2019-07-04T10:11Z"')], "2019-07-04T10:11:00Z"),
        ([exif(t36867=b"2019:07:04 10:11:12\0")], "2019-07-04T10:11:12"),
        (
            [exif(t36867=b"2019:07:04 10:11:12\0", t36881=b"-05:00\0")],
            "2019-07-04T10:11:12-05:00",
        ),
        ([exif(t36867=b"2019:07:04   :  :  \0")], "2019-07-04"),
        ([exif(t36867=b"    :  :     :  :  \0")], ""),
        (
            [xmp("", 'p:DateCreated="2019-07-04"'), exif(t36867=b"2019:07:04 10:11:12\0")],
            "2019-07-04T10:11:12",
        ),
    ],
)
def test_a_date_is_kept_as_far_as_it_is_known(parts: list[tuple[str, bytes]], date: str) -> None:
    found = gather(parts)
    assert found.date == date
    block = exif_block(Credits(date=date))
    assert (b"2019:07:04 10:11" in block) == ("T" in date)
    assert (dates.to_exif(date)[1] != "") == (date.endswith(("Z", "+02:00", "-05:00")))
    assert not date or f">{date}<".encode() in xmp_packet(found)


def test_what_is_lost_is_said() -> None:
    long = gather([exif(t270=b"a" * 5000 + b"\0")])
    assert len(long.caption["x-default"]) == 2000
    assert long.notes == ("the caption was too long and is cut",)
    assert long.only(("creator",)).notes == ()
    broken = gather([("XMP", xmp("<d:rights>x")[1])])
    assert broken.notes == ("its XMP is damaged and was not read",)
    bomb = xmp("&a;")[1].replace(b"<x:", b'<!DOCTYPE x [<!ENTITY a "b">]><x:', 1)
    assert gather([("XMP", bomb)]).notes == ("its XMP is damaged and was not read",)


def test_published_credits_are_whole(face: Image) -> None:
    name, block = iim(
        (2, 80, "Jörg Müller".encode("latin-1")), (2, 120, "Schloß".encode("latin-1"))
    )
    segment = b"\xff\xed" + struct.pack(">H", len(block) + 2) + block
    data = coded(face)
    photo = exporters.read_bytes(data[:2] + segment + data[2:], name)
    web = exporters.encode(photo, photo.pixels, photo.pixels, WEB).data
    assert web.count("Jörg Müller".encode()) == 2
    assert web.count("Schloß".encode()) == 2
    assert "\ufffd".encode() not in web
    assert io.BytesIO(web).read(3) == b"\xff\xd8\xff"
