"""Measure the face detector on the lab's photos; the figures of docs/lab/detection.md.

    PHOTOCLOAK_LAB=/path/to/lab python benchmarks/lab/detection_report.py [PART ...]

Parts: groups composed single turned empty steady speed (default: all, some minutes). Prints one
figure a line: a name, a blank, a number.
"""

import csv
import io
import os
import sys
import time
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from photocloak import exporters
from photocloak.engine.detection.detector import Detector
from photocloak.engine.detection.faces import Face, alignable, fit

Pixels = NDArray[np.uint8]
Box = Sequence[float]
Report = Iterator[tuple[str, float]]

# Of the metadata samples, those without a person or an animal in them.
EMPTY = [
    "canon7d_exif_xmp_icc.webp",
    "canon_t6_adobergb_xmp.jpg",
    "cmyk_swop_icc_multi_iptc.jpg",
    "extendedxmp_gdepth.jpg",
    "flir_app1_gps.jpg",
    "gimp_icc_iptc_xmp_progressive.jpg",
    "gps_xmp_iccv4.jpg",
    "icc_multisegment_big.jpg",
    "iphone13pm_hdrgainmap_p3_orient6.heic",
    "iphone6_gps_applemakernote.jpg",
    "iphone7_p3_gps.heic",
    "iphonex_gps_orient6.webp",
    "mpo_3ds_stereo.mpo",
    "orient5_mirrored.jpg",
    "nikon_p6000_gps_makernote_thumb.jpg",
    "orient6_generic_rgb.jpg",
    "orient8.jpg",
    "cmyk_adobe.jpg",
    "photoshop_reedit_canon40d.jpg",
    "picasa_tags_makernote.jpg",
    "pixel6pro_container_xmp_no_mpf.jpg",
    "ultrahdr_pixel6pro_p3.jpg",
]
BACKDROP = "motorola_empty_gps_bad_ifd2.jpg"  # a sleeping cat
SIZES = (16, 20, 24, 32, 40, 60, 80)


def groups(data: Path, detector: Detector) -> Report:
    """Recall on the marked group photos, by size and kind, and false alarms."""
    seen: dict[str, list[float]] = defaultdict(list)
    false: list[float] = []
    for photo in tomllib.loads((Path(__file__).parent / "group_photos.toml").read_text())["photo"]:
        found = detector(read(data / photo["path"]))
        hits, rest = match([face["box"] for face in photo["faces"]], found)
        for face, score in zip(photo["faces"], hits, strict=True):
            for kind in kinds(face):
                seen[kind].append(score)
        ignored = photo.get("ignore", [])
        false += [face.score for face in rest if not any(holds(box, face) for box in ignored)]
    yield from recall("groups", seen, detector)
    yield "groups false alarms, possible", sum(score < detector.high for score in false)
    yield "groups false alarms, certain", sum(score >= detector.high for score in false)


def kinds(face: dict[str, Any]) -> Iterator[str]:
    """Name the groups that a marked face counts in."""
    size = min(face["box"][2:])
    yield "all"
    yield "16-39 px" if size < 40 else "40-79 px" if size < 80 else "80 px and more"
    profile, occluded = face.get("profile", False), face.get("occluded", False)
    if profile:
        yield "profile"
    if occluded:
        yield "occluded"
    if not profile and not occluded:
        yield "frontal, free"


def composed(data: Path, detector: Detector) -> Report:
    """Recall by size in 24-megapixel scenes of 20, 100 and 200 small faces."""
    seen: dict[str, list[float]] = defaultdict(list)
    for count in (20, 100, 200):
        image, boxes, sizes = scene(data, count)
        before = time.perf_counter()
        found = detector(image)
        yield f"composed {count} faces, seconds", time.perf_counter() - before
        hits, rest = match(boxes, found)
        for size, score in zip(sizes, hits, strict=True):
            seen[f"{size} px"].append(score)
        yield f"composed {count} faces, false alarms", len(rest)
    yield from recall("composed", seen, detector)


