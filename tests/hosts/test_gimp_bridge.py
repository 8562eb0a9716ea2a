"""Where GIMP's plug-in is put, and what it is told of this installation."""

import ast
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from photocloak.core import ConfigError
from photocloak.plugin import Folders
from photocloak.plugin.bridges import gimp as bridge
from photocloak.plugin.bridges.base import install, state, uninstall


@pytest.fixture
def config() -> Path:
    return Path(os.environ["XDG_CONFIG_HOME"], "GIMP")


@pytest.fixture
def version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return what puts a GIMP of a version on the PATH."""
    place = tmp_path / "bin"
    place.mkdir()
    monkeypatch.setenv("PATH", f"{place}:/usr/bin:/bin")

    def put(number: str) -> None:
        text = f"#!/bin/sh\necho 'GNU Image Manipulation Program version {number}'\n"
        (place / "gimp").write_text(text)
        (place / "gimp").chmod(0o755)

    return put


def test_every_gimp_3_that_has_a_folder_gets_the_plug_in(
    config: Path, folders: Folders, version: Callable[[str], None]
) -> None:
    for name in ("2.10", "3.0", "3.2", "3.2.old", "4.0"):
        (config / name).mkdir(parents=True)
    version("3.2.1")
    done = install(bridge.Gimp(), folders).done
    assert {path.parent for path in done} == {
        config / one / "plug-ins" / "photocloak" for one in ("3.0", "3.2")
    }
    for path in done:
        assert bool(path.stat().st_mode & stat.S_IXUSR) == (path.name == "photocloak.py")
    assert state(bridge.Gimp(), folders) == "live in GIMP 3.2"
    uninstall(bridge.Gimp(), folders)
    assert not [path for path in config.rglob("*") if not path.name[0].isdigit()]


def test_a_new_gimp_is_noticed(
    config: Path, folders: Folders, version: Callable[[str], None]
) -> None:
    version("3.0.4")
    install(bridge.Gimp(), folders)
    (config / "3.2").mkdir()
    with pytest.raises(ConfigError, match="run `photocloak install gimp`"):
        state(bridge.Gimp(), folders)


def test_a_copy_that_gimp_has_made_is_named(config: Path, folders: Folders) -> None:
    install(bridge.Gimp(), folders)
    copy = config / "3.2" / "plug-ins" / "photocloak"
    copy.mkdir(parents=True)
    (copy / "photocloak.py").touch()
    uninstall(bridge.Gimp(), folders)
    assert bridge.Gimp().advice(installed=False).endswith(f"remove {copy}.")


def test_gimp_is_not_kept_from_bringing_settings_over(config: Path, folders: Folders) -> None:
    (config / "2.10").mkdir(parents=True)
    with pytest.raises(ConfigError, match="Start GIMP 3 once"):
        install(bridge.Gimp(), folders)
    assert [path.name for path in config.iterdir()] == ["2.10"]


@pytest.mark.parametrize("number", ["3.0.4", "3.2.0-RC1"])
def test_a_gimp_that_never_ran_gets_a_folder(
    config: Path, version: Callable[[str], None], number: str
) -> None:
    version(number)
    assert {path.parent for path in bridge.Gimp().files()} == {
        config / number[:3] / "plug-ins" / "photocloak"
    }


OLDER = r"gimp is GIMP 2\.10, and the plug-in needs GIMP 3; use [^.]*\.$"


def test_gimp_2_is_told_in_one_sentence(folders: Folders, version: Callable[[str], None]) -> None:
    install(bridge.Gimp(), folders)
    version("2.10.34")
    with pytest.raises(ConfigError, match=OLDER):
        state(bridge.Gimp(), folders)


@pytest.mark.parametrize("has_run", [False, True])
def test_gimp_2_gets_nothing(
    config: Path, folders: Folders, version: Callable[[str], None], *, has_run: bool
) -> None:
    """Debian 12's: a folder of GIMP 3 would keep a later one from bringing settings over."""
    version("2.10.34")
    if has_run:
        (config / "2.10").mkdir(parents=True)
    with pytest.raises(ConfigError, match=OLDER):
        install(bridge.Gimp(), folders)
    assert not list(config.glob("3*"))


@pytest.mark.parametrize("name", ['a"""b', "a'''b\\", "ü\udcff", "$(x)\n"])
def test_the_plug_in_knows_this_installation(
    folders: Folders, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    command = tmp_path / name
    monkeypatch.setattr(bridge, "program", lambda: command)
    own = folders.config / "presets"
    own.mkdir(parents=True)
    (own / "club.toml").write_text('title = "club"\nmetadata = "none"\nformat = "AVIF"\n')
    parts = bridge.Gimp().files()
    (main,) = (part for path, part in parts.items() if path.name == "photocloak.py")
    tree = ast.parse(main.put(b""))
    (setup,) = (
        one.value.args[0].value
        for one in tree.body
        if isinstance(one, ast.AnnAssign)
        and isinstance(one.value, ast.Call)
        and isinstance(one.value.args[0], ast.Constant)
    )
    known = json.loads(str(setup))
    assert known["program"] == str(command)
    assert known["presets"]["club"] == "AVIF" and known["presets"]["keep"] == ""
    assert next(iter(known["presets"])) == "web"
    assert "balanced" in known["modes"]
