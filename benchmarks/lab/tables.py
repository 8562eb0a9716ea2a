"""The tables of docs/exporters.md, by hand: `python -m benchmarks.lab.tables LAB [TABLE…]`.

kept: every sample under `keep`: tags kept, lost and altered, and what the notes say of it.
tags: every sample under `keep` and `web`, ExifTool's tags before and after.
tools: mat2, `exiftool -all=` and our presets on the same samples, side by side.
size: all JPEGs of LAB/data: untouched blocks, share on the lossless path, change in size.
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from photocloak import exporters
from photocloak.core import PhotocloakError
from photocloak.exporters.containers.segments import split
from photocloak.exporters.jpeg_dct.headers import read_headers
from tests.exporters import exiftool as witness
from tests.exporters.conftest import cloak
from tests.exporters.jpeg_dct.blocks import coefficients

SECRET = ("GPSL", "SerialNumber", "OwnerName", "Region", "PersonInImage", "TagsList", "History")
CREDIT = ("Artist", "Copyright", "ImageDescription", "Creator", "Rights", "Description")


def samples(lab: Path) -> list[Path]:
    """Return the samples that can be read."""
    found = []
    for path in sorted((lab / "data/metadata_samples").iterdir()):
        try:
            exporters.read(path)
            found.append(path)
        except PhotocloakError as error:
            if path.suffix != ".md":
                print(f"not read: {error}")
    return found


def write(paths: list[Path], preset: str, folder: Path, *, change: bool = True) -> None:
    """Write samples under a preset."""
    policy = exporters.load_policy(preset)
    for path in paths:
        photo = exporters.read(path)
        base = exporters.prepare(photo, policy)
        after = cloak(base) if change else base
        (folder / path.name).write_bytes(exporters.encode(photo, base, after, policy).data)


def tags(lab: Path) -> None:
    """Print what became of every sample's tags."""
    paths = samples(lab)
    before = witness.tags(paths)
    for preset in ("keep", "web"):
        with tempfile.TemporaryDirectory() as name:
            write(paths, preset, Path(name))
            after = witness.tags(sorted(Path(name).iterdir()))
            for file, row in before.items():
                lost = witness.differences(row, after[file])
                lost = [one for one in lost if not witness.CODING.match(one)]
                told = [tag for tag in after[file] if any(word in tag for word in SECRET)]
                here = f"{len(row)} tags, unexplained {lost or 0}" if preset == "keep" else ""
                print(f"{preset:5} {file:42} {here or f'left of the name list: {told or 0}'}")


def kept(lab: Path) -> None:
    """Print what became of every sample's tags under `keep`, and what was dropped."""
    paths = samples(lab)
    before, notes = witness.tags(paths), {}
    keep = exporters.load_policy("keep")
    with tempfile.TemporaryDirectory() as name:
        for path in paths:
            photo = exporters.read(path)
            encoded = exporters.encode(photo, photo.pixels, cloak(photo.pixels), keep)
            (Path(name) / path.name).write_bytes(encoded.data)
            notes[path.name] = [one for one in encoded.notes if one.startswith("dropped")]
        after = witness.tags(sorted(Path(name).iterdir()))
    print("| file | tags kept | lost, not a picture's | altered | dropped |\n|---|---|---|---|---|")
    for file, row in before.items():
        unexplained = witness.differences(row, after[file])
        unexplained = [one for one in unexplained if not witness.CODING.match(one)]
        lost = [one for one in unexplained if one not in after[file]]
        altered = [one for one in unexplained if one in after[file]]
        told = "; ".join(note.removeprefix("dropped: ") for note in notes[file])
        same = sum(after[file].get(key) == value for key, value in row.items())
        print(f"| {file} | {same} | {', '.join(lost)} | {', '.join(altered)} | {told} |")


def tools(lab: Path) -> None:
    """Print what other tools leave and destroy, next to us."""
    kinds = {".jpg", ".heic", ".webp", ".mpo"}
    paths = [path for path in samples(lab) if path.suffix in kinds]
    for tool in ("mat2", "exiftool -all=", "keep", "web", "anonymous"):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            if tool in ("mat2", "exiftool -all="):
                for path in paths:
                    shutil.copyfile(path, folder / path.name)
                command = ["mat2", "--inplace"] if tool == "mat2" else tool.split()
                extra = [] if tool == "mat2" else ["-overwrite_original", "-q", "-q"]
                files = [str(folder / path.name) for path in paths]
                subprocess.run([*command, *extra, *files], capture_output=True, check=False)
            else:
                write(paths, tool, folder, change=False)
            print(f"{tool:15}", judge(paths, folder))


