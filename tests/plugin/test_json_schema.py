"""The schema is one, every command that prints JSON is in it, and the documents name it."""

import copy
import json
from collections.abc import Iterator

import click
import pytest
from jsonschema import Draft202012Validator, ValidationError

from photocloak.plugin.main import photocloak, run
from photocloak.plugin.pipeline.job import Status
from tests.markdown import BY_NAME
from tests.plugin.json_schema import KINDS, SCHEMA, conforms


def printing(group: click.Group, *above: str) -> Iterator[tuple[str, ...]]:
    """Give the commands that have --json."""
    for name, command in group.commands.items():
        if any("--json" in one.opts for one in command.params):
            yield (*above, name)
        if isinstance(command, click.Group):
            yield from printing(command, *above, name)


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_every_command_that_prints_json_is_in_it() -> None:
    assert set(printing(photocloak)) == KINDS.keys()
    for command, kind in KINDS.items():
        words = f"photocloak {' '.join(command)} --json"
        assert words in SCHEMA["$defs"][kind]["description"]
        assert f"`{words}`" in BY_NAME["docs/reference/json.md"]
    assert "json.schema.json" in BY_NAME["docs/reference/json.md"]


def test_every_status_is_in_it() -> None:
    assert SCHEMA["$defs"]["outcome"]["properties"]["status"]["enum"] == list(Status)


def test_every_field_is_documented() -> None:
    text = BY_NAME["docs/reference/json.md"]
    for kind in ("audit", "overview", "enrolment", "person", "preset"):
        for field in SCHEMA["$defs"][kind]["properties"]:
            assert f"`{field}`" in text, f"{kind}: {field}"


def test_the_presets(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["presets", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(rows) == 8
    for row in rows:
        conforms("preset", row)


def test_it_can_fail(capsys: pytest.CaptureFixture[str]) -> None:
    run(["presets", "--json"])
    row = json.loads(capsys.readouterr().out.splitlines()[0])
    for change in ({"more": 1}, {"quality": "high"}, {"names": "other"}):
        with pytest.raises(ValidationError):
            conforms("preset", row | change)
    less = copy.copy(row)
    del less["own"]
    with pytest.raises(ValidationError):
        conforms("preset", less)
