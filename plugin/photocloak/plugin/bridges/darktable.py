"""darktable: a Lua script in the user's lua folder, and the line in luarc that loads it.

darktable searches `<config>/lua/?.lua`; lua-scripts' manager passes over folders named `lib`, so
the script's modules lie in one.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import platformdirs

from photocloak import exporters
from photocloak.core import ConfigError
from photocloak.engine.modes import offered_modes
from photocloak.plugin.bridges.base import Bridge, Change, File, Line, Part, program, shipped
from photocloak.plugin.bridges.placing import drop_lines
from photocloak.plugin.storage.folders import Folders

_PARTS = ("commands", "engine", "events", "exporting", "options", "reporting", "shelter")
_SCRIPTS = (
    "cloaked_export.lua",
    *(f"lib/{name}.lua" for name in _PARTS),
)
_LINE = 'require "photocloak/cloaked_export"'
_LUA_API = 9  # of darktable 4.2
# In 4.2 "Lua support enabled, API version 9.0.0"; in 5.0 "Lua -> ENABLED - API version 9.4.0".
_LUA = re.compile(r"\bLua\b.*?\benabled\b.*?API version (\d+)", re.IGNORECASE)
# What darktable writes into darktablerc: our settings, our panel, and that our storage is chosen.
_SETTINGS = re.compile(
    rb"lua/photocloak/|plugins/lighttable/([^/=]+/)?photocloak[/_]"
    rb"|plugins/lighttable/export/storage_name=photocloak$"
)
_WITHOUT_LUA = "use `photocloak watch` on the folder that it exports to"


class Darktable(Bridge):
    """The storage "cloaked export", and the button, shortcut and panel that cloak a selection."""

    name = "darktable"
    title = "darktable 4.2 or newer"

    def files(self) -> Mapping[Path, Part]:
        """Return the script, what it must know of this installation, and the line in luarc."""
        config = platformdirs.user_config_path("darktable")
        lua = config / "lua" / "photocloak"
        scripts = {lua / name: File(shipped("darktable", name).encode()) for name in _SCRIPTS}
        return {
            **scripts,
            lua / "lib" / "setup.lua": File(_setup(program(), Folders.of_user())),
            config / "luarc": Line(_LINE),
        }

    def probe(self) -> str:
        """Say which darktable will load the script."""
        found = shutil.which("darktable")
        if found is None:
            raise ConfigError(
                "the script is in place, but there is no darktable on the PATH. Install darktable "
                "4.2 or newer from your distribution (Debian, Ubuntu: sudo apt install darktable); "
                f"Flatpaks and AppImages cannot load the script: {_WITHOUT_LUA}."
            )
        version = _version(found)
        api = _LUA.search(version)
        if api is None:
            raise ConfigError(f"{found} has no Lua; {_WITHOUT_LUA}.")
        if int(api[1]) < _LUA_API:
            raise ConfigError(f"{found} is older than 4.2; update it, or {_WITHOUT_LUA}.")
        number = re.search(r"darktable (\d+(?:\.\d+)+)", version)
        return f"live in darktable {number[1] if number else ''}".rstrip()

    def advice(self, *, installed: bool) -> str:
        """Scripts are read when darktable starts."""
        if not installed:
            return "Restart darktable."
        return 'Restart darktable; then choose "cloaked export" as target storage when you export.'

    def forget(self) -> Change:
        """Take our settings out of darktablerc, and remove what runs that were killed left.

        darktable writes that file when it ends, so one that is open would write them again.
        """
        settings = platformdirs.user_config_path("darktable") / "darktablerc"
        if _is_open(settings.parent):
            return Change({}, {settings: "would be written again by darktable, which is open"})
        _remove_runs(platformdirs.user_cache_path("darktable") / "photocloak")
        if drop_lines(settings, lambda line: _SETTINGS.match(line.rstrip()) is not None):
            return Change({settings: "took our settings out of"}, {})
        return Change({}, {})


def _is_open(config: Path) -> bool:
    """Tell whether a darktable works with this folder: its number is in the library's lock."""
    try:
        pid = (config / "library.db.lock").read_text().strip()
        return Path("/proc", pid, "comm").read_text().startswith("darktable")
    except (OSError, UnicodeDecodeError):
        return False


def _remove_runs(place: Path) -> None:
    """Remove the private folders of runs, but for those that photocloak is still at."""
    for run in place.glob("run-*"):
        with suppress(OSError):
            pid = (run / "pid").read_text().strip()
            if pid and Path("/proc", pid).exists():
                continue
        shutil.rmtree(run, ignore_errors=True)
    with suppress(OSError):  # not empty, or not there
        place.rmdir()


def _version(found: str) -> str:
    try:
        run = subprocess.run(
            [found, "--version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigError(f"{found} does not say its version ({error}).") from error
    return run.stdout


def _setup(command: Path, folders: Folders) -> bytes:
    """Write what only this installation knows as a Lua module."""
    # The first one is what a menu shows before anything was chosen.
    presets = sorted(exporters.policy_names(folders.config / "presets"), key=lambda x: x != "web")
    values = {
        "program": _quoted(os.fsencode(command)),
        "folder": _quoted(os.fsencode(platformdirs.user_pictures_path() / "cloaked")),
        "modes": _list(offered_modes()),
        "presets": _list(presets),
    }
    lines = (f"  {name} = {value}," for name, value in values.items())
    head = "-- Written by `photocloak install darktable`; run it again to bring this up to date."
    return "\n".join([head, "return {", *lines, "}", ""]).encode()


def _list(names: Sequence[str]) -> str:
    return f"{{ {', '.join(_quoted(name.encode()) for name in names)} }}"


def _quoted(value: bytes) -> str:
    """Write bytes as a Lua string; whatever is not plain ASCII as decimal escapes."""
    plain = (32 <= byte < 127 and byte not in b'"\\' for byte in value)
    text = (chr(b) if ok else f"\\{b:03d}" for b, ok in zip(value, plain, strict=True))
    return f'"{"".join(text)}"'
