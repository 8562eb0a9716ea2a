"""What messages tell people to type works here: the package is on no index."""

import re
import shlex
import subprocess
import sys
from importlib import metadata, util
from pathlib import Path

import pytest

from photocloak.core import install_hint, installed_version, replace_hint

ROOT = Path(__file__).parents[1]
CODE = [
    path
    for part in ("cloak_engine", "exporters", "plugin", "manifests/hosts", "scripts")
    for path in (ROOT / part).rglob("*")
    if path.suffix in {".py", ".lua", ".sh", ".txt", ""} and path.is_file()
]
ON_AN_INDEX = re.compile(r"pip3? install[^\n]*photocloak")


def test_nowhere_is_photocloak_said_to_be_on_an_index() -> None:
    assert len(CODE) > 200
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    for path in [*CODE, *pages]:
        assert not ON_AN_INDEX.search(path.read_text("utf-8", "replace")), path
    assert ON_AN_INDEX.search("pip install 'photocloak[cpu]'")


def test_the_command_is_one_that_this_environment_has() -> None:
    (command,) = re.findall("`(.*)`", install_hint("onnxruntime>=1.19"))
    words = shlex.split(command)
    assert words == [sys.executable, "-m", "pip", "install", "onnxruntime>=1.19"]
    assert (
        subprocess.run([*words[:3], "--version"], capture_output=True, check=False).returncode == 0
    )
    commands = re.findall("`(.*?)`", replace_hint("onnxruntime", by="onnxruntime-gpu"))
    assert [shlex.split(one)[3] for one in commands] == ["uninstall", "install"]


def test_an_environment_without_pip_is_told_what_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("photocloak.core.installing.find_spec", lambda name: None)
    for hint in (install_hint("torch>=2.4"), replace_hint("onnxruntime", by="torch>=2.4")):
        assert "-m pip" not in hint
        (command,) = re.findall("`(.*?)`", hint)
        python = ["uv", "pip", "install", "--python", sys.executable]
        assert shlex.split(command) == [*python, "torch>=2.4"]
    assert util.find_spec("pip") is not None


def test_versions_are_those_that_the_records_state() -> None:
    wheels = {
        one.name: one.version
        for one in metadata.distributions()
        if str(getattr(one, "_path", "")).endswith(".dist-info")
    }
    wanted = {"photocloak", "numpy", "onnx", "click"} & wheels.keys()
    assert "numpy" in wanted
    assert {name: installed_version(name) for name in wanted} == {
        name: wheels[name] for name in wanted
    }
    assert installed_version("no-such-package") is None
    assert installed_version("onnxruntime-gp") is None
