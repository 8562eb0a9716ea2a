"""One rule for which way up: what viewers show stays, and what is said of it agrees."""

import io
import struct
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageOps

from photocloak import exporters
from photocloak.exporters.containers import chunks, isobmff
from photocloak.exporters.containers.ifd import exif_of, exif_orientation, exif_start
from photocloak.exporters.metadata.orientation import set_upright, stated, turned
from tests.exporters.files import coded

Image = NDArray[np.uint8]
KEEP, WEB = exporters.load_policy("keep"), exporters.load_policy("web")
TURNS = range(1, 9)


def block(orientation: int) -> bytes:
    caption = b"kept byte for byte\0"
    rows = struct.pack("<HHII", 0x010E, 2, len(caption), 38)
    rows += struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", 2) + rows + bytes(4) + caption


def packet(orientation: int, *, element: bool = False) -> bytes:
    said = f"<tiff:Orientation>{orientation}</tiff:Orientation>" if element else ""
    attribute = "" if element else f' tiff:Orientation="{orientation}"'
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
        f'rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/"{attribute}>{said}'
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


@pytest.fixture(scope="module")
def small(face: Image) -> Image:
    """(48, 64, 3): so that a quarter turn shows."""
    return np.asarray(Pillow.fromarray(face).resize((64, 48)))


def shown(data: bytes) -> Image:
    """Return what a viewer shows that turns as the format says."""
    import pillow_heif

    if data[4:8] == b"ftyp" and b"avif" not in data[:32]:
        return np.asarray(pillow_heif.open_heif(io.BytesIO(data)).to_pillow().convert("RGB"))
    picture = Pillow.open(io.BytesIO(data))
    return np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))


def kept(data: bytes) -> bytes:
    photo = exporters.read_bytes(data, "a")
    assert np.abs(shown(data).astype(int) - photo.pixels).mean() < 1, "read as viewers show it"
    changed = photo.pixels.copy()
    changed[10:20, 10:20] ^= 8
    after = exporters.encode(photo, photo.pixels, changed, KEEP).data
    assert shown(after).shape == photo.pixels.shape
    assert np.abs(shown(after).astype(int) - changed).mean() < 4
    return after


def turns(data: bytes) -> list[tuple[bytes, bytes]]:
    heif = isobmff.read(data)
    return [one for one in heif.items[heif.primary].properties if one[0] in (b"irot", b"imir")]


def heic(image: Image, **options: Any) -> bytes:
    import pillow_heif

    file = io.BytesIO()
    pillow_heif.from_pillow(Pillow.fromarray(image)).save(file, quality=95, **options)
    return file.getvalue()


@pytest.mark.parametrize("turn", TURNS)
def test_a_heic_keeps_its_turn_and_what_is_said_of_it(turn: int, small: Image) -> None:
    data = heic(small, exif=b"Exif\0\0" + block(turn), xmp=packet(turn))
    after = kept(data)
    assert turns(after) == turns(data)
    assert block(turn) in after
    assert packet(turn) in after


@pytest.mark.parametrize(("own", "said"), [(1, 6), (6, 1), (8, 6)])
def test_a_heic_is_not_turned_by_exif(own: int, said: int, small: Image) -> None:
    data = heic(small, exif=b"Exif\0\0" + block(own)).replace(block(own), block(said))
    after = kept(data)
    assert turns(after) == turns(data)
    assert block(said) in after


def test_a_heic_is_not_turned_by_xmp(small: Image) -> None:
    data = heic(small, xmp=packet(1)).replace(packet(1), packet(6))
    assert turns(kept(data)) == []


def test_without_exif_a_turned_heic_becomes_upright_and_says_so(small: Image) -> None:
    after = kept(heic(small, xmp=packet(6)))
    assert turns(after) == []
    assert packet(1) in after


@pytest.mark.parametrize("turn", TURNS)
def test_an_avif_becomes_upright_and_all_signs_say_so(turn: int, small: Image) -> None:
    data = coded(small, "AVIF", quality=95, subsampling="4:4:4", exif=block(turn), xmp=packet(turn))
    after = kept(data)
    assert turns(after) == []
    assert packet(1) in after
    said = Pillow.open(io.BytesIO(after)).getexif().get(0x0112, 1)
    assert said == 1


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_web_shows_what_viewers_showed(form: str, turn: int, small: Image) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = turn
    data = coded(small, form, exif=exif)
    photo = exporters.read_bytes(data, "a")
    assert np.abs(shown(data).astype(int) - photo.pixels).mean() < 1
    after = exporters.encode(photo, photo.pixels, photo.pixels, WEB).data
    assert shown(after).shape == shown(data).shape
    assert exif_orientation(after[after.find(b"MM\0*") :]) is None


def test_xmp_counts_where_exif_says_nothing() -> None:
    for element in (False, True):
        assert stated(b"", packet(6, element=element)) == 6
        assert stated(block(1), packet(6, element=element)) == 1
        assert stated(b"", packet(9, element=element)) == 1
        assert set_upright(block(3), packet(3, element=element)) == (
            block(1),
            packet(1, element=element),
        )


def test_properties_are_applied_in_their_order() -> None:
    quarter, mirror = (b"irot", b"\1"), (b"imir", b"\1")
    assert turned([]) == 1
    assert turned([quarter]) == 8
    assert {turned([quarter, mirror]), turned([mirror, quarter])} == {5, 7}


FORMS = {
    "plain": block(6),
    "with its name": b"Exif\0\0" + block(6),
    "with a JPEG's head": b"\xff\xe1\0\x40Exif\0\0" + block(6),
}


@pytest.mark.parametrize("form", FORMS)
def test_exif_is_read_in_every_form(form: str, small: Image) -> None:
    body = FORMS[form]
    assert exif_of(body) == block(6)
    for offset in (b"", bytes(4), struct.pack(">I", len(body) - len(block(6)))):
        assert exif_of(offset + body, offset=True) == block(6)
    parts, _ = chunks.split(coded(small, "PNG"))
    photo = exporters.read_bytes(
        chunks.join([parts[0], chunks.Chunk(b"eXIf", body), *parts[1:]]), "a"
    )
    assert photo.pixels.shape == (64, 48, 3)
    assert exif_start(b"no exif at all") == -1
