"""The documents say what there is: commands, options, settings, codes; and nothing else."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from photocloak import exporters
from photocloak.core import ConfigError, ExitCode
from photocloak.core.manifests import manifest_root
from photocloak.engine.modes import load_mode, load_modes, offered_modes
from photocloak.plugin.main import photocloak
from photocloak.plugin.pipeline.job import FaceOutcome, Outcome, Status
from photocloak.plugin.reference import document
from photocloak.plugin.settings import Settings
from tests.markdown import BY_NAME, code

HISTORY = {"CHANGELOG.md"}
"""Pages that may speak of what is no more."""


def spoken() -> Iterator[tuple[str, list[str]]]:
    """Give every command of photocloak in the documents, in words."""
    for page in sorted(BY_NAME.keys() - HISTORY):
        for line in code(BY_NAME[page]):
            for found in re.finditer(r"(?:^|\| |\$ |&& )photocloak (?![|>])([^|>#;&]*)", line):
                try:
                    words = shlex.split(found[1])
                except ValueError:  # a sentence with an apostrophe
                    words = found[1].split()
                yield page, words


SPOKEN = list(spoken())


def followed(words: list[str]) -> tuple[click.Command, list[str]]:
    """Return the command that the words name, and the words after it."""
    command: click.Command = photocloak
    rest = list(words)
    while isinstance(command, click.Group) and rest and re.fullmatch(r"[a-z]+", rest[0]):
        command = command.commands[rest.pop(0)]
    return command, rest


def options(command: click.Command) -> set[str]:
    return {text for one in command.params for text in one.opts} | {"-h", "--help"}


def test_the_command_line_is_current() -> None:
    """After a change of a command: python -m photocloak.plugin.reference > the file."""
    assert BY_NAME["docs/reference/command-line.md"] == document()


@pytest.mark.parametrize("page", sorted({page for page, _ in SPOKEN}))
def test_commands_in_the_documents_are_real(page: str) -> None:
    for words in (words for where, words in SPOKEN if where == page):
        command, rest = followed([one for one in words if one != "--debug"])
        said = {one.split("=")[0] for one in rest if re.match(r"--?[a-z]", one)}
        assert said <= options(command), f"{page}: photocloak {' '.join(words)}"


def test_many_commands_are_looked_at() -> None:
    """The test above would pass if it found none."""
    assert len(SPOKEN) > 80
    with pytest.raises(KeyError):
        followed(["clok", "a.jpg"])


def test_every_command_is_somewhere_but_in_its_reference() -> None:
    shown = {words[0] for page, words in SPOKEN if "command-line" not in page and words}
    assert shown >= set(photocloak.commands)


def test_every_setting_is_documented_with_its_default() -> None:
    for key, value in vars(Settings()).items():
        assert f"\n{key} = {json.dumps(value)}" in BY_NAME["docs/reference/settings.md"]


def test_every_mode_is_documented() -> None:
    text = BY_NAME["docs/reference/settings.md"]
    for name, mode in load_modes().items():
        assert (f"| `{name}` |" in text) is mode.offered and f"`{name}`" in text


def test_what_is_for_comparison_only_is_offered_nowhere() -> None:
    """It is still taken: see `test_harder.py`."""
    assert [one for one in load_modes() if one not in offered_modes()] == ["fawkes"]
    assert "fawkes" not in BY_NAME["docs/reference/command-line.md"].lower()
    with pytest.raises(ConfigError) as told:
        load_mode("strange")
    assert "fawkes" not in str(told.value) and "balanced" in str(told.value)


def test_every_exit_code_is_documented() -> None:
    text = BY_NAME["docs/reference/exit-codes.md"].split("| command |")[0]
    assert {int(one) for one in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)} == set(ExitCode)


def test_every_field_and_status_of_the_json_is_documented() -> None:
    text = BY_NAME["docs/reference/json.md"]
    face = FaceOutcome((0, 0, 1, 1), None, None, {}, None)
    outcome = Outcome(Path("a.jpg"), None, Status.CLOAKED, faces=(face,))
    for key in outcome.as_json():
        assert f"`{key}`" in text
    for key in face.as_json():
        assert f"`faces[].{key}`" in text
    for status in Status:
        assert f"| `{status.value}` |" in text


@pytest.mark.parametrize("path", sorted((manifest_root() / "presets").glob("*.toml")), ids=str)
def test_every_preset_is_documented_as_it_is(path: Path) -> None:
    policy = exporters.load_policy(path.stem)
    (row,) = re.findall(
        rf"^\| `{policy.name}` \|.*$", BY_NAME["docs/reference/presets.md"], re.MULTILINE
    )
    sizes = [one for one in (policy.edge, policy.width, policy.height) if one is not None]
    assert set(map(int, re.findall(r"(\d+) px", row))) == set(sizes)
    assert (policy.bytes is None) == (" MB |" not in row)
    if policy.bytes is not None:
        assert f"| {policy.bytes // 1_000_000} MB |" in row
    if policy.metadata != "all":
        assert f"| {policy.quality}, {policy.subsampling} |" in row
    kind = policy.format or "the source's"
    assert f"| {kind} |" in row
    if policy.fields:
        assert row.endswith(f"| {', '.join(policy.fields)} |")
