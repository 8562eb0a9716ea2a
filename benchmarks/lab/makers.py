"""What photos of many cameras lose under `keep`: `python -m benchmarks.lab.makers FOLDER...`.

Takes photos, and exiv2's `.exv` (the segments of a JPEG without its picture), at any depth. exiv2's
own test data have MakerNotes of some 70 cameras: unpack the source of Debian's package `exiv2`.
Prints how many files were read, and what was dropped from how many of them.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from photocloak import exporters
from photocloak.core import InputError, OutputError
from tests.exporters.files import coded

_EXV = b"\xff\x01Exiv2"
_KINDS = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".heic", ".avif", ".exv"}


def photos(folders: list[Path]) -> Iterator[tuple[Path, bytes]]:
    """Yield photos; an `.exv` gets a gray picture."""
    picture = coded(np.full((64, 64, 3), 128, np.uint8), quality=90)
    for path in sorted(one for folder in folders for one in folder.rglob("*")):
        if path.suffix.lower() in _KINDS and path.is_file():
            data = path.read_bytes()
            if data.startswith(_EXV):
                body = data[len(_EXV) :].removesuffix(b"\xff\xd9")
                data = picture[:2] + body + picture[2:]
            yield path, data


def main(folders: list[Path]) -> None:
    """Print the table."""
    keep = exporters.load_policy("keep")
    read = whole = 0
    lost: Counter[str] = Counter()
    for path, data in photos(folders):
        try:
            photo = exporters.read_bytes(data, path.name)
            notes = exporters.encode(photo, photo.pixels, photo.pixels, keep).notes
        except (InputError, OutputError):
            continue
        gone = {re.sub(r", [\d.]+ \w+,.*", "", one) for one in notes if one.startswith("dropped")}
        read += 1
        whole += not gone
        lost.update(gone)
    print(f"{read} files, {whole} of them whole")
    for what, count in lost.most_common():
        print(f"{count:5} {what.removeprefix('dropped: ')}")


if __name__ == "__main__":
    main([Path(one) for one in sys.argv[1:]])
