"""Tags before and after, as ExifTool sees them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from photocloak import exporters
from photocloak.core import InputError
from tests.exporters import exiftool

Image = NDArray[np.uint8]
HDR = "hdr10_p3_nclx.avif"
SMALL = 3_000_000  # pixels; the rest is for tables.py
NAMES = ("Marie Curie", "Pierre Curie", "Bill Murray")
SECRET: tuple[str, ...] = (
    "GPS",
    "SerialNumber",
    "OwnerName",
    "Region",
    "PersonInImage",
    "TagsList",
    "History",
)
SECRET += ("HierarchicalSubject", "LastKeyword", "DocumentID", "InstanceID", "City", "MakerNote")
SECRET += ("Subject", "Keywords", "ImageUniqueID", "DerivedFrom", "Categories", "People")


# What no table knows, in a file made to hold everything, and in one that Picasa has edited.
UNKNOWN = {
    "exiftool_everything_8x8.jpg": (
        "MetaIFD:SBAExposureRecord",
        "PictureInfo:S0",
        "PictureInfo:T0",
        "Qualcomm:",
    ),
    "picasa_tags_makernote.jpg": ("Canon:Canon_0x0000",),
}


def written(lab: Path, folder: Path, preset: str, cloak: Callable[..., Image]) -> list[Path]:
    """Write all small samples; return their sources."""
    exiftool.require()
    policy, sources = exporters.load_policy(preset), []
    for path in sorted((lab / "data/metadata_samples").iterdir()):
        if path.suffix == ".md" or path.name == HDR:
            continue
        photo = exporters.read(path)
        if photo.pixels.shape[0] * photo.pixels.shape[1] > SMALL:
            continue
        base = exporters.prepare(photo, policy)
        encoded = exporters.encode(photo, base, cloak(base), policy)
        (folder / path.name).write_bytes(encoded.data)
        sources.append(path)
    return sources


def test_keep_keeps_every_tag_that_shows_no_picture(
    lab: Path, tmp_path: Path, cloak: Callable[..., Image]
) -> None:
    sources = written(lab, tmp_path, "keep", cloak)
    assert len(sources) > 25
    before = exiftool.tags(sources)
    after = exiftool.tags([tmp_path / path.name for path in sources])
    for name, row in before.items():
        lost = exiftool.differences(row, after[name])
        assert [one for one in lost if not one.startswith(UNKNOWN.get(name, ()))] == [], name


def test_web_leaves_no_name_place_or_serial(
    lab: Path, tmp_path: Path, cloak: Callable[..., Image]
) -> None:
    sources = written(lab, tmp_path, "web", cloak)
    for name, row in exiftool.tags([tmp_path / path.name for path in sources]).items():
        told = [tag for tag in row if any(word in tag for word in SECRET)]
        assert told == [], name
        data = (tmp_path / name).read_bytes()
        assert not any(person.encode() in data for person in NAMES), name
        assert exporters.scan(data) == [], name


def test_the_scan_names_what_the_samples_give_away(lab: Path) -> None:
    folder = lab / "data/metadata_samples"

    def kinds(name: str) -> set[str]:
        return {one.kind for one in exporters.scan((folder / name).read_bytes())}

    assert "person" in kinds("mwg_regions_curie_progressive.jpg")
    assert "person" in kinds("microsoft_people_region_bill_murray.jpg")
    assert "place" in kinds("nikon_p6000_gps_makernote_thumb.jpg")
    assert "place" in kinds("iphone7_p3_gps.heic")
    assert "picture" in kinds("iphone13pm_hdrgainmap_p3_orient6.heic")
    assert "picture" in kinds("ultrahdr_pixel6pro_p3.jpg")
    assert "serial" in kinds("canon_t6_adobergb_xmp.jpg")
    assert "history" in kinds("gimp_icc_iptc_xmp_progressive.jpg")
    found = exporters.scan((folder / "mwg_regions_curie_progressive.jpg").read_bytes())
    assert any("Marie Curie" in one.detail for one in found)


def test_an_hdr_picture_is_refused_with_the_reason(lab: Path) -> None:
    with pytest.raises(InputError, match="HDR"):
        exporters.read(lab / "data/metadata_samples" / HDR)
