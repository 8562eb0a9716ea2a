"""Modes: what a cloak may cost and how hard it is worked for, read from `manifests/modes.toml`."""

import tomllib
from dataclasses import dataclass, fields
from functools import cache
from typing import Literal

from photocloak.core import ConfigError, manifest_root

Fallback = Literal["blur", "pixelate", "box"]
"""How a face is made unrecognisable that no mode cloaks well enough."""


@dataclass(frozen=True)
class Mode:
    """One row of the table of modes; see `manifests/modes.toml` for the meaning of each field."""

    name: str
    summary: str
    warp: float
    contrast: float
    light: float
    rho: float
    linf: float
    steps: int
    rate: float
    objective: Literal["cloak", "fawkes"]
    own: float
    then: str
    offered: bool


@cache
def load_modes() -> dict[str, Mode]:
    """Return the modes by name, in the order of the table."""
    table = tomllib.loads((manifest_root() / "modes.toml").read_text("utf-8"))
    known = {field.name for field in fields(Mode)} - {"name"}
    for name, row in table.items():
        if set(row) != known:
            wrong = ", ".join(sorted(set(row) ^ known))
            raise ConfigError(f"modes.toml: mode {name!r} has wrong or missing keys: {wrong}.")
        if row["then"] and row["then"] not in table:
            raise ConfigError(f"modes.toml: `then` of mode {name!r} is no mode: {row['then']!r}.")
    return {name: Mode(name=name, **row) for name, row in table.items()}


def offered_modes() -> tuple[str, ...]:
    """Return the names that menus and messages offer: all but those for comparison only."""
    return tuple(name for name, one in load_modes().items() if one.offered)


def load_mode(name: str) -> Mode:
    """Return the mode called `name`; ConfigError names the ones that are offered."""
    modes = load_modes()
    if name not in modes:
        offered = ", ".join(offered_modes())
        raise ConfigError(f"There is no mode {name!r}; the modes are {offered}.")
    return modes[name]
