"""What photocloak puts into darktable's folders, and which darktable it says will load it."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from photocloak.core import ConfigError, ExitCode
from photocloak.plugin.bridges.darktable import Darktable
from tests.hosts.darktable import HERE, Host

OLD = "this is darktable {}\ncompile options:\n  Lua support {}\n  Colord support enabled\n"
NEW = "darktable {}\nCompile options:\n  Lua                    -> {}\n  Colord      -> ENABLED\n"


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (OLD.format("4.2.1", "enabled, API version 9.0.0"), "live in darktable 4.2.1"),
        (NEW.format("5.0.1", "ENABLED  - API version 9.4.0"), "live in darktable 5.0.1"),
        (NEW.format("5.4.1", "ENABLED - API version 9.6.0"), "live in darktable 5.4.1"),
        (OLD.format("4.0.0", "enabled, API version 8.0.0"), "older than 4.2"),
        (OLD.format("4.2.1", "disabled"), "has no Lua"),
        (NEW.format("5.0.1", "DISABLED"), "has no Lua"),
    ],
)
def test_which_darktable_will_load_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, answer: str
) -> None:
    program = tmp_path / "darktable"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{said}END\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    if answer.startswith("live"):
        assert Darktable().probe() == answer
    else:
        with pytest.raises(ConfigError, match=answer):
            Darktable().probe()


def test_installed_and_removed_exactly(tmp_path: Path) -> None:
    host = Host(tmp_path)
    luarc = host.root / "home" / "config" / "darktable" / "luarc"
    luarc.parent.mkdir(parents=True)
    luarc.write_bytes(b'require "mine" -- \xfc\n')
    for name in ("tmp", "notes"):
        (host.root / name).mkdir()
    host.photocloak("install", "darktable")
    assert luarc.read_bytes() == b'require "mine" -- \xfc\nrequire "photocloak/cloaked_export"\n'
    script = luarc.parent / "lua" / "photocloak"
    shipped = {path.name for path in HERE.parents[1].glob("manifests/hosts/darktable/**/*.lua")}
    assert {path.name for path in script.rglob("*.lua")} == shipped | {"setup.lua"}
    if shutil.which("darktable"):
        doctor = json.loads(host.photocloak("doctor", "--json"))
        assert any(
            "darktable" in subject and "live in darktable" in one["detail"]
            for subject, one in doctor.items()
        )
    host.photocloak("uninstall", "darktable")
    assert luarc.read_bytes() == b'require "mine" -- \xfc\n'
    assert not script.exists()


RC = (
    b"lighttable/ui/photocloak=mine\nlua/photocloak/mode=subtle\n\xff=1\r\n"
    b"plugins/lighttable/photocloak/expanded=TRUE\nplugins/lighttable/1/photocloak_visible=TRUE\n"
    b"plugins/lighttable/export/storage_name=photocloak\nlua/other/photocloak=2"
)
REST = b"lighttable/ui/photocloak=mine\n\xff=1\r\nlua/other/photocloak=2"


def test_what_darktable_wrote_about_it_goes_once_darktable_is_closed(tmp_path: Path) -> None:
    """Its settings, and what runs that were killed left, but not a run that is at work."""
    host = Host(tmp_path).folders()
    host.photocloak("install", "darktable")
    host.settings.write_bytes(RC)
    host.settings.chmod(0o600)
    for name, pid in (("run-1-dead", "0"), ("run-1-none", ""), ("run-1-alive", str(os.getpid()))):
        (host.runs / name).mkdir(parents=True)
        (host.runs / name / "pid").write_text(pid)
    program = shutil.copy("/bin/sleep", tmp_path / "darktable")
    with subprocess.Popen([program, "60"]) as darktable:
        host.settings.with_name("library.db.lock").write_text(str(darktable.pid))
        done = host.command("uninstall", "darktable")
        assert (done.returncode, host.settings.read_bytes()) == (ExitCode.OUTPUT, RC)
        assert "darktable, which is open" in done.stderr
        darktable.kill()
    host.photocloak("uninstall", "darktable")
    assert host.settings.read_bytes() == REST
    assert host.settings.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in host.leftovers()] == ["run-1-alive"]
