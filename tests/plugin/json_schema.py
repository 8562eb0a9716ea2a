"""What `--json` prints, held against the schema that ships: no field less, and none more."""

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from photocloak.core import manifest_root

SCHEMA: dict[str, Any] = json.loads((manifest_root() / "json.schema.json").read_text("utf-8"))

KINDS = {
    ("cloak",): "outcome",
    ("demo",): "outcome",
    ("check",): "audit",
    ("status",): "overview",
    ("people", "enroll"): "enrolment",
    ("people", "list"): "person",
    ("presets",): "preset",
    ("doctor",): "examination",
    ("bench",): "figures",
}
"""What an object is, by the command that prints it."""


def conforms(kind: str, row: object) -> None:
    """Raise ValidationError where an object is not as the schema says, or has a field besides."""
    _validator(kind).validate(row)


def kind_of(words: list[str]) -> str:
    """Return what the command prints that a command line begins with."""
    return KINDS.get(tuple(words[:1])) or KINDS[words[0], words[1]]


@cache
def _validator(kind: str) -> Draft202012Validator:
    closed = _closed(SCHEMA) | {"$ref": f"#/$defs/{kind}"}
    return Draft202012Validator(closed, format_checker=Draft202012Validator.FORMAT_CHECKER)


def _closed(schema: Any) -> Any:
    """Allow no field that is not named; readers of the schema may meet new ones."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict):
        closed.setdefault("additionalProperties", False)
    return closed
