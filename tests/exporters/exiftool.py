"""ExifTool as a witness: what tags a file has, and what became of them."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

# Written because a picture was replaced or taken out: the leak list of docs/exporters.md.
EXPLAINED = re.compile(
    r"(?:ExifTool|System|File|Composite)\d*:"
    r"|Adobe:ColorTransform$"  # states what the coder did, where a file had to be encoded anew
    r"|MPF\d*:|MPImage\d+:|JFXX:|FLIR:|FlashPix:|JPEG-HDR:|JUMBF\d*:|JSON:|FotoStation:|IPTC2:"
    r"|XMP-(?:hdrgm|Container|GContainer|GContainerItem|GImage|GDepth|HDRGainMap|apdi):"
    r"|XMP-GCamera:(?:HdrPlusMakernote|MotionPhoto|MicroVideo|Hdrp|HDRP|ShotLog)"
    r"|XMP-xmpNote:HasExtendedXMP|XMP-xmp:Thumbnail"
    r"|[\w-]+:(?:ThumbnailImage|ThumbnailOffset|PreviewImage|JpgFromRaw|PhotoshopThumbnail)$"
)
# HEIC and AVIF are put together anew by their encoder: what describes the coding is its own.
# XMPToolkit: a HEIC's gain map has a packet of its own, which goes with it.
CODING = re.compile(
    r"XMP-x:XMPToolkit$|(?:QuickTime|Meta|RIFF|ICC_Profile2|ICC-header2|ICC_Profile|ICC-header)\d*:"
)


def require() -> None:
    """Skip the test where there is no ExifTool."""
    if shutil.which("exiftool") is None:
        pytest.skip("ExifTool is not installed (libimage-exiftool-perl)")


def tags(paths: list[Path]) -> dict[str, dict[str, Any]]:
    """Return all tags of files by name, values of unknown tags and duplicates included."""
    command = ["exiftool", "-j", "-G1", "-a", "-u", "-n", "-struct", "-q", *map(str, paths)]
    run = subprocess.run(command, capture_output=True, check=False)
    rows = json.loads(run.stdout)
    return {Path(row["SourceFile"]).name: row for row in rows}


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return the tags that were lost, added or altered without the leak list explaining it."""
    names = {*before, *after} - {"SourceFile"}
    changed = [name for name in names if before.get(name) != after.get(name)]
    return sorted(name for name in changed if not EXPLAINED.match(name))
