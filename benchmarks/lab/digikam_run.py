"""Run the installed workflow in the real digiKam, by hand: D-Bus, and clicks on a virtual screen.

    python benchmarks/lab/digikam_run.py [FOLDER] > transcript.md

Needs Debian's `digikam xvfb openbox wmctrl xdotool dbus libimage-exiftool-perl imagemagick` and an
installed photocloak. FOLDER keeps the pictures of the screen; home, album and database are new and
private. The places to click are those of digiKam 7.9 with both windows maximised at 1600 × 1000.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from PIL import Image

PORTRAIT = Path(__file__).parents[2] / "tests" / "data" / "astronaut.png"
RC = """[Album Settings]
Show Splash=false
[General Settings]
Version=7.9.0
[Database Settings]
Database Type=QSQLITE
Database Name={db}/
Database Name Thumbnails={db}/
Database Name Face={db}/
Database Name Similarity={db}/
Internal Database Server=false
[Metadata Settings]
Save Tags=true
"""
ALBUM, WORKFLOWS, WORKFLOW, RUN, HISTORY = (
    (123, 163),
    (1133, 437),
    (1060, 482),
    (24, 61),
    (1211, 437),
)
NAMES = ["$HOME $(touch pwned).jpg", '"; touch pwned; echo ".jpg', "it's Größe 😀.jpg"]
TAGGED, FACELESS = "tagged.jpg", "no face.jpg"


class Screen:
    """A virtual screen with a window manager, a message bus, and digiKam on it."""

    def __init__(self, place: Path, pictures: Path) -> None:
        self.place, self.pictures = place, pictures
        home, self.bus = place / "home", f"unix:path={place}/bus"
        self.env = os.environ | {
            "HOME": str(home),
            "XDG_DATA_HOME": str(home / "data"),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "XDG_RUNTIME_DIR": str(place),
            "DBUS_SESSION_BUS_ADDRESS": self.bus,
            "DISPLAY": ":78",
            "QTWEBENGINE_DISABLE_SANDBOX": "1",
            "LC_ALL": "C.UTF-8",
        }
        for name in ("data", "config", "cache"):
            (home / name).mkdir(parents=True)
        place.chmod(0o700)
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            command, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.processes.append(process)
        return process

    def call(self, *command: str) -> str:
        run = subprocess.run(command, env=self.env, check=False, capture_output=True, text=True)
        return run.stdout + run.stderr

    def close(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()

    def click(self, at: tuple[int, int], times: int = 1) -> None:
        where = [str(one) for one in at]
        self.call("xdotool", "mousemove", *where, "click", "--repeat", str(times), "1")
        time.sleep(3)

    def act(self, service: int, action: str) -> None:
        answer = self.call(
            "dbus-send", "--session", "--print-reply", f"--dest=org.kde.digikam-{service}",
            "/digikam/Digikam", "org.kde.KMainWindow.activateAction", f"string:{action}",
        )  # fmt: skip
        if "boolean true" not in answer:
            raise SystemExit(f"digiKam does not know the action {action}: {answer}")
        time.sleep(3)

    def picture(self, name: str) -> None:
        self.call("import", "-window", "root", str(self.pictures / f"{name}.png"))

    def wait_for_window(self, title: str) -> None:
        until = time.monotonic() + 60
        while title not in self.call("wmctrl", "-l"):
            if time.monotonic() > until:
                self.picture("stuck")
                raise SystemExit(f"no window {title!r} came up; see stuck.png")
            time.sleep(1)
        self.call("wmctrl", "-r", title, "-b", "add,maximized_vert,maximized_horz")
        time.sleep(4)


def make_album(album: Path) -> dict[str, str]:
    """Write the photos; return their hashes."""
    album.mkdir(parents=True)
    with Image.open(PORTRAIT) as portrait:
        for number, name in enumerate([*NAMES, TAGGED]):
            portrait.convert("RGB").save(album / name, quality=92 - number)
    Image.new("RGB", (200, 200), "teal").save(album / FACELESS)
    tags = ["-XMP-digiKam:TagsList=People/Ada Lovelace", "-IPTC:Keywords=Ada Lovelace"]
    subprocess.run(["exiftool", "-q", "-overwrite_original", *tags, album / TAGGED], check=True)
    return hashes(album)


def hashes(album: Path) -> dict[str, str]:
    return {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in album.iterdir()}


def make_database(screen: Screen, photos: Path) -> None:
    """Let digiKam make its database, and name the album in it."""
    db = screen.place / "db"
    db.mkdir()
    for name in ("digikam4", "thumbnails-digikam", "recognition", "similarity"):
        (db / f"{name}.db").touch()
    rc = Path(screen.env["XDG_CONFIG_HOME"]) / "digikamrc"
    rc.write_text(RC.format(db=db))
    first = screen.start("digikam")
    screen.wait_for_window("Configure")
    first.kill()
    first.wait()
    with sqlite3.connect(db / "digikam4.db") as connection:
        connection.execute(
            "INSERT INTO AlbumRoots (label, status, type, identifier, specificPath)"
            " VALUES ('photos', 0, 1, ?, '/')",
            (f"volumeid:?path={photos}",),
        )


def drive(screen: Screen, album: Path, expected: int) -> None:
    """Start digiKam, queue the whole album, assign the workflow, and run it to its end."""
    digikam = screen.start("digikam")
    screen.wait_for_window("Download required files")
    screen.call("xdotool", "key", "Escape")
    screen.wait_for_window("digiKam")
    screen.click(ALBUM)
    screen.act(digikam.pid, "selectAll")
    screen.act(digikam.pid, "image_add_to_new_queue")
    screen.wait_for_window("Batch Queue Manager")
    screen.click(WORKFLOWS)
    screen.click(WORKFLOW, times=2)
    screen.picture("assigned")
    screen.click(RUN)
    until = time.monotonic() + 60 * expected
    while time.monotonic() < until:
        time.sleep(5)
        if not list(album.glob("BatchTool-*")) and not list(album.glob(".photocloak*")):
            break
    screen.picture("done")


def report(screen: Screen, album: Path, before: Mapping[str, str], photocloak: str) -> None:
    after = hashes(album)
    print("| file | before | after |\n|---|---|---|")
    for name in sorted({*before, *after}):
        print(f"| `{name}` | {before.get(name, '–')[:12]} | {after.get(name, 'GONE')[:12]} |")
    untouched = all(after.get(name) == sha for name, sha in before.items())
    print(
        f"\nOriginals untouched: {untouched}. Shell injected: {bool(list(album.rglob('pwned')))}."
    )
    print(f"Held back, nothing there: {FACELESS.replace('.', '-cloaked.') not in after}.\n")
    for name in sorted(after.keys() - before.keys()):
        audit = json.loads(screen.call(photocloak, "check", "--json", str(album / name)))
        leaks = [f"{one['kind']} in {one['where']}" for one in audit["leaks"]]
        print(f"- `photocloak check {name}`: {audit['status']} {leaks or ''}")
    tags = screen.call("exiftool", "-G1", "-s", "-TagsList", "-Keywords", "-Subject",
                       str(album / TAGGED.replace(".", "-cloaked.")))  # fmt: skip
    print(f"\nThe preset `anonymous` takes out all names; in the result stand:\n\n```\n{tags}```")


def main() -> None:
    pictures = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    photocloak = str(Path(sys.executable).with_name("photocloak"))
    with tempfile.TemporaryDirectory() as name:
        screen = Screen(Path(name), pictures)
        album = Path(name) / "photos" / "album"
        before = make_album(album)
        settings = Path(screen.env["XDG_CONFIG_HOME"]) / "photocloak" / "settings.toml"
        settings.parent.mkdir()
        settings.write_text('preset = "anonymous"\n')
        screen.start("Xvfb", ":78", "-screen", "0", "1600x1000x24")
        screen.start("dbus-daemon", "--session", f"--address={screen.bus}", "--nofork")
        time.sleep(2)
        screen.start("openbox")
        try:
            make_database(screen, album.parent)
            print(f"```\n{screen.call(photocloak, 'install', 'digikam')}```\n")
            drive(screen, album, len(before))
            report(screen, album, before, photocloak)
            print(f"\n```\n{screen.call(photocloak, 'uninstall', 'digikam')}```")
        finally:
            screen.close()


if __name__ == "__main__":
    if shutil.which("digikam") is None:
        raise SystemExit("digiKam is not installed: apt-get install digikam")
    main()
