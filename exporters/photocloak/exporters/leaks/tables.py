"""The tables of what a written file may hold: data, one file a format, in manifests/kept."""

import tomllib
from functools import cache
from typing import Any

from photocloak.core import manifest_root


@cache
def table(name: str) -> dict[str, Any]:
    """Return a table by the name of its file; not to be changed."""
    return tomllib.loads((manifest_root() / "kept" / f"{name}.toml").read_text("utf-8"))
