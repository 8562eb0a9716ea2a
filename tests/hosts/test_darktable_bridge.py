"""What photocloak puts into darktable's folders, and which darktable it says will load it."""

import json
import shutil
from pathlib import Path

import pytest

from photocloak.core import ConfigError
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
