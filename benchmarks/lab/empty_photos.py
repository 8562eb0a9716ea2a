"""False alarms in photos without people, before and after the second look.

    apt-get download gnome-backgrounds mate-backgrounds lomiri-wallpapers-16.04 \\
        lomiri-wallpapers-20.04 lxqt-themes ukui-wallpapers plasma-workspace-wallpapers \\
        palapeli-data opencv-doc python3-sklearn python3-skimage \\
        tuxpaint-stamps-default                     # each unpacked: dpkg -x FILE TREE/PACKAGE
    PHOTOCLOAK_LAB=/path/to/lab python -m benchmarks.lab.empty_photos TREE

The set: the wallpapers of Debian's packages (rooms, water, plants, animals, textures, drawings),
the samples of scikit-image and the lab's metadata samples that show nobody, and tables laid with
photos of single things (tuxpaint's stamps: food, toys, dolls, animals, cars, tools), composed here.
All at 1600 pixels at most. Prints photos with a finding by score, before and after the second look.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from benchmarks.lab.detection_report import BACKDROP, EMPTY
from photocloak import exporters
from photocloak.engine.detection.alignment import Image
from photocloak.engine.detection.detector import Detector
from photocloak.engine.detection.faces import alignable
from photocloak.engine.detection.landmarks import load_landmarker
from photocloak.engine.detection.second_look import confirmed

EDGE = 1600
PICTURES = {".jpg", ".jpeg", ".png", ".gif", ".tif", ".tiff", ".webp"}
TABLES = 24
PEOPLE = {"friends_by_Aitzol_Berasategi", "umang_by_Abhishek_Mudgal", "Autumn"}
"""Names of files and folders that show somebody, painted or real."""

WALLPAPERS = "gnome-backgrounds mate-backgrounds lomiri-wallpapers-16.04 lomiri-wallpapers-20.04"
WALLPAPERS += " lxqt-themes ukui-wallpapers plasma-workspace-wallpapers"

SAMPLES = {
    "palapeli-data": "castle-maintenon cincinnati-bridge citrus-fruits european-honey-bee"
    " panther-chameleon-female",
    "opencv-doc": "fruits baboon blox HappyFish leuvenA squirrel_cls home aloeL board starry_night"
    " cards chicky_512 orange stuff licenseplate_motion ela_original smarties graf1 rubberwhale1"
    " butterfly building apple aero1 Blender_Suzanne1 plant 000 001 002 scenetext02"
    " scenetext04 scenetext05 scenetext06",
    "python3-sklearn": "china flower",
    "python3-skimage": "brick chelsea chessboard_RGB coffee coins color grass gravel"
    " hubble_deep_field ihc moon motorcycle_left page retina rocket text clock_motion horse phantom"
    " cell",
}
"""Photos that show nobody, by package; of people, animals and drawings among them only people are
left out."""

STAMPS = "animals clothes food hobbies household medical naturalforces plants seasonal space sports"
STAMPS += " symbols town vehicles"


def photos(tree: Path, lab: Path) -> Iterator[tuple[str, Image]]:
    """Yield names and pixels, the same ones each time."""
    for package in WALLPAPERS.split():
        for path in wallpapers(tree / package):
            yield str(path.relative_to(tree).with_suffix("")), opened(path)
    for package, names in SAMPLES.items():
        for name in names.split():
            found = (one for one in (tree / package).rglob(f"{name}.*") if one.suffix in PICTURES)
            yield f"{package}/{name}", opened(min(found))
    for name in [*EMPTY, BACKDROP]:
        pixels = exporters.read(lab / "data" / "metadata_samples" / name).pixels
        yield f"lab/{name}", small(Pillow.fromarray(pixels))
    stamps = tree / "tuxpaint-stamps-default" / "usr/share/tuxpaint/stamps"
    things = sorted(
        path
        for folder in STAMPS.split()
        for path in (stamps / folder).rglob("*.png")
        if "people" not in path.parts and path.stat().st_size > 20_000
    )
    for number in range(TABLES):
        yield f"table/{number}", table(things, number)


def wallpapers(package: Path) -> list[Path]:
    """Return the largest picture of each name or folder."""
    best: dict[object, Path] = {}
    for path in sorted(package.rglob("*")):
        if path.suffix.lower() not in PICTURES or path.is_symlink():
            continue
        if (
            PEOPLE & {path.stem, *path.parts}
            or path.stat().st_size < 60_000
            or path.stem == "screenshot"
        ):
            continue
        key = path.parent if path.stem[:1].isdigit() and "x" in path.stem else path.stem[:12]
        if key not in best or path.stat().st_size > best[key].stat().st_size:
            best[key] = path
    return sorted(best.values())


def table(things: list[Path], number: int) -> Image:
    """Lay twelve things on a table."""
    dice = np.random.default_rng([17, number])
    wood = dice.integers(60, 200, 3) + dice.normal(0, 12, (960, 1280, 1))
    board = Pillow.fromarray(np.asarray(np.clip(wood, 0, 255), np.uint8))
    for place in range(12):
        thing = Pillow.open(things[int(dice.integers(len(things)))]).convert("RGBA")
        thing.thumbnail((int(dice.integers(160, 310)),) * 2)
        x, y = place % 4 * 320 + dice.integers(0, 10), place // 4 * 320 + dice.integers(0, 10)
        board.paste(thing, (int(x), int(y)), thing)
    return np.asarray(board)


def opened(path: Path) -> Image:
    """Return the pixels of a file, at most `EDGE`."""
    with Pillow.open(path) as photo:
        return small(photo)


def small(photo: Pillow.Image) -> Image:
    """Return the pixels of a photo of at most `EDGE`."""
    photo = photo.convert("RGB")
    photo.thumbnail((EDGE, EDGE), Pillow.Resampling.LANCZOS)
    return np.asarray(photo)


def main() -> None:
    """Print a line of JSON a photo with a finding, and how many there are."""
    tree, lab = Path(sys.argv[1]), Path(os.environ["PHOTOCLOAK_LAB"])
    detector, landmarks = Detector(threads=1), load_landmarker()
    before = after = held = count = 0
    seconds = []
    for name, image in photos(tree, lab):
        began = time.process_time()
        found = detector(image)
        seconds.append(time.process_time() - began)
        kept = confirmed(image, found, landmarks, high=detector.high)
        count, before, after = count + 1, before + bool(found), after + bool(kept)
        held += any(not alignable(face, image.shape) for face in kept)
        if found:
            rows = [(round(face.size), round(face.score, 3), face in kept) for face in found]
            print(json.dumps({"photo": name, "size, score, kept": rows}), flush=True)
    print(f"{count} photos, {before} with a finding, {after} after the second look, {held} held")
    print(f"looking: median {np.median(seconds):.2f} s, worst {max(seconds):.2f} s (processor)")


if __name__ == "__main__":
    main()
