"""The watched folders as a service of the user's systemd."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from photocloak.core import ConfigError
from photocloak.plugin.bridges.base import Bridge, File, Part, program, shipped

UNIT = "photocloak.service"


class Service(Bridge):
    """The unit `photocloak.service`."""

    name = "service"
    title = "the watched folders as a systemd user service"

    def files(self) -> Mapping[Path, Part]:
        """Return the unit, with where photocloak is."""
        text = shipped("systemd", UNIT).replace("@PHOTOCLOAK@", in_unit(program()))
        return {platformdirs.user_config_path("systemd") / "user" / UNIT: File(text.encode())}

    def probe(self) -> str:
        """Say whether it is switched on, and whether there is a systemd to run it."""
        if shutil.which("systemctl") is None:
            raise ConfigError(
                "the unit is in place, but there is no systemd here; start `photocloak watch` by "
                "other means."
            )
        wants = platformdirs.user_config_path("systemd") / "user" / "default.target.wants" / UNIT
        if not os.path.lexists(wants):
            return f"in place, not switched on: systemctl --user enable --now {UNIT}"
        return f"in place and switched on; systemctl --user status {UNIT} says how it is"

    def advice(self, *, installed: bool) -> str:
        """Say how to switch it on, and off."""
        if not installed:
            return (
                f"If it is still switched on: systemctl --user disable --now {UNIT}; "
                "systemctl --user daemon-reload"
            )
        return (
            "Name the folders in settings.toml (docs/reference/settings.md), then:\n"
            "  systemctl --user daemon-reload\n"
            f"  systemctl --user enable --now {UNIT}"
        )


def in_unit(command: Path) -> str:
    """Quote a path for `ExecStart=` (systemd.service, "Command lines")."""
    quoted = str(command).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return '"' + quoted.replace("%", "%%").replace("$", "$$") + '"'