def judge(paths: list[Path], folder: Path) -> dict[str, int]:
    """Count files by what is left in them and what is lost."""
    found: Counter[str] = Counter()
    after = witness.tags([folder / path.name for path in paths])
    before = witness.tags(paths)
    for path in paths:
        data = (folder / path.name).read_bytes()
        found["files"] += 1
        found["untouched"] += data == path.read_bytes()
        row, old = after[path.name], before[path.name]
        kinds = {one.kind for one in exporters.scan(data)}
        found["pictures left"] += "picture" in kinds
        told = any(any(word in tag for word in SECRET) for tag in row)
        found["names, places, serials left"] += told or bool(kinds & {"person", "place", "serial"})
        found["credits lost"] += credited(old) and not credited(row)
        source, photo = exporters.read(path), exporters.read(folder / path.name)
        if photo.pixels.shape != source.pixels.shape:
            same_shape = photo.pixels.shape[0] / photo.pixels.shape[1]
            ratio = source.pixels.shape[0] / source.pixels.shape[1]
            found["turned or cut"] += int(abs(same_shape / ratio - 1) > 0.02)
            found["smaller"] += int(abs(same_shape / ratio - 1) <= 0.02)
            continue
        off = photo.pixels.astype(int) - source.pixels
        found["colours shifted"] += int(np.abs(off.mean(axis=(0, 1))).max() > 1)
        found["pixels encoded anew"] += int(off.any())
    return dict(found)


def credited(row: dict[str, object]) -> bool:
    """Tell whether tags name an author, a caption or a copyright."""
    return any(
        tag.split(":")[-1] in CREDIT and bool(str(value).strip()) and "pdf" not in tag
        for tag, value in row.items()
    )


def size(lab: Path) -> None:
    """Print untouched blocks, the share on the lossless path, and sizes."""
    ratios, outside, done, reasons = [], 0, 0, Counter[str]()
    kept = 0
    keep = exporters.load_policy("keep")
    for path in sorted((lab / "data").rglob("*.jpg")):
        if "lfw" in str(path):
            continue
        photo = exporters.read(path)
        if photo.format != "JPEG" or min(photo.pixels.shape[:2]) < 32:
            continue
        cloaked = cloak(photo.pixels, strength=6)
        encoded = exporters.encode(photo, photo.pixels, cloaked, keep)
        anew = [note for note in encoded.notes if "anew" in note]
        done += 1
        reasons.update(anew)
        if anew:
            continue
        ratios.append(len(encoded.data) / split(photo.data).end)
        outside += changed_outside(photo, cloaked, encoded.data)
        layouts = [read_headers(split(data).segments) for data in (photo.data, encoded.data)]
        kept += layouts[0].progressive == layouts[1].progressive and (
            layouts[0].scans[0].interval == layouts[1].scans[0].interval
        )
    print(f"{done} JPEGs, {len(ratios)} on the lossless path; others: {dict(reasons)}")
    print(f"frame type and restart interval kept: {kept}; blocks changed outside: {outside}")
    print(f"size × {statistics.median(ratios):.3f} median, × {max(ratios):.3f} worst")


def changed_outside(photo: exporters.Photo, cloaked: NDArray[np.uint8], data: bytes) -> int:
    """Return how many blocks changed that no changed pixel lies in."""
    from photocloak.exporters.metadata.orientation import stored

    touched = stored(np.any(photo.pixels != cloaked, axis=2), photo.raster.orientation)
    (layout, old), (_, new) = coefficients(photo.data), coefficients(data)
    wrong = 0
    for component, a, b in zip(layout.components, old, new, strict=True):
        tall = 8 * layout.largest[0] // component.down
        wide = 8 * layout.largest[1] // component.across
        for row, column in np.argwhere(np.any(a != b, axis=2)):
            window = np.s_[row * tall : (row + 1) * tall, column * wide : (column + 1) * wide]
            wrong += not touched[window].any()
    return wrong


if __name__ == "__main__":
    wanted = sys.argv[2:] or ["kept", "tags", "tools", "size"]
    for one in wanted:
        {"kept": kept, "tags": tags, "tools": tools, "size": size}[one](Path(sys.argv[1]))
