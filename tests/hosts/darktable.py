"""Runs the real darktable on a display of its own, with a scenario in Lua; see `drive.lua`."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import sleep

import pytest

HERE = Path(__file__).parent
NEEDED = ("darktable", "xvfb-run", "xauth", "exiftool")


def require_darktable() -> None:
    """Skip where a program is missing; in CI nothing may skip."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


def lua(value: object) -> str:
    """Write a text, number, list or dict as Lua."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {lua(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "{ " + ", ".join(map(lua, value)) + " }"
    if isinstance(value, int):
        return str(value)
    return '"' + "".join(f"\\{byte:03d}" for byte in os.fsencode(str(value))) + '"'


_KEEPING = """#!{python}
import os, shutil, sys
from pathlib import Path

words = sys.argv[1:]
kept = Path({notes!r}, Path(words[words.index("-o") + 1]).name)
kept.mkdir()
for photo in words[words.index("--") + 1 :]:
    shutil.copy2(photo, kept)
os.chdir({root!r})
os.execv({command[0]!r}, [*{command!r}, *words])
"""


# Clicks the right button of the dialog that darktable opens before it takes over what an older one
# left, until the dialog is gone; then does nothing else.
_AGREEING = """
dialog() { xdotool search "$@" --onlyvisible --name "schema migration"; }
(
    dialog --sync
    while window=$(dialog); do
        eval "$(xdotool getwindowgeometry --shell "$window")"
        xdotool mousemove $((X + WIDTH * 3 / 4)) $((Y + HEIGHT - 13)) click 1
        sleep 1
    done
) >/dev/null 2>&1 &
exec "$@"
"""


@dataclass(frozen=True)
class Host:
    """A user's home with photocloak's script in darktable, and folders to work with."""

    root: Path

    @property
    def env(self) -> dict[str, str]:
        """The environment of this user; threads are few, since others work here, too."""
        home, notes = self.root / "home", self.root / "notes"
        return os.environ | {
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_DATA_HOME": str(home / "data"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "FAKE_NOTES": str(notes),
            "LC_ALL": "C.UTF-8",
            "DBUS_SESSION_BUS_ADDRESS": "disabled:",  # whose this would be is at work
        }

    @property
    def settings(self) -> Path:
        """What darktable itself remembers."""
        return self.root / "home" / "config" / "darktable" / "darktablerc"

    @property
    def runs(self) -> Path:
        """Where the private folders of runs are."""
        return self.root / "home" / "cache" / "darktable" / "photocloak"

    @property
    def temporary(self) -> Path:
        """darktable's temporary folder."""
        return self.root / "tmp"

    def folders(self) -> "Host":
        """Make the folders."""
        for name in ("home", "tmp", "notes", "photos", "out"):
            (self.root / name).mkdir(parents=True)
        return self

    def make(self) -> "Host":
        """Make the folders and install."""
        self.folders().photocloak("install", "darktable")
        return self

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run the real command as this user."""
        return subprocess.run(
            [Path(sys.executable).with_name("photocloak"), *arguments],
            env=self.env,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def photocloak(self, *arguments: str) -> str:
        """Run it; return what it printed."""
        done = self.command(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def program(self, script: str) -> Path:
        """Write an executable that stands in for `photocloak`."""
        path = self.root / "stand-in"
        path.write_text(script)
        path.chmod(0o755)
        return path

    def keeping(self, command: Sequence[str]) -> Path:
        """Return a program that keeps copies of what it gets, then does the command."""
        notes, root = str(self.root / "notes"), str(HERE.parents[1])
        return self.program(
            _KEEPING.format(python=sys.executable, notes=notes, root=root, command=list(command))
        )

    def kept(self, name: str) -> Path:
        """Return the folder with what was handed over for an output folder of that name."""
        return self.root / "notes" / name

    def fake(self) -> Path:
        """Return the program that behaves as its output folder is called."""
        return self.program(f'#!/bin/sh\nexec {sys.executable} {HERE}/fake_photocloak.py "$@"\n')

    def run(self, scenario: str, *, chosen: bool = True) -> tuple[dict[str, str], int]:
        """Run darktable with a scenario; return what the plugin said, by name, and its status.

        Where our storage is `chosen`, darktable cannot unlearn it, and crashes when it is gone.
        """
        results = self.root / "results"
        results.write_bytes(b"")
        status = self.start(
            f"RESULTS = {lua(results)}\nlocal drive = dofile({lua(HERE / 'drive.lua')})\n"
            f"drive.run(function()\n{scenario}\nend)\n",
            {"plugins/lighttable/export/storage_name": "photocloak"} if chosen else {},
        )
        return self._said(results), status

    def start(self, script: str, options: Mapping[str, str], *, agreeing: bool = False) -> int:
        """Run darktable with a script in Lua and some settings; return its status.

        After darktable itself was updated somebody must be `agreeing` to its new database.
        """
        place = self.root / "scenario.lua"
        place.write_text(script)
        options = {
            **options,
            "plugins/lighttable/export/format_name": "jpeg",
            "write_sidecar_files": "never",
        }
        command = ["xvfb-run", "-a", *(["sh", "-c", _AGREEING, "sh"] if agreeing else [])]
        command += ["darktable", "--library", ":memory:"]
        command += ["--tmpdir", str(self.temporary), "--luacmd", f"dofile({lua(place)})"]
        for key, value in options.items():
            command += ["--conf", f"{key}={value}"]
        with (self.root / "log").open("ab") as log:
            process = subprocess.Popen(
                command, env=self.env, stdout=log, stderr=log, start_new_session=True
            )
            try:
                return process.wait(400)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()

    def _said(self, results: Path) -> dict[str, str]:
        said: dict[str, str] = {}
        for line in results.read_text("utf-8", "surrogateescape").split("\n")[:-1]:
            name, text = line.split("\t", 1)
            said[name] = re.sub(r"\\(.)", lambda found: {"n": "\n"}.get(found[1], found[1]), text)
        return said

    def leftovers(self) -> list[Path]:
        """Return private folders of runs that were not cleared."""
        return sorted(self.runs.glob("run-*"))


def alive(pid: int) -> bool:
    """Tell whether a process is at work; where pid 1 is no init, nobody reaps what has ended."""
    try:
        state = Path("/proc", str(pid), "stat").read_bytes().rpartition(b")")[2].split()[0]
    except OSError:
        return False
    return state not in (b"Z", b"X")


def wait_for(come: Callable[[], bool]) -> None:
    """Wait until something has come."""
    for _ in range(100):
        if come():
            return
        sleep(0.1)
    raise AssertionError("it did not come")
