"""Real darktable: installed, used, updated, used, taken away, and nothing of it is left."""

import os
import subprocess
from pathlib import Path

from tests.hosts.darktable import Host, lua, require_darktable
from tests.plugin.fakes import write_photo

CHOSEN = b"plugins/lighttable/export/storage_name=photocloak\n"
QUIT = """
local dt = require "darktable"
dt.control.dispatch(function()
  dt.control.sleep(1500)
  dt.gui.action("global/quit", 0, "", "", 1.0)
end)
"""


def naming_us(host: Host) -> list[Path]:
    """Return what in the home has our name, or has it in it."""
    return [
        path
        for path in (host.root / "home").rglob("*")
        if "photocloak" in path.name or (path.is_file() and b"photocloak" in path.read_bytes())
    ]


def use(host: Host, name: str) -> str:
    """Export a photo; return which darktable it was."""
    photo = write_photo(host.root / "photos" / "one.jpg", 60, 90)
    values = {"program": host.fake(), "folder": host.root / "out" / name}
    said, status = host.run(
        f"drive.set({lua(values)}) drive.export({lua(name)}, {lua([photo])})", chosen=False
    )
    assert (status, said["scenario"]) == (0, "done")
    assert said[name] == "photocloak: 1 of 1 photos cloaked"
    return said["darktable"]


def test_from_the_installation_to_the_removal(tmp_path: Path) -> None:
    require_darktable()
    host = Host(tmp_path / "host").folders()
    assert host.start(QUIT, {}) == 0
    host.photocloak("install", "darktable")
    host.settings.write_bytes(host.settings.read_bytes() + CHOSEN)
    version = use(host, "works")
    host.photocloak("install", "darktable")  # as after an update
    assert use(host, "updated") == version
    if update := os.environ.get("PHOTOCLOAK_HOST_UPDATE"):
        subprocess.run(update, shell=True, check=True, timeout=300)
        assert host.start(QUIT, {}, agreeing=True) == 0
        assert use(host, "newer") != version
    there = host.settings.read_bytes().splitlines()
    host.photocloak("uninstall", "darktable")
    assert naming_us(host) == []
    kept = host.settings.read_bytes().splitlines()
    assert kept == [line for line in there if b"photocloak" not in line]
    assert host.start(QUIT, {}) == 0
    assert naming_us(host) == []
