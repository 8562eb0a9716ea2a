"""The places that formats have for a planted picture: every rule of their grammar."""

import struct
import zlib
from collections.abc import Callable
from html import escape
from random import Random

from photocloak.exporters.leaks.tables import table
from tests.exporters.files import profile

RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
SPACES = (
    "http://purl.org/dc/elements/1.1/",
    "http://ns.adobe.com/photoshop/1.0/",
    "http://ns.adobe.com/camera-raw-settings/1.0/",
    "http://darktable.sf.net/",
    "http://www.digikam.org/ns/1.0/",
    "http://ns.adobe.com/exif/1.0/",
    "http://ns.adobe.com/xap/1.0/mm/",
    "http://vendor.example/1.0/",
)
NAMES: tuple[str, ...] = (
    "Data",
    "params",
    "ToneCurvePV2012",
    "Dabs",
    "ImageHistory",
    "description",
    "UserComment",
)
NAMES += ("DocumentAncestors", "mask_points", "Keywords", "Original", "iop_order_list", "History")

Binary = Callable[[bytes, Random], bytes]
Textual = Callable[[str, Random], bytes]


def packet(body: str, attributes: str = "", behind: str = "", before: str = "") -> bytes:
    text = (
        f'{before}<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {RDF}><rdf:Description rdf:about="" '
        f"{attributes}>{body}</rdf:Description></rdf:RDF></x:xmpmeta>{behind}"
    )
    return text.encode("utf-8", "replace")


_BARE = {code: " " for code in range(32) if chr(code) not in "\t\r\n"}


def _clean(text: str) -> str:
    return escape(text.translate(_BARE))


