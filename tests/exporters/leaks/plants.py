"""Files with a clean face planted in every place a file has for one."""

import base64
import struct
import zlib
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from photocloak.exporters.containers import chunks, segments
from photocloak.exporters.containers.ifd import Tiff
from tests.exporters.files import coded

Image = NDArray[np.uint8]
Plant = Callable[[Image], bytes]
RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'


def small(image: Image, size: int = 96) -> bytes:
    return coded(np.asarray(Pillow.fromarray(image).resize((size, size))), quality=80)


def with_segments(image: Image, *extra: tuple[int, bytes], trailer: bytes = b"") -> bytes:
    parts = segments.split(coded(image, quality=90)).segments
    added = [segments.Segment(marker, payload) for marker, payload in extra]
    return segments.join([parts[0], *added, *parts[1:]]) + trailer


def exif(thumbnail: bytes = b"", maker: bytes = b"") -> bytes:
    """Return an EXIF block with a thumbnail in IFD1 or a preview in the MakerNote."""
    entries = [(0x010F, 2, b"Test\0\0")]
    block = b"II*\0\x08\0\0\0"
    body = b""
    start = 8 + 2 + 12 * 2 + 4
    exif_at = start + 6
    rows = struct.pack("<HHI", 0x010F, 2, 6) + struct.pack("<I", start)
    rows += struct.pack("<HHII", 0x8769, 4, 1, exif_at)
    body += entries[0][2]
    body += struct.pack("<H", 1) + struct.pack(
        "<HHII", 0x927C, 7, len(maker), (exif_at + 18) * bool(maker)
    )
    body += struct.pack("<I", 0) + maker
    next_ = start + len(body) if thumbnail else 0
    if thumbnail:
        at = next_ + 2 + 12 * 3 + 4
        body += struct.pack("<H", 3) + struct.pack("<HHII", 0x0103, 3, 1, 6)
        body += struct.pack("<HHII", 0x0201, 4, 1, at)
        body += struct.pack("<HHII", 0x0202, 4, 1, len(thumbnail)) + struct.pack("<I", 0)
        body += thumbnail
    return block + struct.pack("<H", 2) + rows + struct.pack("<I", next_) + body


def packet(attributes: str = "", body: str = "") -> bytes:
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {RDF}><rdf:Description rdf:about="" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/" dc:format="image/jpeg" {attributes}>'
        f"{body}</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


XMP = b"http://ns.adobe.com/xap/1.0/\0"


def exif_thumbnail(image: Image) -> bytes:
    return with_segments(image, (0xE1, b"Exif\0\0" + exif(small(image))))


def makernote(image: Image) -> bytes:
    return with_segments(image, (0xE1, b"Exif\0\0" + exif(maker=b"Maker\0" + small(image))))


def minolta(image: Image) -> bytes:
    preview = b"\0" + small(image)[1:]
    return with_segments(image, (0xE1, b"Exif\0\0" + exif(maker=b"MLT0" + preview)))


def truncated_preview(image: Image) -> bytes:
    return with_segments(image, (0xE1, b"Exif\0\0" + exif(maker=b"Maker\0" + small(image)[:-9])))


def multi_picture(image: Image) -> bytes:
    second = coded(image, quality=90)
    return with_segments(image, (0xE2, b"MPF\0II*\0" + bytes(40)), trailer=second)


def gain_map(image: Image) -> bytes:
    about = packet('xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"')
    gray = np.asarray(Pillow.fromarray(image).convert("L").resize((128, 128)))
    second = coded(gray, quality=90)
    return with_segments(
        image, (0xE1, XMP + about), (0xE2, b"MPF\0II*\0" + bytes(40)), trailer=second
    )


def motion_photo(image: Image) -> bytes:
    about = packet(
        'xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" GCamera:MotionPhoto="1"'
    )
    film = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0\0\x30\0mdat" + coded(image)
    return with_segments(image, (0xE1, XMP + about), trailer=film)


def original_in_extended_xmp(image: Image) -> bytes:
    digest = b"0123456789ABCDEF0123456789ABCDEF"
    text = base64.b64encode(small(image)).decode()
    inner = packet(
        'xmlns:GImage="http://ns.google.com/photos/1.0/image/" '
        f'GImage:Mime="image/jpeg" GImage:Data="{text}"'
    )
    main = packet(
        f'xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="{digest.decode()}"'
    )
    cut = len(inner) // 2
    parts = []
    for at, piece in ((0, inner[:cut]), (cut, inner[cut:])):
        head = b"http://ns.adobe.com/xmp/extension/\0" + digest
        parts.append((0xE1, head + struct.pack(">II", len(inner), at) + piece))
    return with_segments(image, (0xE1, XMP + main), *parts)


def photoshop_thumbnail(image: Image) -> bytes:
    picture = small(image)
    body = struct.pack(">IIIIIIHH", 1, 96, 96, 288, 27648, len(picture), 24, 1) + picture
    resource = b"8BIM\x04\x0c\0\0" + struct.pack(">I", len(body)) + body + b"\0" * (len(body) % 2)
    return with_segments(image, (0xED, b"Photoshop 3.0\0" + resource))


