"""The manual pages are those of the commands, and `man` can show them."""

import re
import shutil
import subprocess

import click
import pytest

from photocloak.core import ExitCode, manifest_root
from photocloak.plugin.main import photocloak
from photocloak.plugin.manual import STATUS, pages

MAN = manifest_root() / "man"


def test_they_are_current() -> None:
    """After a change of a command: python -m photocloak.plugin.manual."""
    assert {path.name: path.read_text("utf-8") for path in MAN.glob("*")} == pages()


def test_nothing_is_missing() -> None:
    """Every command, sub-command and option is in one."""
    made = {name: _plain(text) for name, text in pages().items()}
    assert set(made) == {"photocloak.1", *(f"photocloak-{name}.1" for name in photocloak.commands)}
    for name, command in photocloak.commands.items():
        text = made[f"photocloak-{name}.1"]
        below = command.commands.values() if isinstance(command, click.Group) else ()
        for one in (command, *below):
            assert one.name is not None and one.name in text
            for option in one.params:
                if isinstance(option, click.Option) and not option.hidden:
                    assert all(word in text for word in option.opts), f"{name}: {option.opts}"
    assert set(STATUS) == set(ExitCode)


def test_what_roff_would_take_for_its_own_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = ".TH is \\fBno\\fR request\n\n'nor is this, at C:\\new"
    monkeypatch.setattr(photocloak.commands["doctor"], "help", odd)
    text = pages()["photocloak-doctor.1"]
    assert "\n\\&.TH is \\efBno\\efR request\n" in text
    assert "\n\\&'nor is this, at C:\\enew\n" in text


@pytest.mark.skipif(shutil.which("groff") is None, reason="there is no groff")
@pytest.mark.parametrize("name", sorted(pages()))
def test_they_are_shown_without_a_warning(name: str) -> None:
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-k", MAN / name], check=False, capture_output=True
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"EXIT STATUS" in re.sub(rb"\x1b\[[0-9;]*m|.\x08", b"", done.stdout)


def _plain(text: str) -> str:
    return text.replace("\\-", "-")
