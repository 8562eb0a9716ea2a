"""GIMP 3: a plug-in in the user's plug-ins folder.

GIMP keeps a folder for each version that it changes its settings in (`GIMP/3.0`, `GIMP/3.2`), and
makes a new one from the newest before at its first start, but only if there is none. So none is
made here in its stead, unless there is nothing that could be brought over.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from photocloak import exporters
from photocloak.core import ConfigError
from photocloak.engine.modes import load_modes
from photocloak.plugin.bridges.base import Bridge, File, Part, program, shipped
from photocloak.plugin.storage.folders import Folders

_SCRIPTS = ("pictures.py", "cloaking.py", "keeper.py")
_FIRST_PRESET = "web"
_OTHERWISE = "use `photocloak watch` on the folder that it exports to"


class Gimp(Bridge):
    """Filters > Cloak faces…, File > Export cloaked…, and the procedures for scripts."""

    name = "gimp"
    title = "GIMP 3"

    def files(self) -> Mapping[Path, Part]:
        """Return the plug-in, for each GIMP 3 that has a folder."""
        main = File(_main(program(), Folders.of_user()), executable=True)
        others = {name: File(shipped("gimp", name).encode()) for name in _SCRIPTS}
        return {
            place / "plug-ins" / "photocloak" / name: part
            for place in _places()
            for name, part in {"photocloak.py": main, **others}.items()
        }

    def probe(self) -> str:
        """Say which GIMP will load the plug-in."""
        found = shutil.which("gimp")
        if found is None:
            raise ConfigError(
                "the plug-in is in place, but there is no gimp on the PATH; a Flatpak or Snap of "
                f"GIMP cannot start photocloak: {_OTHERWISE}."
            )
        version = _version(found)
        if version is None:
            raise ConfigError(f"{found} is no GIMP 3, which the plug-in needs; {_OTHERWISE}.")
        _refuse_older(found, version)
        return f"live in GIMP {version[0]}.{version[1]}"

    def advice(self, *, installed: bool) -> str:
        """Plug-ins are looked for when GIMP starts, and copied when a new version takes over."""
        if installed:
            return "Restart GIMP; then see Filters > Cloak faces… and File > Export cloaked…."
        left = [place / "plug-ins" / "photocloak" for place in _existing()]
        copies = [str(folder) for folder in left if (folder / "photocloak.py").exists()]
        copied = f" GIMP itself has made a copy; remove {' and '.join(copies)}." if copies else ""
        return f"Restart GIMP.{copied}"


def _existing() -> list[Path]:
    """Return the folders that GIMP 3 has made, the newest last."""
    config = platformdirs.user_config_path("GIMP")
    if not config.is_dir():
        return []
    found = [place for place in config.iterdir() if re.fullmatch(r"3\.\d+", place.name)]
    return sorted((place for place in found if place.is_dir()), key=lambda p: int(p.name[2:]))


def _places() -> list[Path]:
    """Return the folders to put the plug-in into.

    Raises:
        ConfigError: GIMP is older, or has yet to make its folder from an older GIMP's.

    """
    config, places = platformdirs.user_config_path("GIMP"), _existing()
    if places:
        return places
    found = shutil.which("gimp")
    version = _version(found) if found else None
    if found and version:
        _refuse_older(found, version)
    if config.is_dir() and any(config.iterdir()):
        raise ConfigError(
            f"{config} has no folder of GIMP 3 yet. Start GIMP 3 once, so that it brings your "
            "settings over, quit it, and install again. GIMP 2.10 cannot load the plug-in."
        )
    return [config / (f"3.{version[1]}" if version and version[0] == 3 else "3.0")]


def _refuse_older(found: str, version: tuple[int, int]) -> None:
    major, minor = version
    if major < 3:
        raise ConfigError(
            f"{found} is GIMP {major}.{minor}, and the plug-in needs GIMP 3; {_OTHERWISE}."
        )


def _version(found: str) -> tuple[int, int] | None:
    """Ask a GIMP for its version; None: it does not say."""
    try:
        run = subprocess.run(
            [found, "--version"], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    number = re.search(r"version (\d+)\.(\d+)", run.stdout)
    return None if number is None else (int(number[1]), int(number[2]))


def _main(command: Path, folders: Folders) -> bytes:
    """Fill in what only this installation knows.

    It stands in the plug-in itself, since GIMP asks a plug-in anew only when that file has changed.
    """
    own = folders.config / "presets"
    names = sorted(exporters.policy_names(own), key=lambda name: name != _FIRST_PRESET)
    setup = {
        "program": str(command),
        "modes": list(load_modes()),
        "presets": {name: exporters.load_policy(name, own).format or "" for name in names},
    }
    text = json.dumps(setup)  # never holds three quotes in a row, which end the literal
    return shipped("gimp", "photocloak.py").replace("@SETUP@", text).encode()