def xmp_thumbnail(image: Image) -> bytes:
    text = base64.b64encode(small(image)).decode()
    lines = "&#xA;".join(text[i : i + 76] for i in range(0, len(text), 76))
    body = (
        '<xmp:Thumbnails xmlns:xmp="http://ns.adobe.com/xap/1.0/"><rdf:Alt><rdf:li '
        'rdf:parseType="Resource" xmlns:xmpGImg="http://ns.adobe.com/xap/1.0/g/img/">'
        f"<xmpGImg:image>{lines}</xmpGImg:image></rdf:li></rdf:Alt></xmp:Thumbnails>"
    )
    return with_segments(image, (0xE1, XMP + packet(body=body)))


def jfxx(image: Image) -> bytes:
    return with_segments(image, (0xE0, b"JFXX\0\x10" + small(image)))


def unknown_segment(image: Image) -> bytes:
    return with_segments(image, (0xE9, b"VENDOR\0" + small(image)), (0xE9, b"VENDOR\0more"))


def comment(image: Image) -> bytes:
    return with_segments(image, (0xFE, base64.b64encode(small(image))))


def with_chunk(image: Image, name: bytes, body: bytes) -> bytes:
    parts, _ = chunks.split(coded(image, "PNG"))
    return chunks.join([parts[0], chunks.Chunk(name, body), *parts[1:]])


def png_raw_profile(image: Image) -> bytes:
    block = b"Exif\0\0" + exif(small(image))
    digits = block.hex()
    lines = "\n".join(digits[i : i + 72] for i in range(0, len(digits), 72))
    text = f"\nexif\n{len(block):8d}\n{lines}\n".encode()
    return with_chunk(image, b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(text))


def png_text(image: Image) -> bytes:
    return with_chunk(image, b"tEXt", b"Comment\0" + base64.b64encode(small(image)))


def png_exif(image: Image) -> bytes:
    return with_chunk(image, b"eXIf", exif(small(image)))


def png_trailer(image: Image) -> bytes:
    return coded(image, "PNG") + small(image)


def webp_exif(image: Image) -> bytes:
    return coded(image, "WEBP", exif=exif(small(image)), quality=90)


def tiff_subifd(image: Image) -> bytes:
    """Build a TIFF by hand: IFD0 with a SubIFD that holds the picture as well."""
    height, width = image.shape[:2]
    size = height * width * 3
    first, second = 8 + 2 * size, 8 + 2 * size + 200

    def directory(at: int, picture: int, extra: list[tuple[int, int]]) -> bytes:
        bits = at + 2 + 12 * (9 + len(extra)) + 4
        rows = [(0x100, width), (0x101, height), (0x102, bits), (0x103, 1), (0x106, 2)]
        rows += [(0x111, picture), *extra, (0x115, 3), (0x116, height), (0x117, size)]
        out = struct.pack("<H", len(rows))
        for tag, value in sorted(rows):
            count, kind = (3, 3) if tag == 0x102 else (1, 4)
            out += struct.pack("<HHII", tag, kind, count, value)
        return out + bytes(4) + struct.pack("<3H", 8, 8, 8)

    main = directory(first, 8, [(0x14A, second)])
    sub = directory(second, 8 + size, [])
    data = b"II*\0" + struct.pack("<I", first) + image.tobytes() * 2
    return data + main.ljust(second - first, b"\0") + sub


def tiff_reduced(image: Image) -> bytes:
    """Build a TIFF whose second page calls itself a smaller copy (NewSubfileType 1)."""
    second = Pillow.fromarray(image)
    data = coded(image, "TIFF", save_all=True, append_images=[second], tiffinfo={0xFE: 1})
    at = Tiff(data).directories[0].entries[0xFE].start
    return data[:at] + bytes(4) + data[at + 4 :]


def heic_thumbnail(image: Image) -> bytes:
    return coded(image, "HEIF", quality=80, thumbnails=[128])


def heic_auxiliary(image: Image) -> bytes:
    """Turn the alpha channel of a HEIC into a depth map that shows the face."""
    gray = np.asarray(Pillow.fromarray(image).convert("L"))
    data = coded(np.dstack([image, gray]), "HEIF", quality=80)
    alpha, depth = b"urn:mpeg:hevc:2015:auxid:1", b"urn:mpeg:hevc:2015:auxid:2"
    assert data.count(alpha) == 1
    return data.replace(alpha, depth)


PLANTS: dict[str, list[Plant]] = {
    "JPEG": [
        exif_thumbnail,
        makernote,
        minolta,
        truncated_preview,
        multi_picture,
        gain_map,
        motion_photo,
        original_in_extended_xmp,
        photoshop_thumbnail,
        xmp_thumbnail,
        jfxx,
        unknown_segment,
        comment,
    ],
    "PNG": [png_raw_profile, png_text, png_exif, png_trailer],
    "WebP": [webp_exif],
    "TIFF": [tiff_subifd, tiff_reduced],
    "HEIC": [heic_thumbnail, heic_auxiliary],
}
