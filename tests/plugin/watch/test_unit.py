"""The systemd unit says what the documents promise."""

import configparser

from photocloak.core import manifest_root


def test_the_unit_runs_watch_and_ends_it_gently() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(manifest_root() / "hosts" / "systemd" / "photocloak.service")
    service = unit["Service"]
    assert service["ExecStart"] == "@PHOTOCLOAK@ watch"
    assert (service["KillMode"], service["Restart"]) == ("mixed", "on-failure")
    assert int(service["TimeoutStopSec"]) > 45, "the daemon's own time for the photo in hand"
