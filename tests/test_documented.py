"""Every command and every option stands in the documents, and the documents name no other."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from photocloak.plugin.main import photocloak
from photocloak.plugin.settings import Settings

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "cli.md").read_text("utf-8")


def commands(group: click.Group, *above: str) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, *above, name)
        else:
            yield " ".join([*above, name]), command


COMMANDS = dict(commands(photocloak))


def options(command: click.Command) -> set[str]:
    return {text for one in command.params for text in one.opts if text.startswith("-")}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_documented(name: str) -> None:
    sections = re.split(r"^## `photocloak ", TEXT, flags=re.MULTILINE)
    (section,) = [part for part in sections if part.startswith(name.split(maxsplit=1)[0])]
    assert re.search(rf"(^|`){name}\b", section)
    missing = {one for one in options(COMMANDS[name]) if not re.search(rf"{one}\b", section)}
    assert not missing


def test_no_other_option_is_documented() -> None:
    there = set.union(options(photocloak), *map(options, COMMANDS.values())) | {"--help", "-h"}
    said = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", TEXT + (ROOT / "README.md").read_text()))
    assert said <= there


def test_every_setting_is_documented_with_its_default() -> None:
    for key, value in vars(Settings()).items():
        written = json.dumps(value)
        assert f"\n{key} = {written}" in TEXT


def test_readme_links_lead_somewhere() -> None:
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/cli.md"):
        text = (ROOT / name).read_text("utf-8")
        for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
            assert (ROOT / name).parent.joinpath(link).exists(), f"{name}: {link}"
