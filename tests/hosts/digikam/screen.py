"""The real digiKam 7.9 or 8.6 on a virtual screen, driven by D-Bus and by clicks.

Needs Debian's `digikam xvfb openbox wmctrl xdotool dbus imagemagick`. The places to click are those
of both windows maximised at 1600 × 1000. Whatever takes its time is waited for.
"""

import os
import re
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 300.0
"""Seconds that anything may take on a machine that has other things to do."""

RC = """[Album Settings]
Show Splash=false
[General Settings]
Version={version}
[Database Settings]
Database Type=QSQLITE
Database Name={db}/
Database Name Thumbnails={db}/
Database Name Face={db}/
Database Name Similarity={db}/
Internal Database Server=false
[Metadata Settings]
Save Tags=true
Save FaceTags=true
"""


# What a desktop shows, and what is heard of it here.
NOTIFY = """#!/bin/sh
printf '%s\\0' "$@" >>'{heard}'
exec '{real}' "$@"
"""


@dataclass(frozen=True)
class Layout:
    """What differs between versions: titles of windows, and where things are to be clicked."""

    models: str
    tabs: tuple[int, int]
    first: tuple[int, int]
    history: tuple[int, int]


LAYOUTS = {
    "7": Layout("Download required files", (1133, 437), (1060, 482), (1211, 437)),
    "8": Layout("Download Required Files", (1117, 465), (1060, 510), (1211, 465)),
}
ALBUM, RUN = (123, 163), (24, 61)
ROW = 14
"""Pixels between two lines of the list of workflows."""


def version() -> str:
    """Return digiKam's version as Debian's package has it, "8.6.0"."""
    said = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}", "digikam"],
        check=False,
        capture_output=True,
        text=True,
    ).stdout
    found = re.search(r"(?:\d+:)?(\d+\.\d+\.\d+)", said)
    assert found is not None, "digiKam is not installed from Debian's package"
    return found[1]


