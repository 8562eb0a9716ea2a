"""Pictures of review and report for the documents, of the portrait that ships and nothing else.

    python benchmarks/lab/screenshots.py

Writes docs/screenshots/*.png. Needs chromium and chromedriver, and some minutes for the cloak; the
user's own people and albums are not touched.
"""

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image as Pillow
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from photocloak.core import manifest_root
from photocloak.plugin import Folders
from photocloak.plugin.review.app import make_app
from photocloak.plugin.review.opening import open_album
from photocloak.plugin.server import LocalServer

SCREENSHOTS = Path(__file__).parents[2] / "docs" / "screenshots"
PORTRAIT = "astronaut.png"
DESK, PHONE = (1280, 800), (360, 760)


def main() -> None:
    SCREENSHOTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        os.environ |= {
            "HOME": name,
            "XDG_DATA_HOME": f"{home}/data",
            "XDG_CONFIG_HOME": f"{home}/config",
        }
        album = home / "Apollo"
        album.mkdir()
        shutil.copy(manifest_root() / "demo" / PORTRAIT, album)
        with browser(home / "browser") as chromium:
            review(chromium, album, home / "for-the-web")
            report(chromium, album, home)


def review(chromium: webdriver.Chrome, album: Path, out: Path) -> None:
    """Show the album, and its photo with the slider in the middle."""
    desk = open_album([album], out, Folders.of_user())
    try:
        while desk.maker.busy:
            time.sleep(1)
        (photo,) = desk.album.photos
        box = photo.faces[0].found
        if box is not None:
            desk.corrector.name(photo, box, "Eileen", all_photos=True)
        with LocalServer(make_app(desk)) as server:
            save(chromium, server.link, "review-album", DESK)
            save(chromium, f"{server.link}photo/1", "review-photo", DESK)
            save(chromium, f"{server.link}photo/1", "review-photo-phone", PHONE)
            save(chromium, f"{server.link}people/", "review-people", DESK)
    finally:
        desk.close()


def report(chromium: webdriver.Chrome, album: Path, home: Path) -> None:
    """Show the report of a run."""
    program = [sys.executable, "-c", "from photocloak.plugin.main import main; main()"]
    made = subprocess.run(
        [*program, "cloak", "--json", album.name, "-o", "cloaked"],
        cwd=home,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    run = home / "run.jsonl"
    run.write_text(made.stdout, "utf-8")
    assert [json.loads(line)["status"] for line in made.stdout.splitlines()] == ["cloaked"]
    page = subprocess.run(
        [*program, "report", run.name], cwd=home, check=True, stdout=subprocess.PIPE, text=True
    )
    save(chromium, Path(page.stdout.strip()).as_uri(), "report", DESK, top="article")


@contextmanager
def browser(folder: Path) -> Iterator[webdriver.Chrome]:
    """Give a Chromium without a screen."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for argument in ("--headless=new", "--hide-scrollbars", f"--user-data-dir={folder}"):
        options.add_argument(argument)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    one = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield one
    finally:
        one.quit()


def save(
    chromium: webdriver.Chrome, link: str, name: str, size: tuple[int, int], *, top: str = "body"
) -> None:
    """Open a page, wait for its pictures, and save what is seen from an element on."""
    width, height = size
    settings = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", settings)
    chromium.get(link)
    chromium.execute_async_script(
        "const [top, done] = arguments;"
        "document.querySelector(top).scrollIntoView();"
        "const there = [...document.images].filter((one) => one.loading !== 'lazy');"
        "Promise.all(there.map((one) => one.decode())).then(() => setTimeout(done, 1500));",
        top,
    )
    shown = Pillow.open(io.BytesIO(chromium.get_screenshot_as_png())).convert("RGB")
    shown.save(SCREENSHOTS / f"{name}.png", optimize=True)
    print(SCREENSHOTS / f"{name}.png")


if __name__ == "__main__":
    main()
