"""What a camera writes into its MakerNote is named, be it a serial number or somebody's name."""

import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from photocloak import exporters
from photocloak.exporters.containers.segments import Segment, join, split
from tests.exporters import exiftool
from tests.exporters.files import coded

Image = NDArray[np.uint8]
ASCII, LONG, UNDEFINED, IFD = 2, 4, 7, 13
WIDTHS = {ASCII: 1, LONG: 4, UNDEFINED: 1, IFD: 4}
NOTE_AT = 100  # where the MakerNote begins in the blocks of this file

Tags = dict[int, tuple[int, bytes]]


def directory(tags: Tags, at: int) -> bytes:
    """Return a little-endian IFD that lies at `at`, its values behind it."""
    head, values = struct.pack("<H", len(tags)), b""
    behind = at + 2 + 12 * len(tags) + 4
    for tag, (kind, value) in sorted(tags.items()):
        head += struct.pack("<HHI", tag, kind, len(value) // WIDTHS[kind])
        if len(value) > 4:
            head += struct.pack("<I", behind + len(values))
            values += value
        else:
            head += value.ljust(4, b"\0")
    return head + bytes(4) + values


def photo(face: Image, make: str, note: bytes) -> bytes:
    """Return a JPEG of a camera of that make with that MakerNote."""
    exif_at = 60
    main = directory({0x010F: (ASCII, make.encode() + b"\0"), 0x8769: (LONG, b"<\0\0\0")}, 8)
    exif = struct.pack("<HHHIII", 1, 0x927C, UNDEFINED, len(note), NOTE_AT, 0)
    block = (b"II*\0\x08\0\0\0" + main).ljust(exif_at, b"\0") + exif
    block = block.ljust(NOTE_AT, b"\0") + note
    first, *rest = split(coded(face, quality=90)).segments
    return join([first, Segment(0xE1, b"Exif\0\0" + block), *rest])


def canon() -> bytes:
    tags = {
        0x0009: (ASCII, b"Erika Muster\0"),
        0x000C: (LONG, struct.pack("<I", 560018150)),
        0x0096: (ASCII, b"G002669\0"),
    }
    return directory(tags, NOTE_AT)


def nikon() -> bytes:
    return b"Nikon\0\2\x10\0\0II*\0\x08\0\0\0" + directory({0x001D: (ASCII, b"3001006\0")}, 8)


def panasonic() -> bytes:
    tags = {
        0x0025: (UNDEFINED, b"F540712050088\0\0\0"),
        0x0066: (ASCII, b"Lieschen Muster\0"),
    }
    return b"Panasonic\0\0\0" + directory(tags, NOTE_AT + 12)


def olympus() -> bytes:
    head = b"OLYMPUS\0II\3\0"
    main_at, equipment_at = len(head), len(head) + 18
    main = directory({0x2010: (IFD, struct.pack("<I", equipment_at))}, main_at)
    serials = {0x0101: (ASCII, b"BHLB61153\0"), 0x0202: (ASCII, b"AC3C74257\0")}
    return head + main + directory(serials, equipment_at)


# make → MakerNote and what it tells: kind, libexiv2's name of the tag, value
CAMERAS: dict[str, tuple[bytes, list[tuple[str, str, str]]]] = {
    "Canon": (
        canon(),
        [
            ("owner", "Canon OwnerName", "Erika Muster"),
            ("serial", "Canon SerialNumber", "560018150"),
            ("serial", "Canon InternalSerialNumber", "G002669"),
        ],
    ),
    "NIKON CORPORATION": (nikon(), [("serial", "Nikon3 SerialNumber", "3001006")]),
    "Panasonic": (
        panasonic(),
        [
            ("serial", "Panasonic InternalSerialNumber", "F540712050088"),
            ("person", "Panasonic BabyName", "Lieschen Muster"),
        ],
    ),
    "OLYMPUS IMAGING CORP.": (
        olympus(),
        [
            ("serial", "OlympusEq SerialNumber", "BHLB61153"),
            ("serial", "OlympusEq LensSerialNumber", "AC3C74257"),
        ],
    ),
}
# Found by ExifTool in the lab's samples, but in no tag that libexiv2 knows, nor in EXIF or XMP.
UNKNOWN = {"Nintendo:InternalSerialNumber", "PictureInfo:SerialNumber"}
UNKNOWN |= {"FLIR:CameraSerialNumber", "FLIR:LensSerialNumber"}


@pytest.mark.parametrize("make", CAMERAS)
def test_the_scan_names_what_a_maker_note_tells(make: str, face: Image) -> None:
    note, told = CAMERAS[make]
    data = photo(face, make, note)
    expected = {(kind, f"MakerNote {name}: {value}") for kind, name, value in told}
    assert {(one.kind, one.detail) for one in exporters.scan(data)} == expected
    read = exporters.read_bytes(data, "a.jpg")
    kept = exporters.encode(read, read.pixels, read.pixels, exporters.load_policy("keep"))
    assert {(one.kind, one.detail) for one in exporters.scan(kept.data)} == expected
    published = exporters.encode(read, read.pixels, read.pixels, exporters.load_policy("web"))
    assert exporters.scan(published.data) == []


@pytest.mark.parametrize("make", CAMERAS)
def test_exiftool_reads_the_same(make: str, face: Image, tmp_path: Path) -> None:
    exiftool.require()
    note, told = CAMERAS[make]
    path = tmp_path / "a.jpg"
    path.write_bytes(photo(face, make, note))
    seen = {
        str(value)
        for tag, value in exiftool.tags([path])["a.jpg"].items()
        if tag.partition(":")[2] in ("SerialNumber", "InternalSerialNumber", "LensSerialNumber")
        or tag.endswith(("OwnerName", "BabyName"))
    }
    assert seen == {value for _, _, value in told}


def test_a_name_may_be_in_latin_1_and_zeros_tell_nothing(face: Image) -> None:
    tags = {0x0009: (ASCII, b"J\xf6rg\0"), 0x0096: (ASCII, b"0000000\0")}
    (found,) = exporters.scan(photo(face, "Canon", directory(tags, NOTE_AT)))
    assert (found.kind, found.detail) == ("owner", "MakerNote Canon OwnerName: Jörg")


def test_a_tag_that_is_there_twice_tells_both(face: Image) -> None:
    tags = {0x0009: (ASCII, b"Erika\0"), 0x000A: (ASCII, b"Lieschen\0")}
    note = directory(tags, NOTE_AT).replace(b"\x0a\0\2\0", b"\x09\0\2\0")
    found = [one.detail for one in exporters.scan(photo(face, "Canon", note))]
    assert found == ["MakerNote Canon OwnerName: Erika", "MakerNote Canon OwnerName: Lieschen"]


def test_no_serial_number_or_owner_that_exiftool_sees_is_missed(lab: Path) -> None:
    exiftool.require()
    folder = lab / "data/metadata_samples"
    paths = [path for path in sorted(folder.iterdir()) if path.suffix != ".md"]
    missed, found = set(), 0
    for name, row in exiftool.tags(paths).items():
        details = [one.detail for one in exporters.scan((folder / name).read_bytes())]
        for tag, value in row.items():
            if tag.endswith(("SerialNumber", "OwnerName")) and str(value).strip():
                known = any(str(value) in detail for detail in details)
                found += known
                missed |= set() if known else {tag}
    assert missed == UNKNOWN
    assert found > 8


def test_a_directory_that_is_a_value_is_judged_tag_by_tag(face: Image) -> None:
    """As in the Olympus E-1: it stays with what is in it, and the photo is not held back."""
    head, settings = b"OLYMPUS\0II\3\0", bytes(37 * i % 251 + 1 for i in range(600))
    tags: Tags = {0x0101: (ASCII, b"BHLB61153\0"), 0x0F00: (UNDEFINED, settings)}
    equipment = directory(tags, len(head) + 18)
    main = directory({0x2010: (UNDEFINED, equipment)}, len(head))
    read = exporters.read_bytes(photo(face, "OLYMPUS CORPORATION", head + main), "a.jpg")
    kept = exporters.encode(read, read.pixels, read.pixels, exporters.load_policy("keep"))
    assert b"BHLB61153" in kept.data
    assert settings not in kept.data


def test_what_a_nikon_enciphers_goes_and_the_lens_stays(face: Image) -> None:
    """Of a shot's data nobody can say what they are; they cast no doubt on 33 bytes of a lens."""
    rng = np.random.default_rng(5)
    values = {0x0091: 5000, 0x0097: 640, 0x0098: 33}
    tags: Tags = {tag: (UNDEFINED, rng.bytes(size)) for tag, size in values.items()}
    note = b"Nikon\0\2\x10\0\0II*\0\x08\0\0\0" + directory(tags, 8)
    read = exporters.read_bytes(photo(face, "NIKON CORPORATION", note), "a.jpg")
    kept = exporters.encode(read, read.pixels, read.pixels, exporters.load_policy("keep"))
    assert tags[0x0098][1] in kept.data
    assert tags[0x0091][1][:64] not in kept.data
    assert tags[0x0097][1][:64] not in kept.data
