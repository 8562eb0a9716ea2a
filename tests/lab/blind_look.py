"""A blind look: what does somebody see who does not know which of the photos are cloaked?

    python tests/lab/blind_look.py prepare M.jsonl SHEETS KEY.json   # M: of photocloak cloak --json
    python tests/lab/blind_look.py score KEY.json ANSWERS.csv        # lines: number,done,different

A sheet shows the original on the left; on the right, in random order, the cloaked file or, in half
of the sheets, the original encoded once more. `full` has the face's surroundings pixel by pixel,
`feed` the photo as wide as on a social network. Who judges gets the sheets, never the key.
"""

import csv
import json
import random
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps

FULL, FEED = 700, 540
"""Largest width of one picture of a pair, pixels."""


def prepare(report: Path, sheets: Path, key: Path) -> None:
    """Lay out the sheets and write which of them are cloaked."""
    photos = [json.loads(line) for line in report.read_text("utf-8").splitlines()]
    shown = [photo for photo in photos if photo["output"] and photo["faces"]]
    rng = random.Random(0)
    rng.shuffle(shown)
    cloaked = [number % 2 == 0 for number in range(len(shown))]
    rng.shuffle(cloaked)
    sheets.mkdir(parents=True)
    for number, (photo, real) in enumerate(zip(shown, cloaked, strict=True)):
        before = _upright(Image.open(photo["source"]))
        after = _upright(Image.open(photo["output"])) if real else _again(photo["source"])
        box = max((face["box"] for face in photo["faces"]), key=lambda box: box[2] * box[3])
        _sheet(*(_around(picture, box) for picture in (before, after))).save(
            sheets / f"{number:03d}-full.png"
        )
        _sheet(*(_narrow(picture) for picture in (before, after))).save(
            sheets / f"{number:03d}-feed.png"
        )
    key.write_text(json.dumps(cloaked), "utf-8")


def score(key: Path, answers: Path) -> None:
    """Print hits and false alarms for both questions."""
    cloaked: list[bool] = json.loads(key.read_text("utf-8"))
    with answers.open(newline="", encoding="utf-8") as file:
        rows = {int(row[0]): (row[1] == "1", row[2] == "1") for row in csv.reader(file)}
    for index, question in enumerate(("something was done", "the person looks different")):
        for real, name in ((True, "hits"), (False, "false alarms")):
            asked = [number for number in rows if cloaked[number] == real]
            yes = sum(rows[number][index] for number in asked)
            print(f"{question}: {yes} of {len(asked)} {name}")


def _upright(picture: Image.Image) -> Image.Image:
    return ImageOps.exif_transpose(picture).convert("RGB")


def _again(source: str) -> Image.Image:
    """Return the original, decoded from one more encoding of the same quality."""
    picture, data = Image.open(source), BytesIO()
    if picture.format == "JPEG":
        picture.save(data, "JPEG", quality="keep", exif=picture.getexif())
    else:
        picture.save(data, "PNG", exif=picture.getexif())
    return _upright(Image.open(data))


def _around(picture: Image.Image, box: list[int]) -> Image.Image:
    """Return the face and as much again around it, not resized unless it is larger than FULL."""
    x, y, w, h = box
    cut = picture.crop((max(x - w // 2, 0), max(y - h // 2, 0), x + w + w // 2, y + h + h // 2))
    cut.thumbnail((FULL, FULL))
    return cut


def _narrow(picture: Image.Image) -> Image.Image:
    picture = picture.copy()
    picture.thumbnail((FEED, FEED))
    return picture


def _sheet(left: Image.Image, right: Image.Image) -> Image.Image:
    sheet = Image.new("RGB", (left.width + right.width + 8, left.height), "white")
    sheet.paste(left, (0, 0))
    sheet.paste(right, (left.width + 8, 0))
    return sheet


if __name__ == "__main__":
    command, *names = sys.argv[1:]
    paths = [Path(name) for name in names]
    if command == "prepare":
        prepare(*paths)
    else:
        score(*paths)