def scene(data: Path, count: int) -> tuple[Pixels, list[Box], list[int]]:
    """Compose 24 megapixels with `count` faces of `SIZES` in turn; JPEG quality 90."""
    rng = np.random.default_rng(count)
    backdrop = Image.fromarray(read(data / "metadata_samples" / BACKDROP)).resize((6000, 4000))
    photos = index(data, "lfw_negative")
    chosen = rng.choice(len(photos), count, replace=False)
    cells = rng.permutation(15 * 14)[:count]
    boxes: list[Box] = []
    sizes = []
    for number, (photo, cell) in enumerate(zip(chosen, cells, strict=True)):
        path, original = photos[photo]
        size = SIZES[number % len(SIZES)]
        piece = Image.fromarray(read(path)).crop((55, 45, 195, 205))
        scale = size / original
        piece = piece.resize((round(140 * scale), round(160 * scale)), Image.Resampling.LANCZOS)
        x = int(cell % 15 * 400 + rng.integers(0, 380 - piece.width))
        y = int(cell // 15 * 285 + rng.integers(0, 280 - piece.height))
        backdrop.paste(piece, (x, y))
        boxes.append((x + piece.width / 2 - size / 2, y + piece.height / 2 - size / 2, size, size))
        sizes.append(size)
    return recompressed(np.asarray(backdrop), 90), boxes, sizes


def single(data: Path, detector: Detector) -> Report:
    """Recall of the main face of every tenth photo (of all large ones), and what else is found."""
    for group, every in (
        ("highres", 1),
        ("web_small", 1),
        ("lfw_protect", 10),
        ("lfw_negative", 10),
    ):
        hits, others, far = [], 0, 0
        for path, size in index(data, group)[::every]:
            image = read(path)
            found = detector(image)
            mine = [f.score for f in found if 0.5 * size < f.size < 2 * size]
            hits.append(max(mine, default=0.0))
            others += len(found) - bool(mine)
            far += any(not alignable(face, image.shape) for face in found)
        yield f"single {group} photos", len(hits)
        yield f"single {group} recall, certain", share(hits, detector.high)
        yield f"single {group} lowest score", min(hits)
        yield f"single {group} other detections", others
        yield f"single {group} photos held for what cannot be aligned", far


def turned(data: Path, detector: Detector) -> Report:
    """Recall by tilt, and the share whose landmarks follow it, on 40 + 20 photos."""
    photos = index(data, "lfw_protect")[::27] + index(data, "highres")[::7]
    for angle in (30, 45, 60, 75, 90, 135, 180, 270):
        hits, right = [], []
        for path, size in photos:
            photo = Image.fromarray(read(path))
            scale = min(1.0, 800 / max(photo.size))
            photo = photo.resize((round(photo.width * scale), round(photo.height * scale)))
            tilted = photo.rotate(-angle, Image.Resampling.BICUBIC, expand=angle % 90 == 0)
            found = detector(np.asarray(tilted))
            mine = [f for f in found if 0.5 * size * scale < f.size < 2.2 * size * scale]
            best = max(mine, key=lambda face: face.score, default=None)
            hits.append(best.score if best else 0.0)
            if best:
                tilt = np.degrees(np.angle(fit(best.landmarks)[1]))
                right.append(abs((tilt - angle + 180) % 360 - 180) < 25)
        yield f"turned {angle} recall, possible", share(hits, detector.low)
        yield f"turned {angle} recall, certain", share(hits, detector.high)
        yield f"turned {angle} landmarks in the head's order", float(np.mean(right))


def empty(data: Path, detector: Detector) -> Report:
    """False alarms on photos without faces."""
    photos, pixels, held = 0, 0, 0
    scores: list[float] = []
    for name in EMPTY:
        image = read(data / "metadata_samples" / name)
        found = detector(image)
        scores += [face.score for face in found]
        photos += bool(found)
        pixels += image.shape[0] * image.shape[1]
        held += any(not alignable(face, image.shape) for face in found)
    yield "empty photos", len(EMPTY)
    yield "empty megapixels", pixels / 1e6
    yield "empty photos with false alarms", photos
    yield "empty photos held for what cannot be aligned", held
    yield "empty false alarms, possible", sum(score < detector.high for score in scores)
    yield "empty false alarms, certain", sum(score >= detector.high for score in scores)


def steady(data: Path, detector: Detector) -> Report:
    """How far landmarks move, in pixels of a 112-px chip, when the photo is treated or tilted."""
    treatments: dict[str, Callable[[Pixels], tuple[Pixels, complex, complex]]] = {
        "jpeg 75": lambda image: (recompressed(image, 75), 1, 0),
        "resize 0.7": lambda image: resized(image, 0.7),
        "resize 0.85": lambda image: resized(image, 0.85),
        "crop": lambda image: (image[5:, 3:], 1, 3 + 5j),
        "tilt 20": lambda image: tilted(image, 20),
        "tilt 40": lambda image: tilted(image, 40),
    }
    photos = index(data, "lfw_protect")[::40] + index(data, "highres")[::10]
    moves: dict[str, list[float]] = defaultdict(list)
    for path, size in photos:
        image = read(path)
        before = main_face(detector(image), size)
        for name, treat in treatments.items():
            after, factor, shift = treat(image)
            face = main_face(detector(after), size / abs(factor))
            if before and face:
                moves[name].append(moved(before, face, factor, shift))
    for name, values in moves.items():
        yield f"steady {name}, median px", float(np.median(values))
        yield f"steady {name}, 95th percentile px", float(np.percentile(values, 95))


def speed(data: Path, detector: Detector) -> Report:
    """Seconds and memory beyond the photo, without a face in it."""
    photo = Image.fromarray(read(data / "metadata_samples" / "orient8.jpg"))
    for size in ((4000, 3000), (6000, 4000), (11547, 8660), (65535, 10), (1, 1)):
        image = np.asarray(photo.resize(size))
        Path("/proc/self/clear_refs").write_text("5")
        held, before, busy = memory("VmRSS"), time.perf_counter(), time.process_time()
        detector(image)
        name = f"speed {size[0]} x {size[1]}"
        yield f"{name}, seconds", time.perf_counter() - before
        yield f"{name}, processor seconds", time.process_time() - busy
        yield f"{name}, MB beyond the photo", memory("VmHWM") - held


def recall(part: str, seen: dict[str, list[float]], detector: Detector) -> Report:
    """Name the share found of each kind, at both thresholds."""
    for kind, scores in seen.items():
        yield f"{part} {kind}, faces", len(scores)
        yield f"{part} {kind}, recall, possible", share(scores, detector.low)
        yield f"{part} {kind}, recall, certain", share(scores, detector.high)


def share(scores: Sequence[float], threshold: float) -> float:
    """Return the share of `scores` that reach `threshold`."""
    return float(np.mean([score >= threshold for score in scores]))


def match(boxes: Sequence[Box], found: Sequence[Face]) -> tuple[list[float], list[Face]]:
    """Return the score each box was found with (0: missed), and the faces left over."""
    rest = list(found)
    hits = []
    for box in boxes:
        fitting = [
            f for f in rest if holds(box, f) and 0.4 < f.box[2] * f.box[3] / (box[2] * box[3]) < 2.8
        ]
        best = max(fitting, key=lambda face: face.score, default=None)
        hits.append(best.score if best else 0.0)
        if best:
            rest.remove(best)
    return hits, rest


def holds(box: Box, face: Face) -> bool:
    """Tell whether the face's middle lies in `box`."""
    x, y = face.box[0] + face.box[2] / 2, face.box[1] + face.box[3] / 2
    return box[0] <= x <= box[0] + box[2] and box[1] <= y <= box[1] + box[3]


def main_face(found: Sequence[Face], size: float) -> Face | None:
    """Return the best face of about `size`."""
    fitting = [face for face in found if 0.5 * size < face.size < 2 * size]
    return max(fitting, key=lambda face: face.score, default=None)


def moved(before: Face, after: Face, back: complex, shift: complex) -> float:
    """Return how far landmarks moved, in pixels of a 112-px chip.

    Points of the treated photo times `back`, then shifted, are points of the photo before.
    """
    apart = np.abs(complexes(after) * back + shift - complexes(before))
    return float(np.sqrt(np.mean(apart**2))) * 112 / abs(fit(before.landmarks)[1])


def complexes(face: Face) -> NDArray[np.complex128]:
    """Return the landmarks as x + iy with the photo's corner as origin."""
    return np.asarray(face.landmarks[:, 0] + 0.5 + 1j * (face.landmarks[:, 1] + 0.5))


def recompressed(image: Pixels, quality: int) -> Pixels:
    """Return `image` as JPEG of `quality` shows it."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def resized(image: Pixels, scale: float) -> tuple[Pixels, complex, complex]:
    """Return `image` resized, and what takes its points back."""
    height, width = image.shape[:2]
    size = (round(width * scale), round(height * scale))
    small = Image.fromarray(image).resize(size, Image.Resampling.LANCZOS)
    return np.asarray(small), width / size[0], 0


def tilted(image: Pixels, degrees: float) -> tuple[Pixels, complex, complex]:
    """Return `image` tilted clockwise around its middle, and what takes its points back."""
    turned = Image.fromarray(image).rotate(-degrees, Image.Resampling.BICUBIC)
    back = np.exp(-1j * np.radians(degrees))
    middle = complex(image.shape[1] / 2, image.shape[0] / 2)
    return np.asarray(turned), complex(back), middle - middle * complex(back)


def index(data: Path, group: str) -> list[tuple[Path, float]]:
    """Return each photo of `group` with the size of its main face in pixels."""
    with (data / "faces" / "INDEX.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["group"] == group]
    folder = data / "faces" / group
    return [(folder / r["identity"] / r["file"], float(r["face_box_min_px"])) for r in rows]


def read(path: Path) -> Pixels:
    """Return the photo's upright sRGB pixels."""
    return exporters.read(path).pixels


def memory(field: str) -> float:
    """Return a field of this process's status (Linux) in megabytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1]) / 1024


PARTS = {part.__name__: part for part in (groups, composed, single, turned, empty, steady, speed)}


def main(names: Sequence[str]) -> None:
    """Print the figures of the parts called `names`."""
    data = Path(os.environ["PHOTOCLOAK_LAB"]) / "data"
    detector = Detector()
    for name in names or PARTS:
        for figure, value in PARTS[name](data, detector):
            print(f"{figure:60} {value:.3f}".replace(".000", ""), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
