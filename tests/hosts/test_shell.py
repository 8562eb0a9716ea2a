"""Completion in the shells, through the program: what is offered, and how fast."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from photocloak.plugin import Database, Folders
from photocloak.plugin.bridges import load_bridge
from photocloak.plugin.bridges.base import install, uninstall
from photocloak.plugin.people import profiles

PROGRAM = Path(sys.executable).with_name("photocloak")


def complete(*words: str, shell: str = "bash", **environment: str) -> list[str]:
    """Return what a shell would offer for the last word."""
    asked = {
        "_PHOTOCLOAK_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": " ".join(["photocloak", *words]),
        "COMP_CWORD": str(len(words)) if shell != "fish" else words[-1],
    }
    done = subprocess.run(
        [PROGRAM], env=os.environ | asked | environment, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def words(lines: list[str]) -> list[str]:
    return [line.partition(",")[2] for line in lines if line]


@pytest.fixture
def people(folders: Folders) -> None:
    with Database(folders.database).transaction() as connection:
        for name in ("Ada", "Álvaro Núñez", None):
            profiles.add_person(connection, name=name, target="nobody-1", now=1e9)


def test_modes_but_not_that_for_comparison() -> None:
    assert words(complete("cloak", "--mode", "")) == ["subtle", "balanced", "strong"]
    assert words(complete("watch", "--mode", "s")) == ["subtle", "strong"]


def test_presets_and_own_ones(folders: Folders) -> None:
    assert words(complete("cloak", "--preset", "a")) == ["anonymous"]
    own = folders.config / "presets"
    own.mkdir(parents=True)
    (own / "album.toml").write_text("this is = no preset")
    assert words(complete("cloak", "--preset", "a")) == ["album", "anonymous"]


def test_people(people: None, folders: Folders) -> None:
    assert words(complete("cloak", "--person", "")) == ["Ada", "Álvaro Núñez"]
    assert words(complete("people", "merge", "")) == ["Ada", "Álvaro Núñez", "person-3"]
    assert words(complete("people", "forget", "a")) == ["Ada"]
    before = folders.database.read_bytes()
    folders.database.write_bytes(b"no database")
    assert words(complete("people", "merge", "")) == []
    folders.database.write_bytes(before)


def test_nothing_is_made_by_asking(folders: Folders) -> None:
    assert words(complete("people", "merge", "")) == []
    assert not folders.data.exists() and not folders.config.exists()


def test_it_is_fast() -> None:
    """Processor time is measured, since the tests share the machine."""
    complete("cloak", "--preset", "")
    before = os.times()
    for _ in range(3):
        complete("cloak", "--preset", "")
    after = os.times()
    spent = after.children_user + after.children_system
    spent -= before.children_user + before.children_system
    assert spent / 3 < 0.5


def test_bash_offers_it(folders: Folders, tmp_path: Path) -> None:
    install(load_bridge("shell"), folders)
    script = folders.data.parent / "bash-completion" / "completions" / "photocloak"
    line = (
        f"source {script}; COMP_WORDS=(photocloak cloak --mode s); COMP_CWORD=3; "
        "_photocloak_completion photocloak; echo ${COMPREPLY[*]}"
    )
    path = f"{PROGRAM.parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", line], env=os.environ | {"PATH": path}, capture_output=True, check=False
    )
    assert done.stdout == b"subtle strong\n"


def test_files_go_in_and_out(folders: Folders) -> None:
    place = folders.data.parent
    install(load_bridge("shell"), folders)
    for name, head in (
        ("bash-completion/completions/photocloak", "_photocloak_completion()"),
        ("zsh/site-functions/_photocloak", "#compdef photocloak"),
        ("fish/vendor_completions.d/photocloak.fish", "function _photocloak_completion"),
        ("man/man1/photocloak-cloak.1", ".TH"),
    ):
        assert (place / name).read_text().lstrip().startswith(head)
    uninstall(load_bridge("shell"), folders)
    assert not (place / "man").exists() and not (place / "zsh").exists()
