"""XMP and IPTC of a source and its sidecar get into an export, if they are true of it."""

import io
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from photocloak import exporters
from photocloak.core import InputError
from tests.exporters import exiftool

SIDECAR = """<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:darktable="http://darktable.sf.net/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/"
 xmp:Rating="4" darktable:history_end="3" xmpMM:DerivedFrom="IMG_1.CR2">
<dc:title><rdf:Alt>
<rdf:li xml:lang="x-default">Sidecar – Tür &amp; Tor</rdf:li></rdf:Alt></dc:title>
</rdf:Description></rdf:RDF></x:xmpmeta>"""


def tags(path: Path) -> dict[str, Any]:
    told = subprocess.run(
        ["exiftool", "-j", "-struct", "-G1", "-XMP:all", "-IPTC:all", str(path)],
        capture_output=True,
        check=True,
    )
    (found,) = json.loads(told.stdout)
    return {name: value for name, value in found.items() if name != "SourceFile"}


def source(path: Path, *arguments: str) -> Path:
    Pillow.new("RGB", (40, 30), "teal").save(path)
    subprocess.run(
        ["exiftool", "-q", "-overwrite_original", *arguments, str(path)], check=True, timeout=60
    )
    return path


def graft(tmp_path: Path, original: Path) -> dict[str, Any]:
    file = io.BytesIO()
    Pillow.new("RGB", (20, 10), "olive").save(file, "JPEG")
    export = exporters.read_bytes(file.getvalue(), "export.jpg")
    grafted = exporters.graft(export, original)
    assert (exporters.read_bytes(grafted.data, "out").pixels == export.pixels).all()
    out = tmp_path / "out.jpg"
    out.write_bytes(grafted.data)
    return tags(out)


REGIONS = (
    "-XMP-mwg-rs:RegionInfo={AppliedToDimensions={W=40,H=30,Unit=pixel},RegionList=[{Area={X=0.5,"
    "Y=0.5,W=0.2,H=0.2,Unit=normalized},Name=Ada,Type=Face}]}"
)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
def test_what_the_source_holds(tmp_path: Path, suffix: str) -> None:
    exiftool.require()
    original = source(
        tmp_path / f"a ü{suffix}",
        "-XMP-dc:Subject=one",
        "-XMP-dc:Subject=two",
        "-XMP-photoshop:City=Lübeck",
        "-XMP-tiff:Orientation=6",
        "-XMP-crs:Exposure2012=1",
        REGIONS,
        "-IPTC:CodedCharacterSet=UTF8",
        "-IPTC:City=Lübeck",
        "-IPTC:Keywords=one",
        "-IPTC:Keywords=two",
    )
    before = tags(original)
    gone = {"XMP-tiff:Orientation", "XMP-crs:Exposure2012", "XMP-x:XMPToolkit"}
    expected = {name: value for name, value in before.items() if name not in gone}
    after = graft(tmp_path, original)
    after.pop("XMP-x:XMPToolkit", None)
    expected.pop("IPTC:ApplicationRecordVersion", None)
    after.pop("IPTC:ApplicationRecordVersion", None)
    assert after == expected


def test_the_sidecar_counts(tmp_path: Path) -> None:
    """A keyword that the user took away in the photo manager does not come back."""
    exiftool.require()
    original = source(
        tmp_path / "a.jpg", "-XMP-dc:Title=Old", "-XMP-dc:Subject=Ada", "-XMP-photoshop:City=Lübeck"
    )
    (tmp_path / "a.jpg.xmp").write_text(SIDECAR, "utf-8")
    found = graft(tmp_path, original)
    found.pop("XMP-x:XMPToolkit", None)
    assert found == {
        "XMP-dc:Title": "Sidecar – Tür & Tor",
        "XMP-photoshop:City": "Lübeck",
        "XMP-xmp:Rating": 4,
    }


@pytest.mark.parametrize("managed", [False, True])
def test_exif_credits(tmp_path: Path, managed: bool) -> None:
    """They come along, unless a sidecar says what is left of them."""
    exiftool.require()
    original = source(tmp_path / "a.jpg", "-EXIF:Artist=Grüße", "-EXIF:Model=not a credit")
    if managed:
        (tmp_path / "a.jpg.xmp").write_text(SIDECAR, "utf-8")
    graft(tmp_path, original)
    with Pillow.open(tmp_path / "out.jpg") as image:
        found = dict(image.getexif())
    assert found == ({} if managed else {0x013B: "Grüße".encode().decode("latin-1")})


def test_latin_1_iptc(tmp_path: Path) -> None:
    exiftool.require()
    original = source(tmp_path / "a.jpg", "-charset", "iptc=Latin", "-IPTC:City=Lübeck")
    assert graft(tmp_path, original)["IPTC:City"] == "Lübeck"


def test_nothing_there_changes_nothing(tmp_path: Path) -> None:
    original = tmp_path / "a.jpg"
    Pillow.new("RGB", (40, 30)).save(original)
    photo = exporters.read(original)
    assert exporters.graft(photo, original) is photo


def test_nothing_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Standard output is for data, and nobody's but the command line's."""
    original = tmp_path / "a.jpg"
    Pillow.new("RGB", (40, 30)).save(original)
    (tmp_path / "a.jpg.xmp").write_text(SIDECAR, "utf-8")
    photo = exporters.read(original)
    assert exporters.graft(photo, original).data != photo.data
    assert capfd.readouterr() == ("", "")


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    original = tmp_path / "a.jpg"
    Pillow.new("RGB", (40, 30)).save(original)
    photo = exporters.read(original)
    with pytest.raises(InputError, match="nowhere"):
        exporters.graft(photo, tmp_path / "nowhere.jpg")
    (tmp_path / "a.jpg.xmp").write_text("<x:xmpmeta", "utf-8")
    with pytest.raises(InputError, match="damaged"):
        exporters.graft(photo, original)