def xmp(text: str, rng: Random) -> bytes:
    """Return a packet with a text somewhere."""
    space, name, plain = rng.choice(SPACES), rng.choice(NAMES), _clean(text)
    bound = f'xmlns:v="{space}"'
    sizes = [len(text) // some for some in (1, 2, 5, 40, 200)] + [24, 48, 80, 150, 300]
    cut = max(1, rng.choice(sizes))
    pieces = [_clean(text[i : i + cut]) for i in range(0, len(text), cut)]
    items = "".join(f"<rdf:li>{one}</rdf:li>" for one in pieces)
    structs = "".join(f'<rdf:li v:{name}="{one}"/>' for one in pieces)
    many = "".join(f"<v:{name}{i}>{one}</v:{name}{i}>" for i, one in enumerate(pieces))
    ways: list[Callable[[], bytes]] = [
        lambda: packet(f"<v:{name}>{plain}</v:{name}>", bound),
        lambda: packet("", f'{bound} v:{name}="{plain}"'),
        lambda: packet(f"<v:{name}><rdf:Seq>{items}</rdf:Seq></v:{name}>", bound),
        lambda: packet(f"<v:{name}><rdf:Bag>{structs}</rdf:Bag></v:{name}>", bound),
        lambda: packet(many, bound),
        lambda: packet(f"<!--{plain.replace('--', '- ').rstrip('-')}-->"),
        lambda: packet(f"<?vendor {plain.replace('?>', '')}?>"),
        lambda: packet(f"<v:{name}><![CDATA[{text.replace(']]>', '')}]]></v:{name}>", bound),
        lambda: packet("", behind=f" {plain}"),
        lambda: packet("", behind=f"<?xpacket end='{plain}'?>"),
        lambda: packet("", f'xmlns:v="{plain}" v:a="1"'),
        lambda: packet(plain),
        lambda: packet("", before=f"<!DOCTYPE x [<!ENTITY e '{plain}'>]>"),
        lambda: packet("", f'{bound} rdf:ID="{plain}"'),
        lambda: packet(f'<v:{name} xml:lang="{plain}">a</v:{name}>', bound),
    ]
    return rng.choice(ways)()


def directory(tags: list[tuple[int, int, bytes]], at: int, following: int = 0) -> bytes:
    """Return a little-endian IFD at an offset, its values behind it."""
    widths = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1}
    head, values = struct.pack("<H", len(tags)), b""
    behind = at + 2 + 12 * len(tags) + 4
    for tag, kind, bare in tags:
        value = bare + b"\0" * (-len(bare) % widths[kind])
        head += struct.pack("<HHI", tag, kind, len(value) // widths[kind])
        if len(value) > 4:
            head += struct.pack("<I", behind + len(values))
            values += value
        else:
            head += value.ljust(4, b"\0")
    return head + struct.pack("<I", following) + values


def exif_of(
    main: list[tuple[int, int, bytes]], inner: list[tuple[int, int, bytes]], gap: bytes = b""
) -> bytes:
    """Return an EXIF block with tags in IFD0 and in its EXIF directory, which lies behind a gap."""
    tags = [(0x010F, 2, b"Canon\0"), *main, (0x8769, 4, bytes(4))]
    at = 8 + len(directory(tags, 8)) + len(gap)
    tags[-1] = (0x8769, 4, struct.pack("<I", at))
    return b"II*\0\x08\0\0\0" + directory(tags, 8) + gap + directory(inner, at)


DATE = (0x9003, 2, b"2021:05:04 10:11:12\0")


def exif(data: bytes, rng: Random) -> bytes:
    """Return an EXIF block with bytes somewhere."""
    known = [int(number, 16) for number in table("exif")["tags"]["Exif"]]
    canon = [int(number, 16) for number in table("makernotes")["tags"]["Canon"]]
    kind = rng.choice([1, 2, 3, 4, 5, 7])
    step = rng.choice([4, 16, 60, 64, 200])
    pieces = [data[i : i + step] for i in range(0, len(data), step)]
    many = [(0x5000 + i, rng.choice([1, 2, 7]), one) for i, one in enumerate(pieces[:4000])]
    spread = [
        (tag, 7, one) for tag, one in zip(sorted(known), pieces, strict=False) if tag != 0x927C
    ]

    def note(*tags: tuple[int, bytes]) -> bytes:
        """Lay a Canon MakerNote at the end, where its offsets are right."""
        start = exif_of([], [DATE, (0x927C, 7, bytes(100))]).rfind(bytes(100))
        rows = [(tag, kind, value) for tag, value in tags]
        return exif_of([], [DATE, (0x927C, 7, directory(rows, start))])

    def in_settings() -> bytes:
        """Cut it over the tags of a MakerNote that have names."""
        size = rng.choice([60, 120, 250, 500])
        return note(
            *zip(canon, [data[i : i + size] for i in range(0, len(data), size)], strict=False)
        )

    ways: list[Callable[[], bytes]] = [
        lambda: exif_of([(rng.randrange(0x9000, 0xFFFF), kind, data)], [DATE]),
        lambda: exif_of([], [DATE, (rng.choice(known), kind, data)]),
        lambda: exif_of([(0x010E, kind, data)], [DATE]),
        lambda: exif_of(many, [DATE]),
        lambda: exif_of([], spread),
        lambda: exif_of([], [DATE], gap=data),
        lambda: exif_of([], [DATE]) + data,
        lambda: exif_of([], [DATE, (0x927C, 7, data)]),
        lambda: note((rng.randrange(0x5000), data)),
        lambda: note((rng.choice(canon), data)),
        in_settings,
        lambda: exif_of([], [DATE, (0x9286, 7, b"ASCII\0\0\0" + data)]),
        lambda: exif_of([], [DATE, (0x9286, 7, b"UNICODE\0" + data)]),
        lambda: exif_of([(0x9C9C, 1, data)], [DATE]),
        lambda: exif_of([(0xEA1C, 7, data)], [DATE]),
        lambda: exif_of([(0xC4A5, 7, b"PrintIM\x000300" + data)], [DATE]),
    ]
    return rng.choice(ways)()


def heap(data: bytes, rng: Random) -> bytes:
    """Return what follows the beginning of a CIFF segment, with bytes in its values."""
    size = rng.choice([8, 24, 64, 96, 400, max(1, len(data))])
    kinds = [0x0001, 0x0805, 0x1026, 0x1810]
    data = data[:25_000]  # with the rows of pieces of eight, what a segment holds
    pieces = [data[i : i + size] for i in range(0, len(data), size)]
    rows = b"".join(
        struct.pack("<HII", rng.choice(kinds) + i % 7, len(one), i * size)
        if len(one) > 8 or rng.random() < 0.5
        else struct.pack("<H", 0x5001 + i % 7) + one.ljust(8, b"\0")
        for i, one in enumerate(pieces)
    )
    body = b"".join(pieces)
    directory_ = struct.pack("<H", len(pieces)) + rows + struct.pack("<I", len(body))
    return b"JPGM" + struct.pack("<III", 0x10001, 0, 0)[: 26 - 14] + body + directory_


def resource(number: int, data: bytes) -> bytes:
    return b"8BIM" + struct.pack(">HHI", number, 0, len(data)) + data + b"\0" * (len(data) % 2)


def datasets(data: bytes, rng: Random) -> bytes:
    record, number = rng.choice([1, 2, 2, 2, 3, 8]), rng.choice([25, 120, 202, 125, 5, 90, 240, 77])
    step = rng.choice([30, 60, 2000, 30_000])
    pieces = [data[i : i + step] for i in range(0, len(data), step)]
    return b"".join(struct.pack(">BBBH", 0x1C, record, number, len(one)) + one for one in pieces)


def resources(data: bytes, rng: Random) -> bytes:
    """Return Photoshop resources with bytes somewhere."""
    known = [int(number, 16) for number in table("photoshop")["resources"] if number != "paths"]
    ways: list[Callable[[], bytes]] = [
        lambda: resource(rng.randrange(0x0400, 0x2800), data),
        lambda: resource(rng.choice(known), data),
        lambda: resource(rng.randrange(0x07D0, 0x0BB6), data),
        lambda: resource(0x0404, datasets(data, rng)),
        lambda: resource(0x0404, datasets(b"a caption", rng) + data),
        lambda: resource(0x040C, struct.pack(">7I", 0, 9, 9, 27, 243, 243, 0x180001) + data),
        lambda: resource(0x0406, b"\0\1") + data,
        lambda: resource(0x0422, exif(data, rng)),
    ]
    return rng.choice(ways)()


def icc(data: bytes, rng: Random) -> bytes:
    """Return a colour profile with bytes somewhere."""
    plain = profile("Display P3")
    count = struct.unpack_from(">I", plain, 128)[0]
    tags = [struct.unpack_from(">4sII", plain, 132 + 12 * i) for i in range(count)]
    bodies = [(name, plain[start : start + size]) for name, start, size in tags]
    form = rng.choice([b"priv", b"text", b"desc", b"data", b"curv", b"ui08", b"mft2", b"dict"])
    place = rng.randrange(3)
    gap = data if place == 1 else b""
    if place == 0:
        bodies.append((rng.choice([b"priv", b"A2B0", b"dmdd"]), form + bytes(4) + data))
    table_, body = struct.pack(">I", len(bodies)), gap
    start = 128 + 4 + 12 * len(bodies)
    for name, bare in bodies:
        value = bare + b"\0" * (-len(bare) % 4)
        table_ += struct.pack(">4sII", name, start + len(body), len(value))
        body += value
    size = struct.pack(">I", start + len(body))
    return size + plain[4:128] + table_ + body + (data if place == 2 else b"")


def packed_text(keyword: bytes, text: bytes, tail: bytes = b"") -> bytes:
    return keyword + b"\0\0" + zlib.compress(text) + tail