class Screen:
    """A home of its own, a virtual screen, a window manager, a message bus, and notifications."""

    def __init__(self, place: Path, pictures: Path) -> None:
        self.place, self.pictures = place, pictures
        self.version = version()
        self.layout = LAYOUTS[self.version[0]]
        self.home, self.bus = place / "home", f"unix:path={place}/bus"
        self.env = {
            name: value for name, value in os.environ.items() if not name.startswith("XDG_")
        } | {
            "HOME": str(self.home),
            "PATH": f"{place}/bin:{os.environ['PATH']}",
            "XDG_RUNTIME_DIR": str(place),
            "DBUS_SESSION_BUS_ADDRESS": self.bus,
            "QTWEBENGINE_DISABLE_SANDBOX": "1",
            "LC_ALL": "C.UTF-8",
        }
        for folder in (self.home / ".config", self.home / ".local" / "share", place / "bin"):
            folder.mkdir(parents=True, exist_ok=True)
        place.chmod(0o700)
        notify = shutil.which("notify-send") or "true"
        text = NOTIFY.format(heard=place / "heard", real=notify)
        script(place / "bin" / "notify-send", text)
        (place / "bus").unlink(missing_ok=True)
        self._processes: list[subprocess.Popen[bytes]] = []
        self.env["DISPLAY"] = self._display()
        self.start("dbus-daemon", "--session", f"--address={self.bus}", "--nofork")
        self.until((place / "bus").exists, "the message bus")
        self.start("openbox")
        self.start("dunst")

    def _display(self) -> str:
        """Start a screen, and return the name that it has chosen for itself."""
        reading, writing = os.pipe()
        self.start("Xvfb", "-displayfd", str(writing), "-screen", "0", "1600x1000x24", to=writing)
        os.close(writing)
        with os.fdopen(reading) as answer:
            return f":{int(answer.readline())}"

    def start(self, *command: str, to: int | None = None) -> "subprocess.Popen[bytes]":
        """Start a program that ends with the screen; `to` is what it may write to."""
        quiet, open_ = subprocess.DEVNULL, () if to is None else (to,)
        process = subprocess.Popen(
            command, env=self.env, stdout=quiet, stderr=quiet, pass_fds=open_
        )
        self._processes.append(process)
        return process

    def call(self, *command: str) -> str:
        """Run a program to its end, and return what it says."""
        run = subprocess.run(command, env=self.env, check=False, capture_output=True, text=True)
        return run.stdout + run.stderr

    def close(self) -> None:
        """End all that was started."""
        for process in reversed(self._processes):
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def until(self, true: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
        """Wait for something."""
        end = time.monotonic() + patience
        while not true():
            if time.monotonic() > end:
                self.picture("stuck")
                raise AssertionError(f"waited for {what}; see stuck.png")
            time.sleep(0.5)

    def window(self, title: str) -> None:
        """Wait for a window, and have it fill the screen."""
        self.until(lambda: title in self.call("wmctrl", "-l"), f"the window {title!r}")
        self.call("wmctrl", "-r", title, "-b", "add,maximized_vert,maximized_horz")
        time.sleep(4)

    @property
    def heard(self) -> str:
        """What the desktop was told, an argument a line."""
        path = self.place / "heard"
        text = path.read_text("utf-8", "replace") if path.exists() else ""
        return text.replace("\0", "\n")

    def click(self, at: tuple[int, int], times: int = 1) -> None:
        """Click somewhere, and give it time to have an effect."""
        where = [str(one) for one in at]
        self.call("xdotool", "mousemove", *where, "click", "--repeat", str(times), "1")
        time.sleep(3)

    def picture(self, name: str) -> None:
        """Keep what the screen shows."""
        self.call("import", "-window", "root", str(self.pictures / f"{name}.png"))


class Digikam:
    """digiKam with one album, on a screen."""

    def __init__(self, screen: Screen, album: Path) -> None:
        self.screen, self.album = screen, album

    def set_up(self) -> None:
        """Have it make its database, and name the album's parent in it."""
        screen, db = self.screen, self.screen.place / "db"
        db.mkdir()
        for name in ("digikam4", "thumbnails-digikam", "recognition", "similarity"):
            (db / f"{name}.db").touch()
        (screen.home / ".config" / "digikamrc").write_text(RC.format(db=db, version=screen.version))
        first = screen.start("digikam")
        screen.window("Configure")
        first.kill()
        first.wait()
        with closing(sqlite3.connect(db / "digikam4.db")) as connection, connection:
            connection.execute(
                "INSERT INTO AlbumRoots (label, status, type, identifier, specificPath)"
                " VALUES ('photos', 0, 1, ?, '/')",
                (f"volumeid:?path={self.album.parent}",),
            )

    def queue(self, row: int, name: str) -> None:
        """Start digiKam, run the workflow of a row over the whole album, and quit.

        Args:
            row: of the list of workflows, from 0.
            name: of the pictures that are kept.

        """
        screen, layout = self.screen, self.screen.layout
        process = screen.start("digikam")
        self._dismiss(layout.models)
        screen.click(ALBUM)
        self._act(process.pid, "selectAll")
        self._act(process.pid, "image_add_to_new_queue")
        screen.window("Batch Queue Manager")
        screen.click(layout.tabs)
        screen.click((layout.first[0], layout.first[1] + row * ROW), times=2)
        screen.picture(f"{name}-assigned")
        before = self._traces()
        screen.click(RUN)
        screen.until(lambda: self._traces() != before, "the queue to begin")
        screen.until(lambda: not self._working_for(5), "the queue to end")
        screen.click(layout.history)
        screen.picture(f"{name}-done")
        process.terminate()
        process.wait(60)

    def _traces(self) -> tuple[set[str], int]:
        """Return what a queue leaves at least, one that is over before anybody looks as well."""
        told = self.screen.heard.count("--app-name=photocloak")
        return {one.name for one in self.album.iterdir()}, told

    def _working(self) -> bool:
        return any(self.album.glob("BatchTool-*")) or any(self.album.glob(".photocloak*"))

    def _working_for(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._working():
                return True
            time.sleep(0.2)
        return False

    def _dismiss(self, models: str) -> None:
        """Close the offer to download models, which comes up before the main window is of use."""
        self.screen.window(models)
        self.screen.call("xdotool", "key", "Escape")
        self.screen.window("digiKam")
        self.screen.until(self._all_seen, "digiKam to have seen all photos")
        time.sleep(5)

    def _all_seen(self) -> bool:
        photos = [one for one in self.album.iterdir() if one.is_file()]
        database, query = self.screen.place / "db" / "digikam4.db", "SELECT count(*) FROM Images"
        with closing(sqlite3.connect(database, timeout=60)) as connection:
            (seen,) = connection.execute(f"{query} WHERE status = 1").fetchone()
        return bool(seen == len(photos))

    def _act(self, process: int, action: str) -> None:
        """Have digiKam do one of its actions."""
        call = (
            "dbus-send", "--session", "--print-reply", f"--dest=org.kde.digikam-{process}",
            "/digikam/Digikam", "org.kde.KMainWindow.activateAction", f"string:{action}",
        )  # fmt: skip
        self.screen.until(
            lambda: "boolean true" in self.screen.call(*call), f"digiKam's action {action}", 60
        )
        time.sleep(3)


def script(path: Path, text: str) -> Path:
    """Write a program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def tree(place: Path) -> Mapping[str, bytes]:
    """Return every file below a folder, links by where they lead."""
    return {
        str(one.relative_to(place)): one.read_bytes()
        for one in place.rglob("*")
        if one.is_file() and not one.is_symlink()
    }
