"""Bridges: what puts photocloak into other programs. One module a host, imported when asked for.

A bridge says what it puts where; `base` puts it, remembers it, and takes it away again.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from photocloak.core import ConfigError

if TYPE_CHECKING:
    from photocloak.plugin.bridges.base import Bridge

# Name (and module) to class; a new bridge adds its line.
_HOMES = {
    "darktable": "Darktable",
    "digikam": "Digikam",
    "gimp": "Gimp",
    "desktop": "Desktop",
    "service": "Service",
    "shell": "Shell",
}
NAMES = tuple(_HOMES)


def load_bridge(name: str) -> "Bridge":
    """Return the bridge of that name; ConfigError where there is none."""
    if name not in _HOMES:
        raise ConfigError(f"There is no bridge {name!r}; there are {', '.join(_HOMES)}.")
    bridge: Bridge = getattr(import_module(f"{__name__}.{name}"), _HOMES[name])()
    return bridge
